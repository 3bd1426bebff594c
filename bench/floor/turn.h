/* SPDX-License-Identifier: Apache-2.0 */
/* What came in one turn of the loop, until it is written and sent on all at once. */
#ifndef BENCH_FLOOR_TURN_H
#define BENCH_FLOOR_TURN_H

#include "bench/floor/topics.h"

#define TURN_BATCHES_MAX 4096
#define FRAME_HEAD_BYTES 16

/* A batch where it was received. */
struct turn_batch {
    uint8_t head[FRAME_HEAD_BYTES]; /* for followers: length, partition, position */
    uint8_t *data;
    uint32_t length;
    uint32_t next; /* of the same partition; NO_BATCH: none */
    uint64_t position;
};

struct turn {
    struct turn_batch batches[TURN_BATCHES_MAX];
    uint32_t count;
    struct partition *partitions[PARTITIONS_MAX]; /* that got some */
    uint32_t partitions_count;
};

/* Adds a batch, whose bytes stay where they are until the turn's end. There has to be room. */
void turn_add(struct turn *turn, struct partition *partition, uint8_t *data, uint32_t length,
              uint64_t position);

/* Writes all of it to the partitions' files, a call for each, and syncs those that are durable.
 * Returns 0 or an errno. */
int turn_write(struct turn *turn);

/* Begins the next turn. */
void turn_clear(struct turn *turn);

#endif
