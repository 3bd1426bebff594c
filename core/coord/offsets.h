/* SPDX-License-Identifier: Apache-2.0 */
/* What a group committed, by topic and partition. */
#ifndef CORE_COORD_OFFSETS_H
#define CORE_COORD_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/span.h"

#define OFFSET_NONE (-1)

/* One commit. */
struct offset_value {
    int64_t offset;
    int32_t leader_epoch; /* -1: not said */
    struct span metadata; /* never null */
    int64_t commit_ms;    /* wall time */
    int64_t expire_ms;    /* wall time; -1: after the broker's retention */
    struct uuid topic_id; /* zero: the commit named the topic only */
};

struct offset {
    int32_t partition;
    uint32_t pending;   /* commits under way: not in `value` yet */
    uint32_t overtaken; /* of those, the first so many: removed before they were safe */
    bool committed;     /* `value` holds one */
    struct offset_value value;
};

struct offsets_topic {
    struct map_node node; /* by name, in the order of the first commit */
    struct span name;
    struct offset *items; /* sorted by partition */
    uint32_t count;
    uint32_t capacity;
};

struct offsets {
    struct memory *memory;
    struct map topics;
    uint32_t count; /* partitions with a commit, or one under way */
};

void offsets_init(struct offsets *offsets, struct memory *memory, uint64_t seed);

/* Forgets everything and gives the memory back. */
void offsets_clear(struct offsets *offsets);

/* The partition's entry, which may hold nothing but a commit under way; NULL when there is none.
 * Valid until the next change. */
const struct offset *offsets_find(const struct offsets *offsets, struct span topic,
                                  int32_t partition);

/* The topic of this name, which has at least one entry; NULL when there is none. */
struct offsets_topic *offsets_find_topic(const struct offsets *offsets, struct span name);

/* A commit for the partition is under way. Each is followed by one offsets_end(). */
void offsets_begin(struct offsets *offsets, struct span topic, int32_t partition);

/* The commit is safe, and its value is copied; or it failed (NULL). */
void offsets_end(struct offsets *offsets, struct span topic, int32_t partition,
                 const struct offset_value *value);

/* Takes a value over from the log (copied). */
void offsets_set(struct offsets *offsets, struct span topic, int32_t partition,
                 const struct offset_value *value);

/* The partition has no commit any more, nor will those that are under way give it one. */
void offsets_remove(struct offsets *offsets, struct span topic, int32_t partition);

/* The topic after `topic`, or the first for NULL; NULL after the last. */
struct offsets_topic *offsets_next_topic(const struct offsets *offsets,
                                         const struct offsets_topic *topic);

#endif
