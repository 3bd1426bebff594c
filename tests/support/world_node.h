/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and folders of the world, each with what is visible and with what is durable. Between the
 * two lie changes in the order in which they were made; a sync moves them over, a power loss draws
 * which of them are kept.
 */
#ifndef TESTS_SUPPORT_WORLD_NODE_H
#define TESTS_SUPPORT_WORLD_NODE_H

#include "tests/support/world_internal.h"

struct change {
    uint64_t sequence;
    bool is_truncate; /* of a file: to `offset` */
    uint64_t offset;
    struct world_bytes data;
    char *name;              /* of a folder: this entry … */
    struct world_node *node; /* … becomes that one; NULL: goes */
    bool goes_on;            /* the next change belongs to this one (the two halves of a rename) */
};

struct entry {
    char *name;
    struct world_node *node;
};

struct entries {
    struct entry *items; /* by name */
    size_t count;
};

struct world_node {
    struct world_node *next_of_all;
    bool is_folder;
    struct world_bytes visible;
    struct world_bytes durable;
    struct entries visible_entries;
    struct entries durable_entries;
    struct change *changes;
    size_t changes_count;
    size_t changes_capacity;
    uint64_t sequence;
};

char *world_text_copy(const char *text, size_t length);

struct world_node *entries_get(const struct entries *entries, const char *name);
void entries_set(struct entries *entries, const char *name,
                 struct world_node *node); /* NULL: out */
void entries_clear(struct entries *entries);
void entries_copy(struct entries *to, const struct entries *from);

struct world_node *node_new(struct world_disk *disk, bool is_folder);
void nodes_free(struct world_disk *disk);

/* A change that is visible now and durable later; the caller makes it visible. */
struct change *change_add(struct world_node *node);
void change_apply(struct world_node *node, const struct change *change);

/* Forgets the changes up to `covers`, after they became durable or were lost. */
void changes_settle(struct world_node *node, uint64_t covers, bool durable);

/* Makes `name` in a folder be `node` (NULL: gone). */
void entry_change(struct world_node *folder, const char *name, struct world_node *node,
                  bool goes_on);

/* The folder that holds the last part of `path`, and that part; NULL without such a folder. */
struct world_node *path_parent(const struct world_disk *disk, uint32_t root, const char *path,
                               const char **ret_name);
struct world_node *path_node(const struct world_disk *disk, uint32_t root, const char *path);

#endif
