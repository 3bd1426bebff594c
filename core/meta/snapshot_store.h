/* SPDX-License-Identifier: Apache-2.0 */
/* Writes snapshots: under another name, synced, renamed, and the folder synced. */
#ifndef CORE_META_SNAPSHOT_STORE_H
#define CORE_META_SNAPSHOT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io.h"
#include "core/meta/image.h"
#include "core/meta/snapshot.h"
#include "core/meta/snapshot_load.h"

/* The newest ones that are kept: the second is there for the day on which the first is torn. */
#define SNAPSHOTS_KEPT 2

struct snapshot_store {
    /* In */
    struct io *io;
    uint32_t folder;  /* number of the data folder */
    struct span path; /* of the subfolder */
    /* The snapshot is durable, and older ones than SNAPSHOTS_KEPT are gone; or why it is not. */
    void (*done)(struct snapshot_store *store, int error);
    /* In and out: those that are there */
    struct snapshot_ids ids;
    uint32_t bytes; /* of the newest; 0: none */
    /* Its own */
    bool is_busy;
    struct op op;
    uint64_t file;
    struct snapshot_id id;
    uint8_t *block;
    uint32_t length;
    uint32_t capacity;
    uint32_t position;
    struct piece piece;
    int error;
    char part[SNAPSHOT_PATH_BYTES];
    char name[SNAPSHOT_PATH_BYTES];
};

/* Writes a snapshot of `image` as it is now, with the value of its voters record (null: none). The
 * store is not busy. */
void snapshot_store_start(struct snapshot_store *store, const struct image *image,
                          struct span voters);

/* Where the log has to begin at the latest, for what is kept to be of use: 0 while there are fewer
 * than SNAPSHOTS_KEPT. */
int64_t snapshot_store_log_start(const struct snapshot_store *store);

void snapshot_store_free(struct snapshot_store *store);

#endif
