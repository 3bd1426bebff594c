/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and folders, each with what is visible and with what is durable. Between the
 * two lie changes in the order in which they were made; a sync moves them over, a power loss draws
 * which of them are kept.
 */
#ifndef SIM_FILE_NODE_H
#define SIM_FILE_NODE_H

#include "sim/files.h"

/* A growing run of bytes, zeroed when it is empty. Those that are the same may share their memory
 * until one of them changes: a disk and what became of it at a power loss differ in little. */
struct file_bytes {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

void file_bytes_set(struct file_bytes *bytes, size_t offset, const void *data, size_t length);
void file_bytes_resize(struct file_bytes *bytes, size_t length);

/* Makes them the same as others. */
void file_bytes_share(struct file_bytes *to, const struct file_bytes *from);

/* Makes the memory theirs alone, for who changes it without file_bytes_set(). */
void file_bytes_own(struct file_bytes *bytes);
void file_bytes_free(struct file_bytes *bytes);

struct change {
    uint64_t sequence;
    bool is_truncate; /* of a file: to `offset` */
    uint64_t offset;
    struct file_bytes data;
    char *name;             /* of a folder: this entry … */
    struct file_node *node; /* … becomes that one; NULL: goes */
    bool goes_on;           /* the next change belongs to this one (the two halves of a rename) */
};

struct entry {
    char *name;
    struct file_node *node;
};

struct entries {
    struct entry *items; /* by name */
    size_t count;
};

struct file_node {
    struct file_node *next_of_all;
    bool is_folder;
    bool reached; /* during files_sweep() */
    struct file_bytes visible;
    struct file_bytes durable;
    struct entries visible_entries;
    struct entries durable_entries;
    struct change *changes;
    size_t changes_count;
    size_t changes_capacity;
    uint64_t sequence;
    struct file_node *copy; /* while the disk is being cloned */
};

struct file_node *entries_get(const struct entries *entries, const char *name);
void entries_set(struct entries *entries, const char *name, struct file_node *node); /* NULL: out */
void entries_clear(struct entries *entries);
void entries_copy(struct entries *to, const struct entries *from);

struct file_node *node_new(struct files *files, bool is_folder);
void node_let_go(struct file_node *node); /* which nobody refers to */
void nodes_free(struct files *files);

/* A change that is visible now and durable later; the caller makes it visible. */
struct change *change_add(struct file_node *node);
void change_apply(struct file_node *node, const struct change *change);

/* Forgets the changes up to `covers`, after they became durable or were lost. */
void changes_settle(struct file_node *node, uint64_t covers, bool durable);

/* Has those of a folder's files of which all is durable hold it once instead of twice. */
void folder_share(struct file_node *folder);

/* Forgets the bytes that were written up to `covers`, which are lost. That the file was made
 * shorter is not forgotten: its size is no page's. */
void changes_lose_bytes(struct file_node *node, uint64_t covers);

/* Makes `name` in a folder be `node` (NULL: gone). */
void entry_change(struct file_node *folder, const char *name, struct file_node *node, bool goes_on);

/* Where a path leads: the folder that holds its last part, that part, and what is there. */
struct place {
    struct file_node *folder;
    const char *name;
    struct file_node *node; /* NULL: nothing */
};

/* Returns ERR_NONE also when nothing is there; ERR_NOT_FOUND when a folder on the way is missing,
 * ERR_IO when it is a file. `path` is borrowed by the place; "" is the data folder itself. */
int place_find(const struct files *files, uint32_t root, const char *path, struct place *ret_place);

/* The folder that holds the last part of `path`, and that part; NULL without such a folder. */
struct file_node *path_parent(const struct files *files, uint32_t root, const char *path,
                              const char **ret_name);
struct file_node *path_node(const struct files *files, uint32_t root, const char *path);

/* Frees the files and folders that no entry, open file or change leads to; the other does so when
 * there are many more than were left by the last time. */
void files_sweep(struct files *files);
void files_sweep_perhaps(struct files *files);

/* Empties a folder that is about to go, with everything below it. */
void files_remove_within(struct files *files, struct file_node *node);

#endif
