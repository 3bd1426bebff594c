/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/file_node.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/wire/error.h"
#include "sim/memory.h"

/* What file_bytes point into. */
struct buffer {
    size_t owners;
    max_align_t data[];
};

static struct buffer *buffer_of(const struct file_bytes *bytes)
{
    return container_of((void *)bytes->data, struct buffer, data);
}

void file_bytes_free(struct file_bytes *bytes)
{
    if (bytes->data != NULL && --buffer_of(bytes)->owners == 0)
        free(buffer_of(bytes));
    *bytes = (struct file_bytes){NULL, 0, 0};
}

void file_bytes_share(struct file_bytes *to, const struct file_bytes *from)
{
    const struct file_bytes bytes = *from;
    if (bytes.data != NULL)
        buffer_of(&bytes)->owners++;
    file_bytes_free(to);
    *to = bytes;
}

static bool is_shared(const struct file_bytes *bytes)
{
    return bytes->data != NULL && buffer_of(bytes)->owners > 1;
}

/* Memory of the bytes' own, with room for `capacity` of them. */
static void reserve(struct file_bytes *bytes, size_t capacity)
{
    struct buffer *former = bytes->data == NULL ? NULL : buffer_of(bytes);
    const bool copies = is_shared(bytes);
    struct buffer *buffer = sim_allocate(copies ? NULL : former, sizeof(struct buffer) + capacity);
    if (copies) {
        memcpy(buffer->data, bytes->data, bytes->length);
        former->owners--;
    }
    buffer->owners = 1;
    bytes->data = (uint8_t *)buffer->data;
    bytes->capacity = capacity;
}

void file_bytes_own(struct file_bytes *bytes)
{
    if (is_shared(bytes))
        reserve(bytes, bytes->length);
}

void file_bytes_resize(struct file_bytes *bytes, size_t length)
{
    if (length > bytes->length) {
        if (length > bytes->capacity || is_shared(bytes))
            reserve(bytes, length * 2);
        memset(bytes->data + bytes->length, 0, length - bytes->length);
    }
    bytes->length = length;
}

void file_bytes_set(struct file_bytes *bytes, size_t offset, const void *data, size_t length)
{
    if (offset + length > bytes->length)
        file_bytes_resize(bytes, offset + length);
    if (length == 0)
        return;
    file_bytes_own(bytes);
    memcpy(bytes->data + offset, data, length);
}

/* Where `name` is or would be among the entries. */
static size_t entries_place(const struct entries *entries, const char *name, bool *ret_found)
{
    size_t low = 0;
    size_t high = entries->count;
    *ret_found = false;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(entries->items[middle].name, name);
        *ret_found = *ret_found || order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct file_node *entries_get(const struct entries *entries, const char *name)
{
    bool found;
    const size_t place = entries_place(entries, name, &found);
    return found ? entries->items[place].node : NULL;
}

void entries_set(struct entries *entries, const char *name, struct file_node *node)
{
    bool found;
    const size_t place = entries_place(entries, name, &found);
    struct entry *at = entries->items == NULL ? NULL : &entries->items[place];
    if (found && node != NULL) {
        at->node = node;
    } else if (found) {
        free(at->name);
        entries->count--;
        memmove(at, at + 1, (entries->count - place) * sizeof(*at));
    } else if (node != NULL) {
        entries->items =
            sim_allocate(entries->items, (entries->count + 1) * sizeof(*entries->items));
        at = &entries->items[place];
        memmove(at + 1, at, (entries->count - place) * sizeof(*at));
        *at = (struct entry){.name = sim_text_copy(name, strlen(name)), .node = node};
        entries->count++;
    }
}

void entries_clear(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].name);
    free(entries->items);
    *entries = (struct entries){NULL, 0};
}

void entries_copy(struct entries *to, const struct entries *from)
{
    entries_clear(to);
    for (size_t i = 0; i < from->count; i++)
        entries_set(to, from->items[i].name, from->items[i].node);
}

struct file_node *node_new(struct files *files, bool is_folder)
{
    struct file_node *node = sim_allocate(NULL, sizeof(*node));
    *node = (struct file_node){.next_of_all = files->nodes, .is_folder = is_folder};
    files->nodes = node;
    files->nodes_count++;
    return node;
}

struct change *change_add(struct file_node *node)
{
    if (node->changes_count == node->changes_capacity) {
        node->changes_capacity = node->changes_capacity * 2 + 4;
        node->changes =
            sim_allocate(node->changes, node->changes_capacity * sizeof(*node->changes));
    }
    struct change *change = &node->changes[node->changes_count++];
    *change = (struct change){.sequence = ++node->sequence};
    return change;
}

static void change_free(struct change *change)
{
    file_bytes_free(&change->data);
    free(change->name);
}

void change_apply(struct file_node *node, const struct change *change)
{
    if (change->name != NULL)
        entries_set(&node->durable_entries, change->name, change->node);
    else if (change->is_truncate)
        file_bytes_resize(&node->durable, change->offset);
    else
        file_bytes_set(&node->durable, change->offset, change->data.data, change->data.length);
}

void changes_settle(struct file_node *node, uint64_t covers, bool durable)
{
    size_t kept = 0;
    for (size_t i = 0; i < node->changes_count; i++) {
        if (node->changes[i].sequence > covers) {
            node->changes[kept++] = node->changes[i];
            continue;
        }
        if (durable)
            change_apply(node, &node->changes[i]);
        change_free(&node->changes[i]);
    }
    node->changes_count = kept;
}

void changes_lose_bytes(struct file_node *node, uint64_t covers)
{
    size_t kept = 0;
    for (size_t i = 0; i < node->changes_count; i++) {
        if (node->changes[i].sequence > covers || node->changes[i].is_truncate)
            node->changes[kept++] = node->changes[i];
        else
            change_free(&node->changes[i]);
    }
    node->changes_count = kept;
}

void folder_share(struct file_node *folder)
{
    for (size_t i = 0; i < folder->visible_entries.count; i++) {
        struct file_node *node = folder->visible_entries.items[i].node;
        struct file_bytes *visible = &node->visible;
        const struct file_bytes *durable = &node->durable;
        if (node->changes_count == 0 && visible->data != durable->data &&
            visible->length == durable->length &&
            (visible->length == 0 || memcmp(visible->data, durable->data, visible->length) == 0)) {
            reserve(visible, visible->length);
            file_bytes_share(&node->durable, visible);
        }
    }
}

void entry_change(struct file_node *folder, const char *name, struct file_node *node, bool goes_on)
{
    struct change *change = change_add(folder);
    change->name = sim_text_copy(name, strlen(name));
    change->node = node;
    change->goes_on = goes_on;
    entries_set(&folder->visible_entries, name, node);
}

int place_find(const struct files *files, uint32_t root, const char *path, struct place *ret_place)
{
    CHECK(root < FILES_FOLDERS_MAX);
    struct file_node *folder = files->roots[root];
    const char *slash;
    while ((slash = strchr(path, '/')) != NULL) {
        char *name = sim_text_copy(path, (size_t)(slash - path));
        folder = entries_get(&folder->visible_entries, name);
        free(name);
        if (folder == NULL || !folder->is_folder)
            return folder == NULL ? ERR_NOT_FOUND : ERR_IO;
        path = slash + 1;
    }
    if (strlen(path) > NAME_MAX) /* as file systems have it */
        return ERR_IO;
    struct file_node *node = path[0] == '\0' ? folder : entries_get(&folder->visible_entries, path);
    *ret_place = (struct place){.folder = folder, .name = path, .node = node};
    return ERR_NONE;
}

struct file_node *path_parent(const struct files *files, uint32_t root, const char *path,
                              const char **ret_name)
{
    struct place place;
    if (place_find(files, root, path, &place) != ERR_NONE)
        return NULL;
    *ret_name = place.name;
    return place.folder;
}

struct file_node *path_node(const struct files *files, uint32_t root, const char *path)
{
    struct place place;
    return place_find(files, root, path, &place) == ERR_NONE ? place.node : NULL;
}

void node_let_go(struct file_node *node)
{
    changes_settle(node, UINT64_MAX, false);
    free(node->changes);
    file_bytes_free(&node->visible);
    file_bytes_free(&node->durable);
    entries_clear(&node->visible_entries);
    entries_clear(&node->durable_entries);
    free(node);
}

void nodes_free(struct files *files)
{
    while (files->nodes != NULL) {
        struct file_node *node = files->nodes;
        files->nodes = node->next_of_all;
        node_let_go(node);
    }
}
