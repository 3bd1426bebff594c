/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot that comes from the leader, piece by piece, into a file of its own; it gets its name
 * when it is whole and durable.
 */
#ifndef CORE_META_SNAPSHOT_RECEIVE_H
#define CORE_META_SNAPSHOT_RECEIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/io.h"
#include "core/meta/snapshot.h"
#include "core/meta/snapshot_load.h"

struct snapshot_receive {
    /* In */
    struct io *io;
    uint32_t folder;  /* number of the data folder */
    struct span path; /* of the subfolder */
    /* The piece is written: or why not. */
    void (*written)(struct snapshot_receive *receive, int error);
    /* It is durable under its name, and these are its bytes, for the call; ERR_CORRUPT_MESSAGE when
     * it is not whole; or why it is not durable. */
    void (*finished)(struct snapshot_receive *receive, int error, struct span bytes);
    /* Its own */
    struct op op;
    uint64_t file;
    bool is_open;
    struct snapshot_id id;
    uint64_t size; /* so far */
    struct buffer *buffer;
    struct piece piece;
    uint64_t position;
    uint8_t *block;
    int error;
    char part[SNAPSHOT_PATH_BYTES];
    char name[SNAPSHOT_PATH_BYTES];
};

/* Writes a piece that lies in `buffer`; at position 0 a snapshot begins, and what there was of
 * another is dropped. Nothing is under way, and it ends within SNAPSHOT_BYTES_MAX. */
void snapshot_receive_piece(struct snapshot_receive *receive, struct snapshot_id id,
                            uint64_t position, struct span bytes, struct buffer *buffer);

/* All pieces are there. Nothing is under way. */
void snapshot_receive_finish(struct snapshot_receive *receive);

/* Gives back what it holds, without touching the disk. */
void snapshot_receive_free(struct snapshot_receive *receive);

#endif
