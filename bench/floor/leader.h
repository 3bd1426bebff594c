/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication: the leader's side, and what waits for it.
 *
 *      leader ── {length, partition, position} batch … ──▶ follower    one gathered send a turn
 *             ◀── how many batches are written, in all ──               one a turn
 *
 * Batches are counted from the first one; a frame without a batch makes the partition's file.
 */
#ifndef BENCH_FLOOR_LEADER_H
#define BENCH_FLOOR_LEADER_H

#include <sys/types.h>

#include "bench/floor/link.h"
#include "bench/floor/options.h"
#include "bench/floor/turn.h"

#define FOLLOWERS_MAX 2
#define ACK_BYTES     8

/* A batch that waits for followers. */
struct pending {
    struct partition *partition;
    int64_t base_offset;
    int64_t end;       /* offset behind it */
    struct link *link; /* who waits for the reply; NULL: nobody */
    int32_t correlation_id;
};

struct follower {
    pid_t process;
    int socket;
    uint8_t input[ACK_BYTES]; /* of an acknowledgement, */
    size_t input_length;      /* so much */
    uint64_t acked;
};

struct leader {
    struct follower followers[FOLLOWERS_MAX];
    uint32_t followers_count;
    struct pending *pending; /* a ring; batches `acked` to `sent` */
    uint64_t pending_capacity;
    uint64_t sent;
    uint64_t acked; /* by all */
};

/* Starts the followers' processes, and waits until they are connected. Returns 0 or an errno. */
int leader_start(struct leader *leader, const struct floor_options *options);

/* Notes what waits. Returns 0; or -1 when memory is short. */
int leader_wait(struct leader *leader, struct pending pending);

/* Sends the turn's batches. Returns 0 or an errno. */
int leader_send(struct leader *leader, struct turn *turn);

/* Has the followers make the file of a partition. Returns 0 or an errno. */
int leader_create(struct leader *leader, uint32_t partition);

/* Takes what the follower of that number, from 0, acknowledged. Returns 0; or an errno: it is
 * gone. */
int leader_receive(struct leader *leader, uint32_t number);

/* The next batch that all have; NULL when there is none. */
struct pending *leader_next(struct leader *leader);

#endif
