/* SPDX-License-Identifier: Apache-2.0 */
/* The topic that "chronik bench" works on: made if it has to be, and who leads its partitions. */
#ifndef CLI_BENCH_TOPIC_H
#define CLI_BENCH_TOPIC_H

#include <stdint.h>

#include "cli/bench_plan.h"
#include "cli/client.h"

#define BENCH_ADDRESS_BYTES 300

/* A partition with its leader's "host:port". */
struct bench_partition {
    int32_t number;
    bool worked_on;
    char leader[BENCH_ADDRESS_BYTES];
};

struct bench_topic {
    struct uuid id; /* zero when brokers do not tell */
    struct bench_partition *partitions;
    uint32_t partitions_count;
};

/* Asks the plan's servers about the plan's topic, makes it first if the plan says so and it is not
 * there, and waits until each partition has a leader. Returns 0; or -1 with client->message. The
 * topic is to be freed, the client to be closed either way. */
int bench_topic_open(struct bench_topic *topic, const struct bench_plan *plan,
                     struct client *client);
void bench_topic_free(struct bench_topic *topic);

/* The first offset of a partition and the one behind its last, asked of its leader; waits while
 * that has not heard of the partition. Returns 0; or -1 with client->message. */
int bench_topic_offsets(struct client *client, const struct bench_plan *plan, int32_t partition,
                        int64_t *ret_start, int64_t *ret_end);

#endif
