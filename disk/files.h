/* SPDX-License-Identifier: Apache-2.0 */
/* The files that the core has open: from its numbers to the system's descriptors. */
#ifndef DISK_FILES_H
#define DISK_FILES_H

#include <stdint.h>

/* Without memory an element is not added; by itself uthash would end the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct file {
    uint64_t number;
    int fd;
    uint64_t written_end;  /* of the last write: before it the page cache is warm */
    uint32_t jobs;         /* that a thread may be working on: the descriptor must stay */
    uint64_t close_effect; /* to be completed when the last job is done; 0: not asked for */
    UT_hash_handle hh;
};

struct files {
    struct file *first;
};

/* The open file of this number, or NULL. */
struct file *files_find(const struct files *files, uint64_t number);

/* Adds a number that is not there; NULL when there is no memory. */
struct file *files_add(struct files *files, uint64_t number, int fd);

/* Forgets and frees `file`; its descriptor is the caller's to close. */
void files_remove(struct files *files, struct file *file);

#endif
