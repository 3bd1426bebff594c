/* SPDX-License-Identifier: Apache-2.0 */
/* What is on a disk before any process of ours ran on it. */
#include "core/base/check.h"
#include "sim/file_node.h"

void files_put(struct files *files, uint32_t folder, const char *name, struct span bytes)
{
    struct file_node *root = files->roots[folder];
    CHECK(entries_get(&root->visible_entries, name) == NULL);
    struct file_node *node = node_new(files, false);
    entries_set(&root->visible_entries, name, node);
    entries_set(&root->durable_entries, name, node);
    file_bytes_set(&node->visible, 0, bytes.data, bytes.length);
    file_bytes_set(&node->durable, 0, bytes.data, bytes.length);
    files->used_bytes += bytes.length;
}
