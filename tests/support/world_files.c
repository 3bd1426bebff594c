/* SPDX-License-Identifier: Apache-2.0 */
/* The world's files as a program beside the process sees them. */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "sim/file_node.h"
#include "tests/support/beside.h"
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
    return beside_file(world_files_of_const(world), path);
}

void world_put_file(struct world *world, const char *path, struct span bytes)
{
    beside_put_file(world_files_of(world), path, bytes);
}

void world_put_file_in(struct world *world, uint32_t data_folder, const char *path,
                       struct span bytes)
{
    beside_put_file_in(world_files_of(world), data_folder, path, bytes);
}

void world_flip(struct world *world, uint32_t data_folder, const char *path, size_t at,
                uint8_t bits)
{
    struct file_node *node = path_node(world_files_of(world), data_folder, path);
    CHECK(node != NULL && at < node->durable.length);
    file_bytes_own(&node->visible);
    file_bytes_own(&node->durable);
    node->visible.data[at] ^= bits;
    node->durable.data[at] ^= bits;
}

void world_put_folder(struct world *world, const char *path)
{
    beside_put_folder(world_files_of(world), path);
}

void world_remove(struct world *world, const char *path)
{
    world_remove_in(world, 0, path);
}

void world_remove_in(struct world *world, uint32_t data_folder, const char *path)
{
    struct files *files = world_files_of(world);
    const char *name;
    struct file_node *folder = path_parent(files, data_folder, path, &name);
    struct file_node *node = path_node(files, data_folder, path);
    CHECK(folder != NULL && node != NULL);
    files_remove_within(files, node);
    entries_set(&folder->durable_entries, name, NULL);
    entries_set(&folder->visible_entries, name, NULL); /* last: the name may be from there */
}

const char *world_name(const struct world *world, const char *path, uint32_t index)
{
    const struct file_node *folder = path_node(world_files_of_const(world), 0, path);
    if (folder == NULL || index >= folder->visible_entries.count)
        return NULL;
    return folder->visible_entries.items[index].name;
}
