/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks through the partitions of a Produce or a Fetch, each with what was asked and what was
 * answered; and what judges note of a batch.
 */
#ifndef SIM_PARTS_H
#define SIM_PARTS_H

#include "core/base/map.h"
#include "core/records/batch.h"
#include "sim/durable.h"
#include "sim/peer.h"

/* A partition of one machine, or of a cluster, which goes by its first machine; the key of judges'
 * notes, without padding. */
struct partition_key {
    uint32_t host;
    int32_t index;
    struct uuid topic;
};

/* One batch of a log, by which it is known again. */
struct batch_mark {
    int64_t base_offset;
    int64_t last_offset;
    uint32_t records; /* checksum of its records, which appending never changes */
    uint32_t flags;   /* the judge's own */
};

/* Marks in the order of their offsets. */
struct batch_marks {
    struct batch_mark *items;
    uint32_t count;
    uint32_t capacity;
};

/* What is noted of a whole batch that lies at `base_offset`. */
struct batch_mark batch_mark_of(struct span batch, int64_t base_offset);

/* The first mark that ends at `offset` or beyond: its place, or the count. */
uint32_t batch_marks_at(const struct batch_marks *marks, int64_t offset);

/* Puts a mark at a place. */
void batch_marks_insert(struct batch_marks *marks, struct memory *memory, uint32_t place,
                        struct batch_mark mark);
/* Takes `count` marks out, from a place on. */
void batch_marks_remove(struct batch_marks *marks, uint32_t place, uint32_t count);
void batch_marks_free(struct batch_marks *marks, struct memory *memory);

/* Appends have ended for one batch of a Produce. */
struct produced {
    const struct meta_topic *topic; /* NULL: it is not sure which one it was */
    struct span name;               /* for people; with ids, that of the topic or empty */
    struct partition_key key;
    struct span batch;
    const struct produce_response_response_partition_response *reply;
};

/* A walk through a Produce that was answered; zeroed but for the exchange and the metadata. */
struct produced_walk {
    const struct exchange *exchange;
    const struct durable *durable;
    int32_t topic;
    int32_t partition;
};

/* The next part that was asked for and answered; false at the end. */
bool produced_next(struct produced_walk *walk, struct produced *ret_part);

struct fetched {
    const struct meta_topic *topic;
    struct span name;
    struct partition_key key;
    int64_t fetch_offset; /* -1: a fetch session knows it */
    int32_t bytes_max;    /* of the partition; -1: likewise */
    int32_t leader_epoch; /* that the request names; -1: none */
    const struct fetch_response_response_partition *reply;
};

struct fetched_walk {
    const struct exchange *exchange;
    const struct durable *durable;
    int32_t topic;
    int32_t partition;
};

bool fetched_next(struct fetched_walk *walk, struct fetched *ret_part);

#endif
