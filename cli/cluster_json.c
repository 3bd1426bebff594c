/* SPDX-License-Identifier: Apache-2.0 */
/* One line of JSON for all that "chronik cluster status" found out. */
#include "cli/cluster_print.h"
#include "cli/json.h"
#include "cli/topic_print.h"
#include "core/base/format.h"
#include "core/base/uuid.h"

typedef struct describe_quorum_response_topic_partition_current_voter voter_of_quorum;
typedef const struct describe_quorum_response_topic_partition_observer *observer_of_quorum;

static const char *json_bool(bool is_so)
{
    return is_so ? "true" : "false";
}

static void json_nodes(FILE *out, const char *name, const int32_t *nodes, int32_t count)
{
    fprintf(out, ",\"%s\":[", name);
    topic_print_nodes(out, nodes, count);
    fputc(']', out);
}

/* A number, or null for what is unknown. */
static void json_known(FILE *out, const char *name, int64_t number)
{
    if (number < 0)
        fprintf(out, ",\"%s\":null", name);
    else
        fprintf(out, ",\"%s\":%lld", name, (long long)number);
}

static void json_place(FILE *out, const struct partition_view *partition)
{
    fputs("{\"topic\":", out);
    json_text(out, partition->topic);
    fprintf(out, ",\"partition\":%d,\"leader\":%d", partition->meta->partition_index,
            partition->meta->leader_id);
}

static void json_waits_for(FILE *out, const struct partition_view *partition)
{
    static const char *const names[] = {
        [WAIT_UNKNOWN] = "null",
        [WAIT_ELIGIBLE] = "\"eligible_leader_replica\"",
        [WAIT_LAST_KNOWN] = "\"last_known_leader\"",
        [WAIT_OPERATOR] = "\"operator\"",
    };
    partition_told told = partition->told;
    fprintf(out, ",\"waits_for\":%s", names[partition_waits_for(partition)]);
    if (told == NULL)
        return;
    json_nodes(out, "eligible", told->eligible_leader_replicas,
               told->eligible_leader_replicas_count);
    json_nodes(out, "last_known", told->last_known_elr, told->last_known_elr_count);
}

static void json_partitions(FILE *out, const char *name, const struct cluster_view *view,
                            bool (*is_meant)(const struct partition_view *partition))
{
    const char *comma = "";
    fprintf(out, ",\"%s\":[", name);
    for (int32_t i = 0; i < view->partitions_count; i++) {
        const struct partition_view *partition = &view->partitions[i];
        partition_of_metadata meta = partition->meta;
        if (!is_meant(partition))
            continue;
        fputs(comma, out);
        json_place(out, partition);
        json_nodes(out, "replicas", meta->replica_nodes, meta->replica_nodes_count);
        json_nodes(out, "in_sync", meta->isr_nodes, meta->isr_nodes_count);
        if (partition_is_leaderless(partition))
            json_waits_for(out, partition);
        fputc('}', out);
        comma = ",";
    }
    fputc(']', out);
}

static void json_followers(FILE *out, const struct partition_view *partition)
{
    fputs(",\"followers\":[", out);
    for (int32_t i = 0; i < partition->told->followers_count; i++) {
        follower_told follower = &partition->told->followers[i];
        fprintf(out, "%s{\"id\":%d,\"in_sync\":%s", i == 0 ? "" : ",", follower->broker_id,
                json_bool(partition_has_in_sync(partition, follower->broker_id)));
        json_known(out, "end", follower->end_offset);
        json_known(out, "lag", partition_lag(partition, follower));
        json_known(out, "behind_for_ms", follower->behind_ms);
        fputc('}', out);
    }
    fputs("]}", out);
}

static void json_lag(FILE *out, const struct cluster_view *view)
{
    const char *comma = "";
    fputs(",\"lag\":[", out);
    for (int32_t i = 0; i < view->partitions_count; i++) {
        const struct partition_view *partition = &view->partitions[i];
        if (partition->told == NULL || partition->told->followers_count < 0)
            continue;
        fputs(comma, out);
        json_place(out, partition);
        json_known(out, "log_end", partition->told->log_end_offset);
        json_followers(out, partition);
        comma = ",";
    }
    fputc(']', out);
}

static void json_streams(FILE *out, const struct cluster_view *view)
{
    const char *comma = "";
    fputs(",\"streams\":[", out);
    for (int32_t i = 0; i < view->answers_count; i++) {
        for (int32_t k = 0; k < view->answers[i].streams_count; k++) {
            stream_told stream = &view->answers[i].streams[k];
            fprintf(out, "%s{\"from\":%d,\"to\":%d,\"state\":\"%s\"", comma, view->answers[i].id,
                    stream->broker_id, stream_state(stream));
            json_known(out, "up_for_ms", stream->up_ms);
            json_known(out, "heard_ago_ms", stream->heard_ms);
            fprintf(out,
                    ",\"unacknowledged_bytes\":%lld,\"partitions\":%d,\"catching_up\":%d,"
                    "\"throttled\":%s}",
                    (long long)stream->unacknowledged_bytes, stream->partitions,
                    stream->catching_up, json_bool(stream->is_throttled));
            comma = ",";
        }
    }
    fputc(']', out);
}

static void json_brokers(FILE *out, const struct cluster_view *view)
{
    const struct describe_cluster_response *cluster = view->cluster;
    fputs(",\"brokers\":[", out);
    for (int32_t i = 0; i < cluster->brokers_count; i++) {
        const struct describe_cluster_response_broker *broker = &cluster->brokers[i];
        const struct cluster_counts counts = cluster_count_broker(view, broker->broker_id);
        const struct broker_answer *answer = cluster_answer(view, broker->broker_id);
        fprintf(out, "%s{\"id\":%d,\"host\":", i == 0 ? "" : ",", broker->broker_id);
        json_text(out, broker->host);
        fprintf(out, ",\"port\":%d,\"rack\":", broker->port);
        json_text(out, broker->rack);
        fprintf(out, ",\"fenced\":%s,\"leads\":%d,\"replicas\":%d,\"out_of_sync\":%d",
                view->knows_fenced ? json_bool(broker->is_fenced) : "null", counts.leads,
                counts.partitions, counts.lags);
        fprintf(out, ",\"answers\":%s,\"why_not\":",
                answer == NULL ? "null" : json_bool(answer->why == NULL));
        json_text(out, answer == NULL ? SPAN_NULL : span_text(answer->why));
        fputc('}', out);
    }
    fputc(']', out);
}

static void json_replica(FILE *out, const char *comma, voter_of_quorum voter)
{
    fprintf(out,
            "%s{\"id\":%d,\"directory\":\"%s\",\"log_end\":%lld,\"heard_ms\":%lld,"
            "\"caught_up_ms\":%lld}",
            comma, voter.replica_id, uuid_text(voter.replica_directory_id).text,
            (long long)voter.log_end_offset, (long long)voter.last_fetch_timestamp,
            (long long)voter.last_caught_up_timestamp);
}

static void json_quorum(FILE *out, quorum_of_response quorum)
{
    if (quorum == NULL) {
        fputs(",\"quorum\":null", out);
        return;
    }
    fprintf(out, ",\"quorum\":{\"leader\":%d,\"term\":%d,\"committed\":%lld,\"voters\":[",
            quorum->leader_id, quorum->leader_epoch, (long long)quorum->high_watermark);
    for (int32_t i = 0; i < quorum->current_voters_count; i++)
        json_replica(out, i == 0 ? "" : ",", quorum->current_voters[i]);
    fputs("],\"observers\":[", out);
    for (int32_t i = 0; i < quorum->observers_count; i++) {
        observer_of_quorum observer = &quorum->observers[i];
        json_replica(out, i == 0 ? "" : ",",
                     (voter_of_quorum){
                         .replica_id = observer->replica_id,
                         .replica_directory_id = observer->replica_directory_id,
                         .log_end_offset = observer->log_end_offset,
                         .last_fetch_timestamp = observer->last_fetch_timestamp,
                         .last_caught_up_timestamp = observer->last_caught_up_timestamp,
                     });
    }
    fputs("]}", out);
}

void cluster_print_json(FILE *out, const struct cluster_view *view)
{
    fputs("{\"cluster_id\":", out);
    json_text(out, view->cluster->cluster_id);
    fprintf(out, ",\"controller\":%d", cluster_controller(view));
    json_brokers(out, view);
    json_quorum(out, view->quorum);
    fprintf(out, ",\"topics\":%d,\"partitions\":%d", view->metadata->topics_count,
            view->partitions_count);
    json_partitions(out, "under_replicated", view, partition_is_under_replicated);
    json_partitions(out, "leaderless", view, partition_is_leaderless);
    if (view->answers == NULL) {
        fputs(",\"lag\":null,\"streams\":null", out);
    } else {
        json_lag(out, view);
        json_streams(out, view);
    }
    fputs("}\n", out);
}
