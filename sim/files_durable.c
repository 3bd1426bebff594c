/* SPDX-License-Identifier: Apache-2.0 */
/* What is sure to be left of files and folders. */
#include <string.h>

#include "core/base/check.h"
#include "sim/file_node.h"

#define NAME_BYTES_MAX 512

const struct file_node *files_durable(const struct files *files, uint32_t folder, const char *path)
{
    CHECK(folder < FILES_FOLDERS_MAX);
    const struct file_node *node = files->roots[folder];
    while (node != NULL && path[0] != '\0') {
        char name[NAME_BYTES_MAX];
        const size_t length = strcspn(path, "/");
        if (!node->is_folder || length >= sizeof(name))
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        node = entries_get(&node->durable_entries, name);
        path += length + (path[length] == '/' ? 1 : 0);
    }
    return node;
}
