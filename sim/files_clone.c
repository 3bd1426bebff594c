/* SPDX-License-Identifier: Apache-2.0 */
/* A disk once more, to see what would become of it. */
#include <string.h>

#include "sim/file_node.h"
#include "sim/memory.h"

static struct file_node *clone_of(struct files *to, struct file_node *node);

static void clone_entries(struct files *files, struct entries *to, const struct entries *from)
{
    for (size_t i = 0; i < from->count; i++)
        entries_set(to, from->items[i].name, clone_of(files, from->items[i].node));
}

static void clone_change(struct files *files, struct file_node *to, const struct change *from)
{
    struct change *change = change_add(to);
    change->is_truncate = from->is_truncate;
    change->offset = from->offset;
    change->goes_on = from->goes_on;
    file_bytes_share(&change->data, &from->data);
    if (from->name == NULL)
        return;
    change->name = sim_text_copy(from->name, strlen(from->name));
    /* What it leads to may change `to` in turn, and with it where the change lies. */
    struct file_node *node = from->node == NULL ? NULL : clone_of(files, from->node);
    to->changes[to->changes_count - 1].node = node;
}

/* The copy of a node, made when it is first met: by an entry, or by a change of one. */
static struct file_node *clone_of(struct files *to, struct file_node *node)
{
    if (node->copy != NULL)
        return node->copy;
    struct file_node *copy = node_new(to, node->is_folder);
    node->copy = copy;
    file_bytes_share(&copy->visible, &node->visible);
    file_bytes_share(&copy->durable, &node->durable);
    clone_entries(to, &copy->visible_entries, &node->visible_entries);
    clone_entries(to, &copy->durable_entries, &node->durable_entries);
    for (size_t i = 0; i < node->changes_count; i++)
        clone_change(to, copy, &node->changes[i]);
    return copy;
}

void files_clone(struct files *to, const struct files *from, struct chance *rng)
{
    *to = (struct files){.rng = rng, .used_bytes = from->used_bytes, .capacity_bytes = UINT64_MAX};
    for (size_t i = 0; i < FILES_FOLDERS_MAX; i++)
        to->roots[i] = clone_of(to, from->roots[i]);
    for (struct file_node *node = from->nodes; node != NULL; node = node->next_of_all)
        node->copy = NULL;
}
