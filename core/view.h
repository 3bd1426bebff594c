/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look inside a broker, for those who judge its inner state and for nobody else: it changes
 * nothing, and what it tells is copied. What clients can be told is not here.
 */
#ifndef CORE_VIEW_H
#define CORE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/span.h"
#include "core/broker.h"
#include "core/peer/peers.h"

/* What is under way, and what limits it. */
struct broker_view {
    uint64_t memory_used_bytes[MEMORY_BUDGETS];
    uint64_t memory_limit_bytes[MEMORY_BUDGETS]; /* 0: no limit */
    uint32_t connections;
    uint32_t connections_max;
    uint32_t requests_max;   /* of a connection, under way at once */
    int64_t metadata_end;    /* offset of the metadata log behind what the image holds */
    uint64_t shards_dropped; /* how often the groups of a partition were forgotten, to be loaded */
};

void broker_view(const struct broker *broker, struct broker_view *ret_view);

/* This node's part in the quorum. False before it takes part. */
struct quorum_view {
    int32_t term;
    int32_t leader; /* -1: nobody */
    bool leads;     /* this node, and its image holds all that was committed before its term */
    int64_t committed;
    int32_t committed_epoch; /* of the entry before that, if this node is the leader; else -1 */
    int64_t image_end;       /* up to where the image holds the metadata log */
    int32_t image_epoch;
};

bool broker_view_quorum(const struct broker *broker, struct quorum_view *ret_view);

/* True while the broker's lease (core/lease.h) holds; always where it is alone. */
bool broker_view_lease(const struct broker *broker);

/* The digest of the metadata image (core/meta/image.h); its cost is that of all topics. */
uint64_t broker_view_metadata(const struct broker *broker);

/* The most requests that any connection has under way, of requests_max; its cost is that of all
 * connections. */
uint32_t broker_view_requests(const struct broker *broker);

/* Of a node of a cluster: the incarnation of its process, zero before it has one; and what it knows
 * of another node. */
struct uuid broker_view_incarnation(const struct broker *broker);
bool broker_view_peer(const struct broker *broker, int32_t node_id, struct peer_status *ret_status);

/* The offsets of a partition's log: start ≤ durable_end ≤ written_end ≤ end. */
struct log_view {
    int64_t start;
    int64_t durable_end;
    int64_t written_end;
    int64_t end;
    int64_t high_watermark;
};

/* False when the broker does not host the partition, or has not read its log yet. */
bool broker_view_log(const struct broker *broker, struct uuid topic, int32_t index,
                     struct log_view *ret_view);

/* Where a cut of the partition's log that is under way leaves it at most; INT64_MAX: there is none.
 */
int64_t broker_view_cut(const struct broker *broker, struct uuid topic, int32_t index);

/* Of a log that broker_view_log() tells of, the newest leader epoch that the broker has beginning
 * before `before`, and its first offset. False where that function is, and when there is none. */
bool broker_view_epoch(const struct broker *broker, struct uuid topic, int32_t index,
                       int64_t before, int32_t *ret_epoch, int64_t *ret_offset);

#endif
