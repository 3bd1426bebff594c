/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the members of a consumer group tell one another: which topic they want, and who gets which
 * of its partitions. Kafka's range assignor, over one topic: neighbouring partitions for each
 * member in the order of the ids, the first ones get one more where it does not come out even.
 */
#ifndef SIM_ASSIGNOR_H
#define SIM_ASSIGNOR_H

#include "sim/peer.h"

/* The subscription to one topic, in the form of `version` (0 to 3); lives as long as the
 * exchange. */
struct span assignor_subscribe(struct exchange *exchange, int16_t version, struct span topic);

/* Fills the assignments of a SyncGroup that the leader sends: `partitions` of the topic, divided
 * among those members of the JoinGroup's reply that subscribe to it. */
void assignor_divide(struct exchange *exchange, const struct join_group_response *joined,
                     struct span topic, uint32_t partitions);

/* Reads a member's share of the topic, at most `capacity` partitions; returns how many. `exchange`
 * has the bytes, and lends its memory. */
uint32_t assignor_read(const struct exchange *exchange, struct span assignment, struct span topic,
                       int32_t *ret_partitions, uint32_t capacity);

#endif
