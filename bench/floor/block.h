/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a partition: as cheap a place for its log as there is. */
#ifndef BENCH_FLOOR_BLOCK_H
#define BENCH_FLOOR_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * A file of one size for ever, written from its beginning to its end, and over again.
 *
 * Cached: it is filled with zeros first, so that no write ever meets a fresh page. Durable: its
 * space is reserved and was never written, as that of a log which grows into what it reserved ahead
 * (a sync then costs what it costs such a log); each time around that is made so again.
 */
struct block {
    int file;
    uint64_t bytes;
    bool durable;
    bool used; /* something was written */
};

/* Makes the file `name` in a folder. Returns 0 or an errno. To be closed when it was opened. */
int block_open(struct block *block, int folder, const char *name, uint64_t bytes, bool durable);
void block_close(struct block *block);

/* Writes all of the pieces, in one call unless that comes short; at position 0 it begins anew.
 * Changes the pieces. Returns 0 or an errno. */
int block_write(struct block *block, uint64_t position, struct iovec *pieces, int count);

/* Has what was written on the disk. Returns 0 or an errno. */
int block_sync(struct block *block);

#endif
