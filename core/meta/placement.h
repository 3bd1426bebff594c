/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the replicas of new partitions go. The rules, which KIP-36 began and KRaft's placer goes on
 * with, each as far as those before it allow:
 *
 *  - each broker that is live leads as many partitions of the topic as any other
 *  - the replicas of a partition are in as many racks as there are
 *  - they are on live brokers; a rack outlasts a restart, and so comes first
 *  - each broker holds about as many replicas of the topic as any other
 *  - those who follow one leader in one partition follow others in the next, so that many take
 *    over from one that ends
 *
 * Where not every broker says which rack it is in, racks do not count.
 */
#ifndef CORE_META_PLACEMENT_H
#define CORE_META_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/meta/image.h"

/* The placement of one topic's new partitions. Arrays are by a broker's place in the image, except
 * for `order`. */
struct placement {
    const struct image *image;
    uint32_t *order;      /* places of the brokers in the image, racks in turn */
    uint32_t *rack;       /* its number */
    uint32_t *leads;      /* partitions of the topic that begin with the broker */
    uint32_t *holds;      /* replicas of the topic on it */
    uint32_t *rack_holds; /* by rack: replicas of the partition at hand */
    uint32_t next;        /* where in `order` the next leader is looked for first */
    uint32_t chosen;      /* partitions so far */
};

/* Begins to choose for `topic`, NULL for one that is new, from all brokers of the image, one of
 * them live. `chance` decides which of the brokers comes first, so that small topics do not all
 * begin with the same one. False when the arena is full. */
bool placement_begin(struct placement *placement, const struct image *image,
                     const struct meta_topic *topic, uint64_t chance, struct arena *arena);

/* The brokers of the next partition, the preferred leader, which is live, first.
 * 1 ≤ count ≤ brokers in the image. */
void placement_choose(struct placement *placement, int32_t count, int32_t *ret_brokers);

#endif
