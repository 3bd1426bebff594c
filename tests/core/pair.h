/* SPDX-License-Identifier: Apache-2.0 */
/* Two brokers that are one cluster, each in a world of its own, and calls of their clients. */
#ifndef TESTS_CORE_PAIR_H
#define TESTS_CORE_PAIR_H

#include "tests/support/client.h"
#include "tests/support/node.h"

/* Settings of one node: key, value, … NULL at the end. */
#define PAIR_SETTINGS_MAX 16

/* By id: 1 and 2. */
extern struct node pair_nodes[3];

/* Both nodes, with these settings of their own (key, value, …, NULL), run and serve. */
void pair_begin(const char *const *first, const char *const *second);
void pair_end(void);

/* Time goes by for both, as far as they run. */
void pair_advance(int64_t ms);

/* Ends one in order, while the other one goes on. */
void pair_stop(int32_t id);

/* Sends a request and lets time go by until it is answered, or a while; NULL when it is not. */
void *pair_call(struct client *client, int16_t api_key, int16_t version, const void *request);

/* Creates a topic whose partitions 0, 1, … have one replica each, on these brokers. */
void pair_create(struct client *client, struct span name, const int32_t *brokers, int32_t count);

#endif
