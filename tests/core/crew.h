/* SPDX-License-Identifier: Apache-2.0 */
/* Brokers that are one cluster, each in a world of its own, and calls of their clients. */
#ifndef TESTS_CORE_CREW_H
#define TESTS_CORE_CREW_H

#include "tests/support/client.h"
#include "tests/support/node.h"

#define CREW_MAX 3

/* By id, from 1. */
extern struct node crew_nodes[CREW_MAX + 1];

/* So many nodes, with these settings (key, value, …, NULL; or NULL), run and serve. Those of the
 * last one alone come on top. */
void crew_begin(int32_t count, const char *const *settings, const char *const *last);
/* Those that run start again with settings that name so many nodes; those that are new are
 * formatted, and do not run yet. The settings of the last one alone come on top. */
void crew_grow(int32_t count, const char *const *last);
void crew_end(void);

/* Time goes by for all, as far as they run. */
void crew_advance(int64_t ms);

/* A node ends in order, or dies; it is there again. */
void crew_stop(int32_t id);
void crew_kill(int32_t id);
void crew_start(int32_t id);

/* Sends a request and lets time go by until it is answered, or a while; NULL when it is not. */
void *crew_call(struct client *client, int16_t api_key, int16_t version, const void *request);

/* Creates a topic whose partitions 0, 1, … have `replicas` each, which `brokers` names one behind
 * the other. */
void crew_create(struct client *client, struct span name, const int32_t *brokers,
                 int32_t partitions, int32_t replicas);

/* Partition `index` of a topic, as the node's image has it. */
const struct meta_partition *crew_partition(int32_t id, struct span topic, int32_t index);

#endif
