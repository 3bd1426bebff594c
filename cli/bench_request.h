/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of "chronik bench" as bytes, and what replies to them say. */
#ifndef CLI_BENCH_REQUEST_H
#define CLI_BENCH_REQUEST_H

#include <stdint.h>

#include "cli/bench_plan.h"
#include "core/base/arena.h"
#include "core/base/span.h"

/* The least value that has room for a stamp. */
#define BENCH_STAMP_BYTES 16

/* Where requests go. */
struct bench_place {
    const char *topic;
    struct uuid topic_id;
    int32_t partition;
    int16_t version; /* of the arm's API, there */
};

/* One request with its length, to be sent as often as one likes. */
struct bench_frame {
    uint8_t *data; /* malloc's; NULL: nothing yet */
    size_t capacity;
    size_t length;
    size_t batch_at; /* of a produce request: where its batch lies */
    size_t batch_length;
};

/* What one reply says. */
struct bench_reply {
    int16_t error;
    struct span records; /* of a fetch; lies in the reply */
};

/* A produce request with one batch of as many records as the plan's sizes give, whose values are
 * chance and do not compress. Returns 0, or -1 when memory is short. */
int bench_frame_produce(struct bench_frame *frame, const struct bench_plan *plan,
                        const struct bench_place *place);

/* The records in such a batch. */
uint32_t bench_batch_records(const struct bench_plan *plan);

/* A fetch from `offset`, which waits at most `wait_ms` for a first byte. Returns 0, or -1 when
 * memory is short. */
int bench_frame_fetch(struct bench_frame *frame, const struct bench_plan *plan,
                      const struct bench_place *place, int64_t offset, int32_t wait_ms);

/* Writes into the first value of the frame's batch (which has the room) whose it is and when, and
 * sums the batch anew. */
void bench_frame_stamp(struct bench_frame *frame, uint64_t run, uint64_t time_ns);

/* Finds the stamp in a batch. Returns 0, or -1 when it is not of that run. */
int bench_stamp_read(struct span batch, uint64_t run, uint64_t *ret_time_ns);

/* Gives the frame's memory back. */
void bench_frame_free(struct bench_frame *frame);

/* Decodes a reply (without its length) to a produce or fetch request at that place, of one
 * partition, with `arena` for what is short-lived. Returns 0, or -1 when it is none. */
int bench_reply_produce(const struct bench_place *place, struct span bytes, struct arena *arena,
                        struct bench_reply *ret_reply);
int bench_reply_fetch(const struct bench_place *place, struct span bytes, struct arena *arena,
                      struct bench_reply *ret_reply);

#endif
