/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_view.h"

#include <string.h>

static bool is_member(const int32_t *nodes, int32_t count, int32_t id)
{
    for (int32_t i = 0; i < count; i++) {
        if (nodes[i] == id)
            return true;
    }
    return false;
}

bool partition_is_leaderless(const struct partition_view *partition)
{
    return partition->meta->leader_id < 0;
}

bool partition_is_under_replicated(const struct partition_view *partition)
{
    return partition->meta->isr_nodes_count < partition->meta->replica_nodes_count;
}

bool partition_has_in_sync(const struct partition_view *partition, int32_t id)
{
    return is_member(partition->meta->isr_nodes, partition->meta->isr_nodes_count, id);
}

struct cluster_counts cluster_count(const struct cluster_view *view)
{
    struct cluster_counts counts = {.partitions = view->partitions_count};
    for (int32_t i = 0; i < view->partitions_count; i++) {
        counts.lags += partition_is_under_replicated(&view->partitions[i]);
        counts.leaderless += partition_is_leaderless(&view->partitions[i]);
    }
    return counts;
}

struct cluster_counts cluster_count_broker(const struct cluster_view *view, int32_t id)
{
    struct cluster_counts counts = {0};
    for (int32_t i = 0; i < view->partitions_count; i++) {
        partition_of_metadata meta = view->partitions[i].meta;
        if (!is_member(meta->replica_nodes, meta->replica_nodes_count, id))
            continue;
        counts.partitions++;
        counts.leads += meta->leader_id == id;
        counts.lags += !partition_has_in_sync(&view->partitions[i], id);
    }
    return counts;
}

int32_t cluster_controller(const struct cluster_view *view)
{
    if (view->quorum != NULL)
        return view->quorum->leader_id;
    return view->knows_quorum ? -1 : view->cluster->controller_id;
}

const struct describe_cluster_response_broker *cluster_broker(const struct cluster_view *view,
                                                              int32_t id)
{
    for (int32_t i = 0; i < view->cluster->brokers_count; i++) {
        if (view->cluster->brokers[i].broker_id == id)
            return &view->cluster->brokers[i];
    }
    return NULL;
}

const struct broker_answer *cluster_answer(const struct cluster_view *view, int32_t id)
{
    for (int32_t i = 0; i < view->answers_count; i++) {
        if (view->answers[i].id == id)
            return &view->answers[i];
    }
    return NULL;
}

enum cluster_wait partition_waits_for(const struct partition_view *partition)
{
    if (partition->told == NULL || partition->told->leader_id >= 0) /* who told knew less or more */
        return WAIT_UNKNOWN;
    if (partition->told->eligible_leader_replicas_count > 0)
        return WAIT_ELIGIBLE;
    return partition->told->last_known_elr_count > 0 ? WAIT_LAST_KNOWN : WAIT_OPERATOR;
}

/* What another leader knew counts no more. */
follower_told partition_follower(const struct partition_view *partition, int32_t id)
{
    partition_told told = partition->told;
    if (told == NULL || told->leader_id != partition->meta->leader_id)
        return NULL;
    for (int32_t i = 0; i < told->followers_count; i++) {
        if (told->followers[i].broker_id == id)
            return &told->followers[i];
    }
    return NULL;
}

int64_t partition_lag(const struct partition_view *partition, follower_told follower)
{
    if (follower == NULL || follower->end_offset < 0 || partition->told->log_end_offset < 0)
        return -1;
    const int64_t lag = partition->told->log_end_offset - follower->end_offset;
    return lag < 0 ? 0 : lag;
}

int64_t partition_lag_most(const struct partition_view *partition)
{
    int64_t most = -1;
    for (int32_t i = 0; i < partition->meta->replica_nodes_count; i++) {
        const int64_t lag = partition_lag(
            partition, partition_follower(partition, partition->meta->replica_nodes[i]));
        most = lag > most ? lag : most;
    }
    return most;
}

bool partition_is_behind(const struct partition_view *partition, follower_told follower)
{
    return follower != NULL && follower->behind_ms >= CLUSTER_BEHIND_MS &&
           partition_has_in_sync(partition, follower->broker_id);
}

const char *stream_state(stream_told stream)
{
    return stream->is_silent ? "silent" : stream->is_up ? "up" : "down";
}

bool stream_is_well(stream_told stream)
{
    return strcmp(stream_state(stream), "up") == 0 && stream->catching_up == 0 &&
           !stream->is_throttled;
}
