/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of "chronik bench" to the leader of one partition: a ring of requests, of which
 * some are answered, some sent, some to be sent:
 *
 *      first          first + flying - unsent     first + flying     (modulo depth)
 *        │ sent, not answered │   to be sent           │   free
 */
#ifndef CLI_BENCH_LINK_H
#define CLI_BENCH_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/bench_plan.h"
#include "cli/bench_request.h"
#include "cli/bench_topic.h"
#include "cli/client.h"

/* A request's place. */
struct bench_slot {
    struct bench_frame frame; /* of its own, where requests are not all the same */
    const struct bench_frame *sends;
    int64_t began_ns; /* since when its reply is waited for */
    int64_t offset;   /* of a fetch: what comes next */
};

struct bench_link {
    struct client client; /* the connection; asked of by itself before the run only */
    struct bench_place place;
    int64_t log_start; /* of the partition, when the link was opened */
    int64_t log_end;
    struct bench_frame *shared; /* what slots send in turn that have no frame of their own */
    uint32_t shared_count;
    struct bench_slot *slots;
    uint32_t depth;
    uint32_t first; /* the slot of the oldest request that is not answered */
    uint32_t flying;
    uint32_t unsent;    /* the youngest of these */
    uint32_t sends_max; /* of them in one call */
    size_t sent_bytes;  /* of the oldest of the unsent */
    uint8_t *input;     /* replies, the first of which is not whole */
    size_t input_capacity;
    size_t input_length;
    bool reads; /* is a tail's reader */
    bool dead;  /* client.message says why */
    bool waits_to_write;
    bool watched_to_write; /* by the run */
    uint64_t due;          /* requests that the clock has asked for */
    uint64_t begun;        /* requests that were begun */
};

/* Connects to a partition's leader, with room for `depth` requests of that API. Returns 0; or -1
 * with link->client.message. To be closed either way. */
int bench_link_open(struct bench_link *link, const struct bench_plan *plan,
                    const struct bench_topic *topic, const struct bench_partition *partition,
                    int16_t api, uint32_t depth);
void bench_link_close(struct bench_link *link);

/* Makes room for `count` frames that slots share. Returns 0; or -1 with link->client.message. */
int bench_link_share(struct bench_link *link, uint32_t count);

/* The place of one more request, which is to be filled and leaves with bench_link_send(); NULL when
 * all are on the way. */
struct bench_slot *bench_link_begin(struct bench_link *link);

/* Sends what can be sent without waiting. Returns 0; or -1 with link->client.message. */
int bench_link_send(struct bench_link *link);

/* Receives once. Returns 0; or -1 with link->client.message. */
int bench_link_receive(struct bench_link *link);

/* The next whole reply of those received, from `*at` on, which moves behind it. Returns 1; 0 when
 * there is none, and then the rest waits for more; or -1 with link->client.message. */
int bench_link_reply(struct bench_link *link, size_t *at, struct span *ret_reply);

/* The oldest request, which is answered now: its place is free, and as it was until the next
 * bench_link_begin(). NULL when none was on the way. */
struct bench_slot *bench_link_end(struct bench_link *link);

#endif
