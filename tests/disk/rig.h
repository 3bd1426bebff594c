/* SPDX-License-Identifier: Apache-2.0 */
/* A disk over a fresh folder, for tests: asks for effects, awaits completions, makes calls fail. */
#ifndef TESTS_DISK_RIG_H
#define TESTS_DISK_RIG_H

#include "disk/disk.h"
#include "tests/support/effects.h"

#define RIG_EFFECTS_MAX 4096

/* What becomes of one call of the table: first it does less, then it fails, then it works. */
struct fault {
    int short_calls; /* so many do `short_bytes` at most */
    int short_bytes;
    int error_calls; /* then so many fail with `error` */
    int error;       /* errno */
    int calls;       /* counted: all calls since this was set */
};

struct faults {
    struct fault openat;
    struct fault close;
    struct fault pwritev;
    struct fault preadv2; /* without RWF_NOWAIT */
    struct fault preadv2_nowait;
    struct fault readahead;
    struct fault fdatasync;
    struct fault fsync;
    struct fault ftruncate;
    struct fault fallocate;
    struct fault fstatat;
    struct fault mkdirat;
    struct fault renameat;
    struct fault unlinkat;
    struct fault fdopendir;
    struct fault readdir;
    int sync_sleep_us; /* how long each fdatasync takes */
    int syncs_running; /* now, and at most; guarded by a lock */
    int syncs_running_most;
};

extern struct faults faults;

struct rig {
    char path[64]; /* of data folder 0 */
    struct disk *disk;
    struct completion completions[RIG_EFFECTS_MAX]; /* in their order; entries are kept */
    uint32_t completions_count;
    uint32_t reports_count;
    char report[1024]; /* the last */
    uint64_t warmed;   /* the last token */
    uint64_t effects;
    uint64_t files;
};

extern struct rig rig;

/* The fixture of every test. */
void rig_start(void);
void rig_end(void);

/* Asks for an effect, which gets an id, and returns that. */
uint64_t rig_ask(struct effect effect);

/* Waits until the effect completed. */
const struct completion *rig_await(uint64_t effect);

/* Both, for the usual case. */
const struct completion *rig_do(struct effect effect);

/* The completion of an effect, or NULL so far. */
const struct completion *rig_completion(uint64_t effect);

/* Opens a file of data folder 0, created when missing; returns its number. */
uint64_t rig_open(const char *path);

/* Makes a file in data folder 0 behind the disk's back. */
void rig_make_file(const char *path, const char *content);

/* The size of what is at `path` in data folder 0, or -1 when there is nothing. */
int64_t rig_size(const char *path);

#endif
