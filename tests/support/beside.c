/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/beside.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "sim/file_node.h"
#include "sim/memory.h"

struct span beside_file(const struct files *files, const char *path)
{
    const struct file_node *node = path_node(files, 0, path);
    if (node == NULL || node->is_folder)
        return SPAN_NULL;
    return span_of(node->visible.data == NULL ? (const uint8_t *)"" : node->visible.data,
                   node->visible.length);
}

static struct file_node *node_put(struct files *files, uint32_t data_folder, const char *path,
                                  bool is_folder)
{
    const char *name;
    struct file_node *folder = path_parent(files, data_folder, path, &name);
    CHECK(folder != NULL);
    struct file_node *node = entries_get(&folder->visible_entries, name);
    if (node == NULL) {
        node = node_new(files, is_folder);
        entries_set(&folder->visible_entries, name, node);
        entries_set(&folder->durable_entries, name, node);
    }
    return node;
}

void beside_put_file(struct files *files, const char *path, struct span bytes)
{
    beside_put_file_in(files, 0, path, bytes);
}

void beside_put_file_in(struct files *files, uint32_t data_folder, const char *path,
                        struct span bytes)
{
    struct file_node *node = node_put(files, data_folder, path, false);
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

void beside_put_folder(struct files *files, const char *path)
{
    node_put(files, 0, path, true);
}
