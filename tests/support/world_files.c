/* SPDX-License-Identifier: Apache-2.0 */
/* The world's files as a program beside the process sees them. */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "sim/file_node.h"
#include "sim/memory.h"
#include "tests/support/world_internal.h"

uint32_t world_open_files(const struct world *world)
{
    const struct files *files = world_files_of_const(world);
    uint32_t count = 0;
    for (size_t i = 0; i < files->handles_count; i++)
        count += files->handles[i].node != NULL && !files->handles[i].closed;
    return count;
}

const uint8_t *world_bytes(const struct world *world, uint64_t file, uint64_t offset, size_t length)
{
    return files_bytes(world_files_of_const(world), file, offset, length);
}

struct span world_file(const struct world *world, const char *path)
{
    const struct file_node *node = path_node(world_files_of_const(world), 0, path);
    if (node == NULL || node->is_folder)
        return SPAN_NULL;
    return span_of(node->visible.data == NULL ? (const uint8_t *)"" : node->visible.data,
                   node->visible.length);
}

static struct file_node *node_put(struct world *world, const char *path, bool is_folder)
{
    struct files *files = world_files_of(world);
    const char *name;
    struct file_node *folder = path_parent(files, 0, path, &name);
    CHECK(folder != NULL);
    struct file_node *node = entries_get(&folder->visible_entries, name);
    if (node == NULL) {
        node = node_new(files, is_folder);
        entries_set(&folder->visible_entries, name, node);
        entries_set(&folder->durable_entries, name, node);
    }
    return node;
}

void world_put_file(struct world *world, const char *path, struct span bytes)
{
    struct file_node *node = node_put(world, path, false);
    struct files *files = world_files_of(world);
    changes_settle(node, UINT64_MAX, false);
    files->used_bytes = files->used_bytes - node->visible.length + bytes.length;
    /* `bytes` may be a part of the file as it is. */
    uint8_t *copy = sim_allocate(NULL, bytes.length);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    file_bytes_resize(&node->visible, 0);
    file_bytes_resize(&node->durable, 0);
    file_bytes_set(&node->visible, 0, copy, bytes.length);
    file_bytes_set(&node->durable, 0, copy, bytes.length);
    free(copy);
}

void world_put_folder(struct world *world, const char *path)
{
    node_put(world, path, true);
}

void world_remove(struct world *world, const char *path)
{
    struct files *files = world_files_of(world);
    const char *name;
    struct file_node *folder = path_parent(files, 0, path, &name);
    struct file_node *node = path_node(files, 0, path);
    CHECK(folder != NULL && node != NULL);
    files_remove_within(files, node);
    entries_set(&folder->visible_entries, name, NULL);
    entries_set(&folder->durable_entries, name, NULL);
}

const char *world_name(const struct world *world, const char *path, uint32_t index)
{
    const struct file_node *folder = path_node(world_files_of_const(world), 0, path);
    if (folder == NULL || index >= folder->visible_entries.count)
        return NULL;
    return folder->visible_entries.items[index].name;
}
