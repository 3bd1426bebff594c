/* SPDX-License-Identifier: Apache-2.0 */
/* Bits that flip at rest. */
#include <string.h>

#include "sim/chance.h"
#include "sim/file_node.h"
#include "sim/files.h"

static bool name_rots(const char *name)
{
    static const char *const ends[] = {".log", ".index", ".timeindex", ".snapshot"};
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end != NULL && i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strcmp(end, ends[i]) == 0)
            return true;
    }
    return false;
}

/* Counts the files below a folder that may rot; the one with number `wanted` is returned. */
static struct file_node *find(const struct file_node *folder, uint64_t wanted, uint64_t *count)
{
    for (size_t i = 0; i < folder->durable_entries.count; i++) {
        const struct entry *entry = &folder->durable_entries.items[i];
        struct file_node *found = NULL;
        if (entry->node->is_folder)
            found = find(entry->node, wanted, count);
        else if (name_rots(entry->name) && entry->node->durable.length > 0 &&
                 entry->node->changes_count == 0 && (*count)++ == wanted)
            found = entry->node;
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool files_rot(struct files *files)
{
    uint64_t count = 0;
    for (size_t i = 0; i < FILES_FOLDERS_MAX; i++)
        find(files->roots[i], UINT64_MAX, &count);
    if (count == 0)
        return false;
    const uint64_t wanted = chance_below(files->rng, count);
    struct file_node *node = NULL;
    count = 0;
    for (size_t i = 0; node == NULL; i++)
        node = find(files->roots[i], wanted, &count);
    const uint64_t bit = chance_below(files->rng, node->durable.length * 8);
    node->durable.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    node->visible.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return true;
}
