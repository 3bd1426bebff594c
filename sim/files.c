/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/files.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/file_node.h"
#include "sim/memory.h"

static char *span_text_copy(struct span span)
{
    CHECK(memchr(span.data == NULL ? (const void *)"" : span.data, '\0', span.length) == NULL);
    return sim_text_copy((const char *)span.data, span.length);
}

void files_init(struct files *files, struct chance *rng)
{
    *files = (struct files){.rng = rng, .capacity_bytes = UINT64_MAX};
    for (size_t i = 0; i < FILES_FOLDERS_MAX; i++)
        files->roots[i] = node_new(files, true);
}

void files_free(struct files *files)
{
    nodes_free(files);
    files_process_ended(files);
    free(files->handles);
}

/* Numbers are given out in their order, so that they lie in it. */
static struct file_handle *handle_find(const struct files *files, uint64_t file)
{
    size_t low = 0;
    size_t high = files->handles_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (files->handles[middle].file < file)
            low = middle + 1;
        else
            high = middle;
    }
    CHECK(low < files->handles_count && files->handles[low].file == file);
    return &files->handles[low];
}

static struct file_handle *handle_open(const struct files *files, uint64_t file)
{
    struct file_handle *handle = handle_find(files, file);
    CHECK(handle->node != NULL);
    return handle;
}

const uint8_t *files_bytes(const struct files *files, uint64_t file, uint64_t offset, size_t length)
{
    const struct file_handle *handle = handle_open(files, file);
    CHECK(!handle->closed);
    if (offset + length > handle->node->visible.length)
        return NULL;
    return handle->node->visible.data + offset;
}

bool files_serve(enum effect_kind kind)
{
    return kind >= EFFECT_OPEN && kind <= EFFECT_SYNC_FOLDER;
}

/* An effect on a file that was opened before. */
static bool is_of_file(enum effect_kind kind)
{
    return kind > EFFECT_OPEN && kind < EFFECT_LIST;
}

static void file_named(struct files *files, uint64_t file, struct span path)
{
    CHECK(files->handles_count == 0 || files->handles[files->handles_count - 1].file < file);
    if (files->handles_count == files->handles_capacity) {
        files->handles_capacity = files->handles_capacity * 2 + 8;
        files->handles =
            sim_allocate(files->handles, files->handles_capacity * sizeof(*files->handles));
    }
    files->handles[files->handles_count++] = (struct file_handle){
        .file = file, .path = sim_text_copy((const char *)path.data, path.length)};
}

static uint64_t effect_file(const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_READ:
        return effect->read.file;
    case EFFECT_WRITE:
        return effect->write.file;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        return effect->range.file;
    default:
        return effect->file; /* CLOSE_FILE, SYNC */
    }
}

struct span files_path(const struct files *files, const struct effect *effect)
{
    if (effect->kind == EFFECT_OPEN)
        return effect->open.path;
    if (effect->kind >= EFFECT_LIST && effect->kind <= EFFECT_SYNC_FOLDER)
        return effect->path.path;
    return span_text(handle_find(files, effect_file(effect))->path);
}

uint64_t files_sequence(const struct files *files, const struct effect *effect)
{
    return handle_open(files, effect_file(effect))->node->sequence;
}

uint64_t files_submitted(struct files *files, const struct effect *effect)
{
    const struct file_node *node = NULL;
    if (is_of_file(effect->kind)) {
        struct file_handle *handle = handle_open(files, effect_file(effect));
        CHECK(!handle->closing);
        handle->effects++;
        handle->closing = effect->kind == EFFECT_CLOSE_FILE;
    }
    if (effect->kind == EFFECT_OPEN) {
        file_named(files, effect->open.file, effect->open.path);
    } else if (effect->kind == EFFECT_SYNC) {
        node = handle_open(files, effect->file)->node;
    } else if (effect->kind == EFFECT_SYNC_FOLDER) {
        char *path = span_text_copy(effect->path.path);
        node = path_node(files, effect->path.folder, path);
        free(path);
    } else if (effect->kind == EFFECT_READ) {
        /* What was in the buffer before must not be taken for the file's bytes. */
        memset(effect->read.data, 0xa5, effect->read.length);
    }
    return node == NULL ? 0 : node->sequence;
}

static int open_carry_out(struct files *files, const struct effect *effect, const char *path,
                          uint64_t *ret_size)
{
    struct place place;
    const int error = place_find(files, effect->open.folder, path, &place);
    if (error != ERR_NONE)
        return error;
    struct file_node *node = place.node;
    const bool creates = effect->open.mode == OPEN_CREATE || effect->open.mode == OPEN_CREATE_NEW;
    if (node != NULL && effect->open.mode == OPEN_CREATE_NEW)
        return ERR_EXISTS;
    if (node != NULL && node->is_folder)
        return ERR_IO;
    if (node == NULL && !creates)
        return ERR_NOT_FOUND;
    if (node == NULL) {
        /* A log that begins a file has done with those before. */
        folder_share(place.folder);
        files_sweep_perhaps(files);
        node = node_new(files, false);
        entry_change(place.folder, place.name, node, false);
    }
    struct file_handle *handle = handle_find(files, effect->open.file);
    CHECK(handle->node == NULL);
    handle->node = node;
    handle->writes = effect->open.mode != OPEN_READ;
    *ret_size = node->visible.length;
    return ERR_NONE;
}

/* The node stays with the number for those effects that were asked for before. */
static void close_carry_out(struct files *files, uint64_t file)
{
    handle_open(files, file)->closed = true;
}

static int read_carry_out(struct files *files, const struct effect *effect, uint64_t *ret_count)
{
    const struct file_handle *handle = handle_open(files, effect->read.file);
    const struct file_bytes *bytes = &handle->node->visible;
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

static int write_carry_out(struct files *files, const struct effect *effect, int error,
                           uint64_t bytes_max, uint64_t *ret_count)
{
    const struct file_handle *handle = handle_open(files, effect->write.file);
    CHECK(handle->writes);
    struct file_node *node = handle->node;
    uint64_t offset = effect->write.offset;
    for (uint32_t i = 0; i < effect->write.pieces_count; i++) {
        const struct piece *piece = &effect->write.pieces[i];
        CHECK(piece->data != NULL || piece->length == 0);
        size_t length = piece->length;
        const uint64_t grows =
            offset + length > node->visible.length ? offset + length - node->visible.length : 0;
        if (error != ERR_NONE && length > bytes_max - *ret_count)
            length = (size_t)(bytes_max - *ret_count);
        else if (files->used_bytes + grows > files->capacity_bytes) {
            const uint64_t lacking = files->used_bytes + grows - files->capacity_bytes;
            length = lacking >= length ? 0 : length - (size_t)lacking;
            error = ERR_NO_SPACE;
        }
        if (length > 0) {
            struct change *change = change_add(node);
            change->offset = offset;
            file_bytes_set(&change->data, 0, piece->data, length);
            const size_t before = node->visible.length;
            file_bytes_set(&node->visible, offset, piece->data, length);
            files->used_bytes += node->visible.length - before;
        }
        offset += length;
        *ret_count += length;
        if (length < piece->length)
            return error;
    }
    return error;
}

static int range_carry_out(struct files *files, const struct effect *effect)
{
    const struct file_handle *handle = handle_open(files, effect->range.file);
    CHECK(handle->writes);
    struct file_node *node = handle->node;
    if (effect->kind == EFFECT_RESERVE) {
        const uint64_t end = effect->range.offset + effect->range.length;
        const uint64_t more = end > node->visible.length ? end - node->visible.length : 0;
        return more > files->capacity_bytes - files->used_bytes ? ERR_NO_SPACE : ERR_NONE;
    }
    struct change *change = change_add(node);
    change->is_truncate = true;
    change->offset = effect->range.offset;
    files->used_bytes -= node->visible.length;
    file_bytes_resize(&node->visible, effect->range.offset);
    files->used_bytes += node->visible.length;
    return ERR_NONE;
}

static int list_carry_out(const struct file_node *folder, struct completion *completion)
{
    if (!folder->is_folder)
        return ERR_IO;
    const struct entries *entries = &folder->visible_entries;
    size_t bytes = entries->count * sizeof(struct folder_entry);
    for (size_t i = 0; i < entries->count; i++)
        bytes += strlen(entries->items[i].name);
    struct folder_entry *listed = sim_allocate(NULL, bytes);
    char *name = (char *)(listed + entries->count);
    for (size_t i = 0; i < entries->count; i++) {
        const struct file_node *node = entries->items[i].node;
        const size_t length = strlen(entries->items[i].name);
        memcpy(name, entries->items[i].name, length);
        listed[i] = (struct folder_entry){.name = span_of(name, length),
                                          .size_bytes = node->visible.length,
                                          .is_folder = node->is_folder};
        name += length;
    }
    completion->entries = listed;
    completion->entries_count = (uint32_t)entries->count;
    return ERR_NONE;
}

/* As rename(2): a file takes the place of a file, a folder that of an empty one. */
static int rename_carry_out(struct files *files, const struct place *from, const struct place *to)
{
    const struct file_node *there = to->node;
    if (from->node == there)
        return ERR_NONE;
    if (there != NULL && there->is_folder != from->node->is_folder)
        return ERR_IO;
    if (there != NULL && there->visible_entries.count > 0)
        return ERR_EXISTS;
    if (there != NULL)
        files->used_bytes -= there->visible.length;
    entry_change(to->folder, to->name, from->node, from->folder == to->folder);
    entry_change(from->folder, from->name, NULL, false);
    return ERR_NONE;
}

static int rename_find(struct files *files, const struct effect *effect, const struct place *from,
                       const char *path)
{
    char *path_to = span_text_copy(effect->path.path_to);
    struct place to;
    const size_t length = strlen(path);
    int error = place_find(files, effect->path.folder, path_to, &to);
    /* A folder never gets into itself. */
    if (strncmp(path_to, path, length) == 0 && path_to[length] == '/')
        error = ERR_IO;
    if (error == ERR_NONE)
        error = rename_carry_out(files, from, &to);
    free(path_to);
    return error;
}

void files_remove_within(struct files *files, struct file_node *node)
{
    files->used_bytes -= node->visible.length;
    while (node->visible_entries.count > 0) {
        const struct entry *last = &node->visible_entries.items[node->visible_entries.count - 1];
        files_remove_within(files, last->node);
        entry_change(node, last->name, NULL, false);
    }
}

static int make_folder_carry_out(struct files *files, const struct place *place)
{
    if (place->node != NULL)
        return ERR_EXISTS;
    entry_change(place->folder, place->name, node_new(files, true), false);
    return ERR_NONE;
}

/* The data folder itself stays. */
static int remove_carry_out(struct files *files, const struct place *place)
{
    if (place->node == place->folder)
        return ERR_IO;
    files_remove_within(files, place->node);
    entry_change(place->folder, place->name, NULL, false);
    return ERR_NONE;
}

static int sync_folder_carry_out(struct file_node *folder, uint64_t covers)
{
    if (!folder->is_folder)
        return ERR_IO;
    changes_settle(folder, covers, true);
    return ERR_NONE;
}

static int place_carry_out(struct files *files, const struct effect *effect, const char *path,
                           uint64_t covers, struct completion *completion)
{
    struct place place;
    const int error = place_find(files, effect->path.folder, path, &place);
    if (error != ERR_NONE)
        return error;
    if (effect->kind == EFFECT_MAKE_FOLDER)
        return make_folder_carry_out(files, &place);
    if (place.node == NULL)
        return ERR_NOT_FOUND;
    if (effect->kind == EFFECT_LIST)
        return list_carry_out(place.node, completion);
    if (effect->kind == EFFECT_RENAME)
        return rename_find(files, effect, &place, path);
    return effect->kind == EFFECT_REMOVE ? remove_carry_out(files, &place)
                                         : sync_folder_carry_out(place.node, covers);
}

static int path_carry_out(struct files *files, const struct effect *effect, uint64_t covers,
                          struct completion *completion)
{
    char *path = span_text_copy(effect->path.path);
    const int error = place_carry_out(files, effect, path, covers, completion);
    free(path);
    return error;
}

static int sync_failed(struct files *files, const struct effect *effect, uint64_t covers, int error)
{
    /* The kernel marks the pages clean: a later sync succeeds and yet they are not on the disk. */
    if (effect->kind == EFFECT_SYNC)
        changes_lose_bytes(handle_open(files, effect->file)->node, covers);
    return error;
}

void files_carry_out(struct files *files, const struct effect *effect, uint64_t covers, int error,
                     uint64_t bytes_max, struct completion *completion)
{
    if (is_of_file(effect->kind))
        handle_open(files, effect_file(effect))->effects--;
    if (effect->kind == EFFECT_WRITE) {
        completion->error = write_carry_out(files, effect, error, bytes_max, &completion->count);
        return;
    }
    if (error != ERR_NONE) {
        completion->error = sync_failed(files, effect, covers, error);
        return;
    }
    switch (effect->kind) {
    case EFFECT_OPEN: {
        char *path = span_text_copy(effect->open.path);
        completion->error = open_carry_out(files, effect, path, &completion->count);
        free(path);
        break;
    }
    case EFFECT_CLOSE_FILE:
        close_carry_out(files, effect->file);
        break;
    case EFFECT_READ:
        completion->error = read_carry_out(files, effect, &completion->count);
        break;
    case EFFECT_SYNC:
        changes_settle(handle_open(files, effect->file)->node, covers, true);
        break;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        completion->error = range_carry_out(files, effect);
        break;
    default:
        completion->error = path_carry_out(files, effect, covers, completion);
        break;
    }
}

void files_process_ended(struct files *files)
{
    for (size_t i = 0; i < files->handles_count; i++)
        free(files->handles[i].path);
    files->handles_count = 0;
}
