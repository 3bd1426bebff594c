/* SPDX-License-Identifier: Apache-2.0 */
/* One broker in a world: its settings, its life and its deaths. */
#ifndef TESTS_SUPPORT_NODE_H
#define TESTS_SUPPORT_NODE_H

#include "core/broker.h"
#include "tests/support/world.h"

struct node {
    struct world *world;
    struct conf conf;
    struct memory conf_memory;
    struct broker *broker;
};

/* A world with one broker that is not started: `settings` is a list of key, value, …, NULL on
 * top of the defaults. */
void node_init(struct node *node, uint64_t seed, const char *const *settings);
void node_free(struct node *node);

/* Gives its empty data folders an identity, as a node of a cluster has to have one. */
void node_format(struct node *node, int32_t id, const char *cluster_id);

/* Other settings than before, for a broker that does not run. */
void node_configure(struct node *node, const char *const *settings);

/* Starts the broker and runs the world until it is ready, or has stopped. True when it is ready. */
bool node_start(struct node *node);

/* Makes a topic as the controller would, with the default settings; the world has run. */
void node_create_topic(struct node *node, struct span name, int32_t partitions);

/* Ends it in order; kills it; takes the power away. node_start() may follow. */
void node_stop(struct node *node);
void node_kill(struct node *node);
void node_power_loss(struct node *node);

#endif
