/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the worst power loss would leave of a machine's metadata: an image made of the batches of
 * its metadata WAL that are durable. A broker applies no record before it is, so that this is never
 * older than what it has told; judges learn from it which topics there are, without a look inside.
 *
 * Of a node of a cluster it is what the cluster has committed, as far as that node has applied it:
 * its own log may lack that, and hold what is never committed.
 */
#ifndef SIM_DURABLE_H
#define SIM_DURABLE_H

#include "core/meta/image.h"
#include "sim/committed.h"
#include "sim/host.h"

struct durable;

/* `committed` is that of the host's cluster; NULL: it is one of its own. Both are borrowed. */
struct durable *durable_new(const struct host *host, const struct committed *committed);

/* All that the cluster has committed, whoever knows it already; `host` is any of its nodes. */
struct durable *durable_new_of_all(const struct host *host, const struct committed *committed);
void durable_free(struct durable *durable);

/* Reads what has become durable since the last call; what it finds has the trace's number `number`.
 */
void durable_update(struct durable *durable, uint64_t number);

/* The image of durable_new_of_all(), for its observers. */
struct image *durable_image_of_all(struct durable *durable);

/* The image; NULL when the WAL on the disk can't be read (bits flipped, or it was read on from a
 * snapshot): then nothing can be said. */
const struct image *durable_image(const struct durable *durable);

/* The topic that a request named, asked at the trace's number `since`: by its id, or (zero) by its
 * name, which has meant the same topic since. NULL when there is none, or it is not sure. */
const struct meta_topic *durable_topic(const struct durable *durable, struct span name,
                                       struct uuid id, uint64_t since);

/* True when the topic of this id has been under write.caching at any time: a power loss may take
 * what no sync has covered. */
bool durable_is_cached(const struct durable *durable, struct uuid topic_id);

/* True when a power loss may take what groups committed, or when nobody knows. */
bool durable_commits_are_cached(const struct durable *durable);

/* True when no topic has changed since the trace's number `since`; no broker; no setting of the
 * cluster. */
bool durable_is_quiet(const struct durable *durable, uint64_t since);
bool durable_brokers_are_steady(const struct durable *durable, uint64_t since);
bool durable_cluster_is_steady(const struct durable *durable, uint64_t since);

/* True when nothing of the topic with this name has changed since, nor the cluster's settings. */
bool durable_is_steady(const struct durable *durable, struct span name, uint64_t since);

#endif
