/* SPDX-License-Identifier: Apache-2.0 */
/* What was found out about a cluster, and what follows from that. */
#ifndef CLI_CLUSTER_VIEW_H
#define CLI_CLUSTER_VIEW_H

#include <stdbool.h>

#include "core/wire/messages.h"

/* Whoever has lacked something for less time than this keeps up: there is always something on its
 * way. */
#define CLUSTER_BEHIND_MS 1000

typedef const struct metadata_response_topic_partition *partition_of_metadata;
typedef const struct describe_topic_partitions_response_topic_partition *partition_told;
typedef const struct describe_topic_partitions_response_topic_partition_follower *follower_told;
typedef const struct describe_cluster_response_stream *stream_told;
typedef const struct describe_quorum_response_topic_partition *quorum_of_response;

/* What a broker tells that was asked by itself. */
struct broker_answer {
    int32_t id;
    const char *why; /* it tells nothing: why; NULL: it does */
    stream_told streams;
    int32_t streams_count;
};

struct partition_view {
    struct span topic;
    partition_of_metadata meta;
    partition_told told; /* by the broker that leads it, or else by any; NULL: by none */
};

struct cluster_view {
    const struct describe_cluster_response *cluster;
    bool knows_fenced;    /* the answer tells who is fenced */
    bool knows_quorum;    /* the broker answers for the quorum, but there may be no answer */
    const char *answered; /* the address of the broker that all this is from */
    const struct metadata_response *metadata;
    struct partition_view *partitions; /* in the order of topics, which is by name */
    int32_t partitions_count;
    quorum_of_response quorum;           /* NULL: nobody told of it */
    const struct broker_answer *answers; /* NULL: none of these brokers tells */
    int32_t answers_count;
};

/* What one broker, or the whole cluster, has to do with partitions. */
struct cluster_counts {
    int32_t partitions;
    int32_t leads;
    int32_t lags;       /* replicas that are not in sync; of the cluster: partitions with such */
    int32_t leaderless; /* of the cluster */
};

/* Who has to come back before a partition without a leader has one. */
enum cluster_wait { WAIT_UNKNOWN, WAIT_ELIGIBLE, WAIT_LAST_KNOWN, WAIT_OPERATOR };

struct cluster_counts cluster_count(const struct cluster_view *view);
struct cluster_counts cluster_count_broker(const struct cluster_view *view, int32_t id);

/* Kafka's brokers name any of them as the controller, since any of them passes requests on: the
 * quorum is asked, where there is one. -1: none is known. */
int32_t cluster_controller(const struct cluster_view *view);

/* The broker of that id, and what it told when it was asked; NULL: there is none, it was not. */
const struct describe_cluster_response_broker *cluster_broker(const struct cluster_view *view,
                                                              int32_t id);
const struct broker_answer *cluster_answer(const struct cluster_view *view, int32_t id);

bool partition_is_leaderless(const struct partition_view *partition);
bool partition_is_under_replicated(const struct partition_view *partition);
bool partition_has_in_sync(const struct partition_view *partition, int32_t id);
enum cluster_wait partition_waits_for(const struct partition_view *partition);

/* What its leader tells of a follower; NULL: nothing. */
follower_told partition_follower(const struct partition_view *partition, int32_t id);

/* Records that the follower lacks; -1: unknown. */
int64_t partition_lag(const struct partition_view *partition, follower_told follower);

/* … the one of its followers that lacks most. */
int64_t partition_lag_most(const struct partition_view *partition);

/* A replica is in sync, and yet behind for long. */
bool partition_is_behind(const struct partition_view *partition, follower_told follower);

/* "up"; or what the stream to another broker is instead. */
const char *stream_state(stream_told stream);

/* … and nothing of it is as it should not be. */
bool stream_is_well(stream_told stream);

#endif
