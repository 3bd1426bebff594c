/* SPDX-License-Identifier: Apache-2.0 */
/* Hash maps by bytes, walked in insertion order only (law: nothing iterates in hash order). */
#ifndef CORE_BASE_MAP_H
#define CORE_BASE_MAP_H

#include <uthash.h>

#include "core/base/memory.h"
#include "core/base/span.h"

/* A member's place in one map; the key's bytes belong to the member and stay put. */
struct map_node {
    UT_hash_handle hh;
};

struct map {
    struct map_node *first;
    struct memory *memory;
    uint64_t seed; /* so that a peer cannot choose colliding names */
    bool is_trusted;
};

void map_init(struct map *map, struct memory *memory, uint64_t seed);

/* The same for keys that nobody can choose who would have them collide, as UUIDs that this cluster
 * draws: they are hashed in a few instructions. Whoever may only ask for a key does no harm. */
void map_init_trusted(struct map *map, struct memory *memory, uint64_t seed);

/* The member with these key bytes, or NULL. */
struct map_node *map_find(const struct map *map, struct span key);

/* Adds a member whose key is not in the map yet. `key` must live as long as the member. */
void map_add(struct map *map, struct map_node *node, struct span key);

/* Takes a member out. */
void map_remove(struct map *map, struct map_node *node);

/* How many members there are. */
uint32_t map_count(const struct map *map);

/* The member after `node` in insertion order; NULL after the last. */
struct map_node *map_next(const struct map_node *node);

/* Gives back the table; members are the caller's. The map is empty afterwards. */
void map_clear(struct map *map);

#endif
