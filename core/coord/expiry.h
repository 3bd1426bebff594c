/* SPDX-License-Identifier: Apache-2.0 */
/* When offsets that nobody uses any more go, and groups that hold nothing (KIP-211). */
#ifndef CORE_COORD_EXPIRY_H
#define CORE_COORD_EXPIRY_H

#include "core/coord/shard.h"

/* Looks at the group when something of it may have expired, and not before; no more often than
 * every offsets.retention.check.interval.ms. For EMPTY groups: others keep everything. */
void expiry_watch(struct group *group);

/* Writes the tombstones of all offsets of `group`, which are gone at once. ERR_NONE, or that of
 * shard_write(): then some are left. */
int expiry_remove_offsets(struct shard *shard, struct group *group);

/* The same for one topic, which was deleted; what cannot be written stays. */
void expiry_forget_topic(struct shard *shard, struct group *group, struct span name);

#endif
