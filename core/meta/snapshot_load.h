/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the newest snapshot that is whole, and fills the image from it. */
#ifndef CORE_META_SNAPSHOT_LOAD_H
#define CORE_META_SNAPSHOT_LOAD_H

#include <stdint.h>

#include "core/io.h"
#include "core/meta/image.h"
#include "core/meta/snapshot.h"

/* A larger file is no snapshot of ours: no image within its limits needs that much. */
#define SNAPSHOT_BYTES_MAX ((uint64_t)1024 * 1024 * 1024)

/* "FOLDER/NAME.part", terminated. */
#define SNAPSHOT_PATH_BYTES 128

struct snapshot_load {
    /* In */
    struct io *io;
    uint32_t folder;     /* number of the data folder */
    struct span path;    /* of the subfolder */
    struct image *image; /* empty */
    void (*done)(struct snapshot_load *load, int error);
    /* Out: those that there are, for the caller to give back */
    struct snapshot_ids ids;
    uint32_t bytes;     /* of the one that was taken; 0: none */
    struct span voters; /* the value of its voters record, for `done` alone; null: none */
    /* Its own */
    struct op op;
    uint64_t file;
    struct snapshot_ids parts; /* left behind by a process that ended while it wrote them */
    uint32_t next;             /* of ids: this many are older than the one being read */
    uint8_t *block;
    uint32_t block_bytes;
    int error;
    char name[SNAPSHOT_PATH_BYTES];
};

/* Starts; `done` gets ERR_NONE, with `image` filled or still empty, or an error that was logged
 * with file, place and mend. One that is torn is passed over for the one before it, and removed. */
void snapshot_load_start(struct snapshot_load *load);

/* Gives back what a load holds that the world ended. */
void snapshot_load_free(struct snapshot_load *load);

#endif
