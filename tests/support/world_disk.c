/* SPDX-License-Identifier: Apache-2.0 */
/* The world's disk: carries out effects on files and folders, and loses power. */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "tests/support/world_node.h"

#define SECTOR_BYTES 512

static char *span_text_copy(struct span span)
{
    CHECK(memchr(span.data == NULL ? (const void *)"" : span.data, '\0', span.length) == NULL);
    return world_text_copy((const char *)span.data, span.length);
}

void disk_init(struct world_disk *disk, struct rng *rng)
{
    *disk = (struct world_disk){.rng = rng, .capacity_bytes = UINT64_MAX};
    for (size_t i = 0; i < WORLD_FOLDERS_MAX; i++)
        disk->roots[i] = node_new(disk, true);
}

static void listed_clear(struct world_disk *disk)
{
    for (size_t i = 0; i < disk->listed_count; i++)
        free((void *)(uintptr_t)disk->listed[i].name.data);
    free(disk->listed);
    disk->listed = NULL;
    disk->listed_count = 0;
}

void disk_free(struct world_disk *disk)
{
    nodes_free(disk);
    disk_process_ended(disk);
    free(disk->handles);
    listed_clear(disk);
}

/* Numbers are given out in their order, so that they lie in it. */
static struct world_handle *handle_find(const struct world_disk *disk, uint64_t file)
{
    size_t low = 0;
    size_t high = disk->handles_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (disk->handles[middle].file < file)
            low = middle + 1;
        else
            high = middle;
    }
    CHECK(low < disk->handles_count && disk->handles[low].file == file);
    return &disk->handles[low];
}

static struct world_handle *handle_open(const struct world_disk *disk, uint64_t file)
{
    struct world_handle *handle = handle_find(disk, file);
    CHECK(handle->node != NULL);
    return handle;
}

void disk_file_named(struct world_disk *disk, uint64_t file, struct span path)
{
    CHECK(disk->handles_count == 0 || disk->handles[disk->handles_count - 1].file < file);
    if (disk->handles_count == disk->handles_capacity) {
        disk->handles_capacity = disk->handles_capacity * 2 + 8;
        disk->handles =
            world_allocate(disk->handles, disk->handles_capacity * sizeof(*disk->handles));
    }
    disk->handles[disk->handles_count++] = (struct world_handle){
        .file = file, .path = world_text_copy((const char *)path.data, path.length)};
}

struct span disk_file_path(const struct world_disk *disk, uint64_t file)
{
    return span_text(handle_find(disk, file)->path);
}

const uint8_t *disk_bytes(const struct world_disk *disk, uint64_t file, uint64_t offset,
                          size_t length)
{
    const struct world_handle *handle = handle_open(disk, file);
    if (offset + length > handle->node->visible.length)
        return NULL;
    return handle->node->visible.data + offset;
}

uint32_t world_open_files(const struct world *world)
{
    const struct world_disk *disk = world_disk_of_const(world);
    uint32_t count = 0;
    for (size_t i = 0; i < disk->handles_count; i++)
        count += disk->handles[i].node != NULL;
    return count;
}

const uint8_t *world_bytes(const struct world *world, uint64_t file, uint64_t offset, size_t length)
{
    return disk_bytes(world_disk_of_const(world), file, offset, length);
}

bool disk_serves(enum effect_kind kind)
{
    return kind >= EFFECT_OPEN && kind <= EFFECT_SYNC_FOLDER;
}

/* The node that a sync is about, and the path that faults go by. */
void disk_submitted(struct world_disk *disk, struct world_effect *asked)
{
    const struct effect *effect = &asked->effect;
    const struct world_node *node = NULL;
    if (effect->kind == EFFECT_SYNC) {
        const struct world_handle *handle = handle_open(disk, effect->file);
        node = handle->node;
    } else if (effect->kind == EFFECT_SYNC_FOLDER) {
        char *path = span_text_copy(effect->path.path);
        node = path_node(disk, effect->path.folder, path);
        free(path);
    } else if (effect->kind == EFFECT_READ) {
        /* What was in the buffer before must not be taken for the file's bytes. */
        memset(effect->read.data, 0xa5, effect->read.length);
    }
    asked->covers = node == NULL ? 0 : node->sequence;
}

static int open_carry_out(struct world_disk *disk, const struct effect *effect, const char *path,
                          uint64_t *ret_size)
{
    const char *name;
    struct world_node *folder = path_parent(disk, effect->open.folder, path, &name);
    if (folder == NULL)
        return ERR_NOT_FOUND;
    struct world_node *node = entries_get(&folder->visible_entries, name);
    const bool creates = effect->open.mode == OPEN_CREATE || effect->open.mode == OPEN_CREATE_NEW;
    if (node != NULL && (node->is_folder || effect->open.mode == OPEN_CREATE_NEW))
        return node->is_folder ? ERR_IO : ERR_EXISTS;
    if (node == NULL && !creates)
        return ERR_NOT_FOUND;
    if (node == NULL) {
        node = node_new(disk, false);
        entry_change(folder, name, node, false);
    }
    struct world_handle *handle = handle_find(disk, effect->open.file);
    CHECK(handle->node == NULL);
    handle->node = node;
    handle->writes = effect->open.mode != OPEN_READ;
    *ret_size = node->visible.length;
    return ERR_NONE;
}

static void close_carry_out(struct world_disk *disk, uint64_t file)
{
    handle_open(disk, file)->node = NULL;
}

static int read_carry_out(struct world_disk *disk, const struct effect *effect, uint64_t *ret_count)
{
    const struct world_handle *handle = handle_open(disk, effect->read.file);
    const struct world_bytes *bytes = &handle->node->visible;
    size_t length = effect->read.length;
    if (effect->read.offset >= bytes->length)
        length = 0;
    else if (length > bytes->length - effect->read.offset)
        length = bytes->length - effect->read.offset;
    if (length > 0)
        memcpy(effect->read.data, bytes->data + effect->read.offset, length);
    *ret_count = length;
    return ERR_NONE;
}

static int write_carry_out(struct world_disk *disk, const struct effect *effect, int error,
                           uint64_t bytes_max, uint64_t *ret_count)
{
    const struct world_handle *handle = handle_open(disk, effect->write.file);
    CHECK(handle->writes);
    struct world_node *node = handle->node;
    uint64_t offset = effect->write.offset;
    for (uint32_t i = 0; i < effect->write.pieces_count; i++) {
        const struct piece *piece = &effect->write.pieces[i];
        CHECK(piece->data != NULL || piece->length == 0);
        size_t length = piece->length;
        const uint64_t grows =
            offset + length > node->visible.length ? offset + length - node->visible.length : 0;
        if (error != ERR_NONE && length > bytes_max - *ret_count)
            length = (size_t)(bytes_max - *ret_count);
        else if (disk->used_bytes + grows > disk->capacity_bytes) {
            const uint64_t lacking = disk->used_bytes + grows - disk->capacity_bytes;
            length = lacking >= length ? 0 : length - (size_t)lacking;
            error = ERR_NO_SPACE;
        }
        if (length > 0) {
            struct change *change = change_add(node);
            change->offset = offset;
            world_bytes_set(&change->data, 0, piece->data, length);
            const size_t before = node->visible.length;
            world_bytes_set(&node->visible, offset, piece->data, length);
            disk->used_bytes += node->visible.length - before;
        }
        offset += length;
        *ret_count += length;
        if (length < piece->length)
            return error;
    }
    return error;
}

static int range_carry_out(struct world_disk *disk, const struct effect *effect)
{
    const struct world_handle *handle = handle_open(disk, effect->range.file);
    CHECK(handle->writes);
    struct world_node *node = handle->node;
    if (effect->kind == EFFECT_RESERVE) {
        const uint64_t end = effect->range.offset + effect->range.length;
        const uint64_t more = end > node->visible.length ? end - node->visible.length : 0;
        return more > disk->capacity_bytes - disk->used_bytes ? ERR_NO_SPACE : ERR_NONE;
    }
    struct change *change = change_add(node);
    change->is_truncate = true;
    change->offset = effect->range.offset;
    disk->used_bytes -= node->visible.length;
    world_bytes_resize(&node->visible, effect->range.offset);
    disk->used_bytes += node->visible.length;
    return ERR_NONE;
}

static int list_carry_out(struct world_disk *disk, const struct effect *effect, const char *path,
                          struct completion *completion)
{
    const struct world_node *folder = path_node(disk, effect->path.folder, path);
    if (folder == NULL || !folder->is_folder)
        return ERR_NOT_FOUND;
    listed_clear(disk);
    const struct entries *entries = &folder->visible_entries;
    disk->listed = world_allocate(NULL, entries->count * sizeof(*disk->listed));
    disk->listed_count = entries->count;
    for (size_t i = 0; i < entries->count; i++) {
        const struct world_node *node = entries->items[i].node;
        const char *name = entries->items[i].name;
        disk->listed[i] =
            (struct folder_entry){.name = span_text(world_text_copy(name, strlen(name))),
                                  .size_bytes = node->visible.length,
                                  .is_folder = node->is_folder};
    }
    completion->entries = disk->listed;
    completion->entries_count = (uint32_t)entries->count;
    return ERR_NONE;
}

static int rename_carry_out(struct world_disk *disk, const struct effect *effect, const char *path,
                            const char *path_to)
{
    const char *name;
    const char *name_to;
    struct world_node *folder = path_parent(disk, effect->path.folder, path, &name);
    struct world_node *folder_to = path_parent(disk, effect->path.folder, path_to, &name_to);
    struct world_node *node = folder == NULL ? NULL : entries_get(&folder->visible_entries, name);
    if (node == NULL || folder_to == NULL)
        return ERR_NOT_FOUND;
    struct world_node *there = entries_get(&folder_to->visible_entries, name_to);
    if (there != NULL && there->is_folder)
        return ERR_EXISTS;
    if (there != NULL)
        disk->used_bytes -= there->visible.length;
    entry_change(folder_to, name_to, node, folder == folder_to);
    entry_change(folder, name, NULL, false);
    return ERR_NONE;
}

static void remove_within(struct world_disk *disk, struct world_node *node)
{
    disk->used_bytes -= node->visible.length;
    while (node->visible_entries.count > 0) {
        const struct entry *last = &node->visible_entries.items[node->visible_entries.count - 1];
        remove_within(disk, last->node);
        entry_change(node, last->name, NULL, false);
    }
}

static int path_carry_out(struct world_disk *disk, const struct world_effect *asked,
                          struct completion *completion)
{
    const struct effect *effect = &asked->effect;
    char *path = span_text_copy(effect->path.path);
    const char *name;
    struct world_node *folder = path_parent(disk, effect->path.folder, path, &name);
    struct world_node *node = path_node(disk, effect->path.folder, path);
    int error = node == NULL ? ERR_NOT_FOUND : ERR_NONE;
    if (effect->kind == EFFECT_LIST) {
        error = list_carry_out(disk, effect, path, completion);
    } else if (effect->kind == EFFECT_MAKE_FOLDER) {
        error = folder == NULL ? ERR_NOT_FOUND : node != NULL ? ERR_EXISTS : ERR_NONE;
        if (error == ERR_NONE)
            entry_change(folder, name, node_new(disk, true), false);
    } else if (effect->kind == EFFECT_RENAME) {
        char *path_to = span_text_copy(effect->path.path_to);
        error = rename_carry_out(disk, effect, path, path_to);
        free(path_to);
    } else if (effect->kind == EFFECT_REMOVE && node != NULL) {
        remove_within(disk, node);
        entry_change(folder, name, NULL, false);
    } else if (effect->kind == EFFECT_SYNC_FOLDER && node != NULL) {
        changes_settle(node, asked->covers, true);
    }
    free(path);
    return error;
}

static int sync_failed(struct world_disk *disk, const struct world_effect *asked, int error)
{
    /* The kernel marks the pages clean: a later sync succeeds and yet they are not on the disk. */
    if (asked->effect.kind == EFFECT_SYNC)
        changes_settle(handle_open(disk, asked->effect.file)->node, asked->covers, false);
    return error;
}

void disk_carry_out(struct world_disk *disk, const struct world_effect *asked, int error,
                    uint64_t bytes_max, struct completion *completion)
{
    const struct effect *effect = &asked->effect;
    if (effect->kind == EFFECT_WRITE) {
        completion->error = write_carry_out(disk, effect, error, bytes_max, &completion->count);
        return;
    }
    if (error != ERR_NONE) {
        completion->error = sync_failed(disk, asked, error);
        return;
    }
    switch (effect->kind) {
    case EFFECT_OPEN: {
        char *path = span_text_copy(effect->open.path);
        completion->error = open_carry_out(disk, effect, path, &completion->count);
        free(path);
        break;
    }
    case EFFECT_CLOSE_FILE:
        close_carry_out(disk, effect->file);
        break;
    case EFFECT_READ:
        completion->error = read_carry_out(disk, effect, &completion->count);
        break;
    case EFFECT_SYNC:
        changes_settle(handle_open(disk, effect->file)->node, asked->covers, true);
        break;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        completion->error = range_carry_out(disk, effect);
        break;
    default:
        completion->error = path_carry_out(disk, asked, completion);
        break;
    }
}

void disk_process_ended(struct world_disk *disk)
{
    for (size_t i = 0; i < disk->handles_count; i++)
        free(disk->handles[i].path);
    disk->handles_count = 0;
}

/* Keeps all changes, none, or only the first ones. */
static size_t changes_draw(struct world_disk *disk, const struct world_node *node)
{
    const uint64_t drawn = rng_next(disk->rng) % 4;
    if (drawn < 2)
        return drawn == 0 ? 0 : node->changes_count;
    return rng_next(disk->rng) % (node->changes_count + 1);
}

/* Every sector, and the size, is as it was after one of the changes: the device gets whole sectors,
 * in any order, as they are when their turn comes. */
static void file_power_loss(struct world_disk *disk, struct world_node *node)
{
    struct world_bytes sectors = {0}; /* each one's number of changes */
    struct world_bytes result = {0};
    const uint64_t fate = rng_next(disk->rng) % 4; /* all lost, all kept, drawn by sector */
    const size_t size_changes = fate == 0   ? 0
                                : fate == 1 ? node->changes_count
                                            : changes_draw(disk, node);
    size_t size = node->durable.length;
    for (size_t i = 0; i < node->changes_count; i++)
        size += node->changes[i].data.length + node->changes[i].offset;
    world_bytes_resize(&sectors, (size / SECTOR_BYTES + 1) * sizeof(size_t));
    size_t *changes = (size_t *)(void *)sectors.data;
    for (size_t i = 0; i <= size / SECTOR_BYTES; i++)
        changes[i] = fate < 2 ? size_changes : changes_draw(disk, node);
    size = node->durable.length;
    for (size_t done = 0; done <= node->changes_count; done++) {
        if (done > 0)
            change_apply(node, &node->changes[done - 1]);
        if (done == size_changes)
            size = node->durable.length;
        for (size_t at = 0; at < node->durable.length; at += SECTOR_BYTES) {
            const size_t left = node->durable.length - at;
            if (changes[at / SECTOR_BYTES] == done)
                world_bytes_set(&result, at, node->durable.data + at,
                                left < SECTOR_BYTES ? left : SECTOR_BYTES);
        }
    }
    world_bytes_resize(&result, size);
    free(sectors.data);
    free(node->durable.data);
    node->durable = result;
    changes_settle(node, UINT64_MAX, false);
}

/* A change of an entry is lost, or an earlier one of the same name was. */
static bool entry_is_lost(const struct world_node *node, size_t before, const char *name,
                          const bool *lost)
{
    for (size_t i = 0; i < before; i++) {
        if (lost[i] && strcmp(node->changes[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Entries reach the device in any order, but for those of one name, and a rename as a whole. */
static void folder_power_loss(struct world_disk *disk, struct world_node *node)
{
    const uint64_t fate = rng_next(disk->rng) % 3; /* none, all, each drawn */
    bool *lost = world_allocate(NULL, node->changes_count * sizeof(*lost));
    size_t last;
    for (size_t first = 0; first < node->changes_count; first = last + 1) {
        last = first;
        while (node->changes[last].goes_on)
            last++;
        bool is_lost = fate == 0 || (fate == 2 && rng_next(disk->rng) % 2 == 0);
        for (size_t i = first; i <= last; i++)
            is_lost |= entry_is_lost(node, first, node->changes[i].name, lost);
        for (size_t i = first; i <= last; i++) {
            lost[i] = is_lost;
            if (!is_lost)
                change_apply(node, &node->changes[i]);
        }
    }
    free(lost);
    changes_settle(node, UINT64_MAX, false);
}

static void node_power_loss(struct world_disk *disk, struct world_node *node)
{
    if (node->changes_count == 0)
        return;
    if (node->is_folder)
        folder_power_loss(disk, node);
    else
        file_power_loss(disk, node);
}

void disk_power_loss(struct world_disk *disk)
{
    for (struct world_node *node = disk->nodes; node != NULL; node = node->next_of_all)
        node_power_loss(disk, node);
    disk->used_bytes = 0;
    for (struct world_node *node = disk->nodes; node != NULL; node = node->next_of_all) {
        node->visible.length = 0;
        world_bytes_set(&node->visible, 0, node->durable.data, node->durable.length);
        entries_copy(&node->visible_entries, &node->durable_entries);
        disk->used_bytes += node->visible.length;
    }
}

struct span world_file(const struct world *world, const char *path)
{
    const struct world_node *node = path_node(world_disk_of_const(world), 0, path);
    if (node == NULL || node->is_folder)
        return SPAN_NULL;
    return span_of(node->visible.data == NULL ? (const uint8_t *)"" : node->visible.data,
                   node->visible.length);
}

static struct world_node *node_put(struct world *world, const char *path, bool is_folder)
{
    struct world_disk *disk = world_disk_of(world);
    const char *name;
    struct world_node *folder = path_parent(disk, 0, path, &name);
    CHECK(folder != NULL);
    struct world_node *node = entries_get(&folder->visible_entries, name);
    if (node == NULL) {
        node = node_new(disk, is_folder);
        entries_set(&folder->visible_entries, name, node);
        entries_set(&folder->durable_entries, name, node);
    }
    return node;
}

void world_put_file(struct world *world, const char *path, struct span bytes)
{
    struct world_node *node = node_put(world, path, false);
    struct world_disk *disk = world_disk_of(world);
    changes_settle(node, UINT64_MAX, false);
    disk->used_bytes = disk->used_bytes - node->visible.length + bytes.length;
    /* `bytes` may be a part of the file as it is. */
    uint8_t *copy = world_allocate(NULL, bytes.length);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    world_bytes_resize(&node->visible, 0);
    world_bytes_resize(&node->durable, 0);
    world_bytes_set(&node->visible, 0, copy, bytes.length);
    world_bytes_set(&node->durable, 0, copy, bytes.length);
    free(copy);
}

void world_put_folder(struct world *world, const char *path)
{
    node_put(world, path, true);
}

void world_remove(struct world *world, const char *path)
{
    struct world_disk *disk = world_disk_of(world);
    const char *name;
    struct world_node *folder = path_parent(disk, 0, path, &name);
    struct world_node *node = path_node(disk, 0, path);
    CHECK(folder != NULL && node != NULL);
    remove_within(disk, node);
    entries_set(&folder->visible_entries, name, NULL);
    entries_set(&folder->durable_entries, name, NULL);
}

const char *world_name(const struct world *world, const char *path, uint32_t index)
{
    const struct world_node *folder = path_node(world_disk_of_const(world), 0, path);
    if (folder == NULL || index >= folder->visible_entries.count)
        return NULL;
    return folder->visible_entries.items[index].name;
}
