/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real files behind the file effects of core/effect.h.
 *
 * What the page cache answers is done at once, on the caller's thread: opening, writing,
 * truncating, renaming, listing, reading what is cached. What may wait for a device is left to a
 * few threads: syncs, cold reads, removals. The completion comes through `complete`, during
 * disk_perform() or during disk_collect(); all functions belong to one thread.
 */
#ifndef DISK_DISK_H
#define DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/effect.h"
#include "core/event.h"
#include "disk/calls.h"

/* Most threads that disk_options.threads_max may ask for. */
#define DISK_THREADS_MAX 64

/* Longest path inside a data folder: a topic's folder and a file in it, with room to spare. */
#define DISK_PATH_BYTES_MAX 1024

struct disk;

struct disk_options {
    const struct disk_calls *calls; /* disk_calls_system, or a test's */
    uint32_t threads_max;           /* 1 to DISK_THREADS_MAX */

    /* An effect ended. `completion->entries`, when not NULL, is one block that the receiver frees
     * with free() after use. */
    void (*complete)(void *context, const struct completion *completion);

    /* What disk_warm() was asked for is done, as well as it could be. */
    void (*warmed)(void *context, uint64_t token);

    /* Something went wrong that the core is told of by no more than a code: one line of text that
     * names the call, the file and the system's reason, borrowed for the call. */
    void (*report)(void *context, const char *line);
    void *context;
};

/* A disk without data folders; NULL with errno set when the system refuses. */
struct disk *disk_new(const struct disk_options *options);

/*
 * Opens the next data folder (the first is number 0), making it and its parents if missing, and
 * locks it against other processes by Kafka's file ".lock" for as long as `disk` lives. Returns 0,
 * or -1 with the reason, naming the folder, in `ret_reason`.
 */
int disk_add_folder(struct disk *disk, const char *path, char *ret_reason, size_t reason_bytes);

/* Carries out one of the effects EFFECT_OPEN to EFFECT_SYNC_FOLDER; any other is a defect. */
void disk_perform(struct disk *disk, const struct effect *effect);

/* Readable (poll it level-triggered) while disk_collect() has something to do. */
int disk_fd(const struct disk *disk);

/* Completes what the threads have done. */
void disk_collect(struct disk *disk);

/* The descriptor of an open file number, for sendfile; -1 when there is none of that number. It is
 * the disk's: to be used at once and not kept. */
int disk_file_fd(const struct disk *disk, uint64_t number);

/* True unless reading `length` > 0 bytes of an open file would probably wait for a device. */
bool disk_is_warm(const struct disk *disk, uint64_t number, uint64_t offset, size_t length);

/* Brings bytes of an open file into the page cache, on a thread; then `warmed` is called with
 * `token`. Returns false when there is no memory for that: nothing will be called. */
bool disk_warm(struct disk *disk, uint64_t number, uint64_t offset, size_t length, uint64_t token);

/* Waits for what is under way, completes it, closes all files, unlocks the data folders. NULL is a
 * no-op. */
void disk_free(struct disk *disk);

#endif
