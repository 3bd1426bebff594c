/* SPDX-License-Identifier: Apache-2.0 */
/* What a power loss leaves of files and folders. */
#include <stdlib.h>
#include <string.h>

#include "sim/file_node.h"
#include "sim/files.h"
#include "sim/memory.h"

#define SECTOR_BYTES 512

/* Keeps all changes, none, or only the first ones. */
static size_t changes_draw(struct files *files, const struct file_node *node)
{
    const uint64_t drawn = chance_below(files->rng, 4);
    if (drawn < 2)
        return drawn == 0 ? 0 : node->changes_count;
    return chance_below(files->rng, node->changes_count + 1);
}

/* Every sector, and the size, is as it was after one of the changes: the device gets whole sectors,
 * in any order, as they are when their turn comes. */
static void file_power_loss(struct files *files, struct file_node *node)
{
    struct file_bytes sectors = {0}; /* each one's number of changes */
    struct file_bytes result = {0};
    const uint64_t fate = chance_below(files->rng, 4); /* all lost, all kept, drawn by sector */
    const size_t size_changes = fate == 0   ? 0
                                : fate == 1 ? node->changes_count
                                            : changes_draw(files, node);
    size_t size = node->durable.length;
    for (size_t i = 0; i < node->changes_count; i++)
        size += node->changes[i].data.length + node->changes[i].offset;
    file_bytes_resize(&sectors, (size / SECTOR_BYTES + 1) * sizeof(size_t));
    size_t *changes = (size_t *)(void *)sectors.data;
    for (size_t i = 0; i <= size / SECTOR_BYTES; i++)
        changes[i] = fate < 2 ? size_changes : changes_draw(files, node);
    size = node->durable.length;
    for (size_t done = 0; done <= node->changes_count; done++) {
        if (done > 0)
            change_apply(node, &node->changes[done - 1]);
        if (done == size_changes)
            size = node->durable.length;
        for (size_t at = 0; at < node->durable.length; at += SECTOR_BYTES) {
            const size_t left = node->durable.length - at;
            if (changes[at / SECTOR_BYTES] == done)
                file_bytes_set(&result, at, node->durable.data + at,
                               left < SECTOR_BYTES ? left : SECTOR_BYTES);
        }
    }
    file_bytes_resize(&result, size);
    file_bytes_free(&sectors);
    file_bytes_free(&node->durable);
    node->durable = result;
    changes_settle(node, UINT64_MAX, false);
}

/* A change of an entry is lost, or an earlier one of the same name was. */
static bool entry_is_lost(const struct file_node *node, size_t before, const char *name,
                          const bool *lost)
{
    for (size_t i = 0; i < before; i++) {
        if (lost[i] && strcmp(node->changes[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Entries reach the device in any order, but for those of one name, and a rename as a whole. */
static void folder_power_loss(struct files *files, struct file_node *node)
{
    const uint64_t fate = chance_below(files->rng, 3); /* none, all, each drawn */
    bool *lost = sim_allocate(NULL, node->changes_count * sizeof(*lost));
    size_t last;
    for (size_t first = 0; first < node->changes_count; first = last + 1) {
        last = first;
        while (node->changes[last].goes_on)
            last++;
        bool is_lost = fate == 0 || (fate == 2 && chance_one_in(files->rng, 2));
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

static void node_power_loss(struct files *files, struct file_node *node)
{
    if (node->changes_count == 0)
        return;
    if (node->is_folder)
        folder_power_loss(files, node);
    else
        file_power_loss(files, node);
}

void files_power_loss(struct files *files)
{
    for (struct file_node *node = files->nodes; node != NULL; node = node->next_of_all)
        node_power_loss(files, node);
    for (struct file_node *node = files->nodes; node != NULL; node = node->next_of_all) {
        file_bytes_share(&node->visible, &node->durable);
        entries_copy(&node->visible_entries, &node->durable_entries);
    }
    files_sweep(files);
    files->used_bytes = 0;
    for (const struct file_node *node = files->nodes; node != NULL; node = node->next_of_all)
        files->used_bytes += node->visible.length;
}

bool files_are_dirty(const struct files *files)
{
    for (const struct file_node *node = files->nodes; node != NULL; node = node->next_of_all) {
        if (node->changes_count > 0)
            return true;
    }
    return false;
}
