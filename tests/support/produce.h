/* SPDX-License-Identifier: Apache-2.0 */
/* Producing, in stories: what is made lives as long as the client. */
#ifndef TESTS_SUPPORT_PRODUCE_H
#define TESTS_SUPPORT_PRODUCE_H

#include "tests/support/client.h"

/* The version that produce() asks in. */
#define PRODUCE_VERSION 9

/* One batch of `count` records whose values are `value`. */
struct span batch_of(struct client *client, int32_t count, struct span value);

/* A request that appends `batch` to partition 0 of a topic. */
struct produce_request *produce_of(struct client *client, struct span topic, int16_t acks,
                                   struct span batch);

/* Produces one batch; the answer's partition, or NULL when there is no answer. */
const struct produce_response_response_partition_response *
produce(struct client *client, struct span topic, int16_t acks, struct span batch);

#endif
