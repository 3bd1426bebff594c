/* SPDX-License-Identifier: Apache-2.0 */
/* Letting go of files that nobody can come to any more: a world of hours makes and removes many. */
#include "sim/file_node.h"

/* So many more than there were after the last time are worth another. */
#define SWEEP_NODES_LEAST 64

static void reach(struct file_node *node);

static void reach_entries(const struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        reach(entries->items[i].node);
}

static void reach(struct file_node *node)
{
    if (node->reached)
        return;
    node->reached = true;
    reach_entries(&node->visible_entries);
    reach_entries(&node->durable_entries);
    for (size_t i = 0; i < node->changes_count; i++) {
        if (node->changes[i].node != NULL)
            reach(node->changes[i].node);
    }
}

/* A file that was closed stays with its number for those effects that were asked for before. */
static void reach_open(struct files *files)
{
    for (size_t i = 0; i < files->handles_count; i++) {
        struct file_handle *handle = &files->handles[i];
        if (handle->closed && handle->effects == 0)
            handle->node = NULL;
        if (handle->node != NULL)
            reach(handle->node);
    }
}

static void let_go(struct files *files)
{
    struct file_node **place = &files->nodes;
    files->nodes_count = 0;
    while (*place != NULL) {
        struct file_node *node = *place;
        if (node->reached) {
            node->reached = false;
            files->nodes_count++;
            place = &node->next_of_all;
        } else {
            *place = node->next_of_all;
            node_let_go(node);
        }
    }
}

void files_sweep(struct files *files)
{
    for (size_t i = 0; i < FILES_FOLDERS_MAX; i++)
        reach(files->roots[i]);
    reach_open(files);
    let_go(files);
    files->nodes_swept = files->nodes_count;
}

void files_sweep_perhaps(struct files *files)
{
    if (files->nodes_count >= 2 * files->nodes_swept + SWEEP_NODES_LEAST)
        files_sweep(files);
}
