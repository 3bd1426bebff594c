/* SPDX-License-Identifier: Apache-2.0 */
/* A crew of three, a topic of one partition with a replica on each, and a client of its leader. */
#ifndef TESTS_CORE_TRIO_H
#define TESTS_CORE_TRIO_H

#include "core/partition.h"
#include "tests/core/crew.h"

#define TRIO_NODES 3
#define TRIO_TOPIC SPAN("topic")

struct trio {
    struct client *client; /* of node `client_node`; 0: there is none */
    int32_t client_node;
    int16_t answer; /* to the latest request that was awaited; a negative one: there is none */
};
extern struct trio trio;

/* Fixture. */
void trio_begin(void);
void trio_end(void);

/* The partition as a node's image has it; what the node hosts of it. */
const struct meta_partition *trio_meta(int32_t id);
const struct partition *trio_hosted(int32_t id);

/* The ids of its leader and of one of its followers, as the first node that runs knows them. */
int32_t trio_leader(void);
int32_t trio_follower(void);

/* Sends `count` records to the leader, of this value or any; the answer comes with time. */
void trio_send_values(int16_t acks, int32_t count, struct span value);
void trio_send(int16_t acks, int32_t count);
/* Whether it has come: trio.answer. */
bool trio_is_answered(void);
/* Sends records that all in sync acknowledge. */
void trio_produce(int32_t count);
/* The client goes. */
void trio_leave(void);

/* All replicas end there, durably, and know that it is committed. */
void trio_equal(int64_t end_offset);

/* A node stands still for so long, while time goes by for the others. */
void trio_sleep(int32_t id, int64_t ms);

#endif
