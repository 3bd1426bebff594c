/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks every broker of a cluster by itself: what followers are behind of what it leads, and how its
 * streams to the others are. First all are reached, which takes long where one hangs; then those
 * that were are asked, all at the same time as it were, so that what they say fits together.
 */
#ifndef CLI_CLUSTER_BROKERS_H
#define CLI_CLUSTER_BROKERS_H

#include "cli/cluster_view.h"

/* So many are asked at most. */
#define CLUSTER_BROKERS_MAX 1000

struct cluster_brokers;

/* Connects to all of them, many at a time, with `timeout_ms` for this and for each later call.
 * `cluster` outlives what is returned, which the caller frees; NULL: there was no memory for it. */
struct cluster_brokers *cluster_brokers_reach(const struct describe_cluster_response *cluster,
                                              int timeout_ms);

/* Fills in view->answers, and what was told of view->partitions: they lie in `brokers`. */
void cluster_brokers_ask(struct cluster_brokers *brokers, struct cluster_view *view);

/* NULL is a no-op. */
void cluster_brokers_free(struct cluster_brokers *brokers);

#endif
