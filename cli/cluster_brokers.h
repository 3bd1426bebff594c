/* SPDX-License-Identifier: Apache-2.0 */
/* Asks every broker of a cluster by itself: what followers are behind of what it leads, and how its
 * streams to the others are. */
#ifndef CLI_CLUSTER_BROKERS_H
#define CLI_CLUSTER_BROKERS_H

#include "cli/cluster_view.h"

struct cluster_brokers;

/* Asks those of view->cluster, each for at most `timeout_ms` a call, many at a time, and fills in
 * view->answers and what was told of view->partitions. Returns what these lie in, to be freed after
 * them; NULL: there was no memory for it. */
struct cluster_brokers *cluster_brokers_ask(struct cluster_view *view, int timeout_ms);

/* NULL is a no-op. */
void cluster_brokers_free(struct cluster_brokers *brokers);

#endif
