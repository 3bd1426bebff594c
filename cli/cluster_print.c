/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_print.h"

#include <string.h>

#include "cli/cluster_status.h"
#include "cli/json.h"
#include "cli/topic_print.h"
#include "core/base/format.h"
#include "core/base/uuid.h"

#define ADDRESS_WIDTH_MIN 15

typedef const struct metadata_response_topic_partition *partition_of_metadata;
typedef struct describe_quorum_response_topic_partition_current_voter voter_of_quorum;

/* What one broker, or the whole cluster, has to do with partitions. */
struct counts {
    int32_t partitions;
    int32_t leads;
    int32_t lags;       /* replicas that are not in sync; of the cluster: partitions with such */
    int32_t leaderless; /* of the cluster */
};

/* The same is known of an observer as of a voter. */
static voter_of_quorum
voter_of(const struct describe_quorum_response_topic_partition_observer *observer)
{
    return (voter_of_quorum){
        .replica_id = observer->replica_id,
        .replica_directory_id = observer->replica_directory_id,
        .log_end_offset = observer->log_end_offset,
        .last_fetch_timestamp = observer->last_fetch_timestamp,
        .last_caught_up_timestamp = observer->last_caught_up_timestamp,
    };
}

/* Kafka's brokers name any of them as the controller, since any of them passes requests on. */
static int32_t controller_of(const struct cluster_view *view)
{
    return view->quorum == NULL ? view->cluster->controller_id : view->quorum->leader_id;
}

static bool is_member(const int32_t *nodes, int32_t count, int32_t id)
{
    for (int32_t i = 0; i < count; i++) {
        if (nodes[i] == id)
            return true;
    }
    return false;
}

static bool is_leaderless(partition_of_metadata partition)
{
    return partition->leader_id < 0;
}

static bool is_under_replicated(partition_of_metadata partition)
{
    return partition->isr_nodes_count < partition->replica_nodes_count;
}

static bool is_troubled(partition_of_metadata partition)
{
    return is_leaderless(partition) || is_under_replicated(partition);
}

static struct counts count_cluster(const struct metadata_response *metadata)
{
    struct counts counts = {0};
    for (int32_t i = 0; i < metadata->topics_count; i++) {
        const struct metadata_response_topic *topic = &metadata->topics[i];
        counts.partitions += topic->partitions_count;
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            counts.lags += is_under_replicated(&topic->partitions[j]);
            counts.leaderless += is_leaderless(&topic->partitions[j]);
        }
    }
    return counts;
}

static struct counts count_broker(const struct metadata_response *metadata, int32_t id)
{
    struct counts counts = {0};
    for (int32_t i = 0; i < metadata->topics_count; i++) {
        const struct metadata_response_topic *topic = &metadata->topics[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            partition_of_metadata partition = &topic->partitions[j];
            if (!is_member(partition->replica_nodes, partition->replica_nodes_count, id))
                continue;
            counts.partitions++;
            counts.leads += partition->leader_id == id;
            counts.lags += !is_member(partition->isr_nodes, partition->isr_nodes_count, id);
        }
    }
    return counts;
}

/* ---- JSON. ---- */

static void json_nodes(FILE *out, const char *name, const int32_t *nodes, int32_t count)
{
    fprintf(out, ",\"%s\":[", name);
    topic_print_nodes(out, nodes, count);
    fputc(']', out);
}

static void json_partitions(FILE *out, const char *name, const struct metadata_response *metadata,
                            bool (*is_meant)(partition_of_metadata partition))
{
    const char *comma = "";
    fprintf(out, ",\"%s\":[", name);
    for (int32_t i = 0; i < metadata->topics_count; i++) {
        const struct metadata_response_topic *topic = &metadata->topics[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            partition_of_metadata partition = &topic->partitions[j];
            if (!is_meant(partition))
                continue;
            fprintf(out, "%s{\"topic\":", comma);
            json_text(out, topic->name);
            fprintf(out, ",\"partition\":%d,\"leader\":%d", partition->partition_index,
                    partition->leader_id);
            json_nodes(out, "replicas", partition->replica_nodes, partition->replica_nodes_count);
            json_nodes(out, "in_sync", partition->isr_nodes, partition->isr_nodes_count);
            fputc('}', out);
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
        const struct counts counts = count_broker(view->metadata, broker->broker_id);
        fprintf(out, "%s{\"id\":%d,\"host\":", i == 0 ? "" : ",", broker->broker_id);
        json_text(out, broker->host);
        fprintf(out, ",\"port\":%d,\"rack\":", broker->port);
        json_text(out, broker->rack);
        fprintf(out, ",\"fenced\":%s,\"leads\":%d,\"replicas\":%d,\"out_of_sync\":%d}",
                !view->knows_fenced ? "null"
                : broker->is_fenced ? "true"
                                    : "false",
                counts.leads, counts.partitions, counts.lags);
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
    for (int32_t i = 0; i < quorum->observers_count; i++)
        json_replica(out, i == 0 ? "" : ",", voter_of(&quorum->observers[i]));
    fputs("]}", out);
}

static void print_json(FILE *out, const struct cluster_view *view)
{
    const struct metadata_response *metadata = view->metadata;
    fputs("{\"cluster_id\":", out);
    json_text(out, view->cluster->cluster_id);
    fprintf(out, ",\"controller\":%d", controller_of(view));
    json_brokers(out, view);
    json_quorum(out, view->quorum);
    fprintf(out, ",\"topics\":%d,\"partitions\":%d", metadata->topics_count,
            count_cluster(metadata).partitions);
    json_partitions(out, "under_replicated", metadata, is_under_replicated);
    json_partitions(out, "leaderless", metadata, is_leaderless);
    fputs("}\n", out);
}

/* ---- Tables. ---- */

/* "host:port"; returns its width. Nowhere when `out` is NULL. */
static int print_address(FILE *out, const struct describe_cluster_response_broker *broker)
{
    const bool is_ipv6 =
        broker->host.length > 0 && memchr(broker->host.data, ':', broker->host.length) != NULL;
    char text[300];
    const int width = snprintf(text, sizeof(text), "%s%.*s%s:%d", is_ipv6 ? "[" : "",
                               SPAN_ARGS(broker->host), is_ipv6 ? "]" : "", broker->port);
    if (out != NULL)
        fputs(text, out);
    return width < (int)sizeof(text) ? width : (int)sizeof(text) - 1;
}

static void print_brokers(FILE *out, const struct cluster_view *view)
{
    const struct describe_cluster_response *cluster = view->cluster;
    int width = ADDRESS_WIDTH_MIN;
    for (int32_t i = 0; i < cluster->brokers_count; i++) {
        const int needed = print_address(NULL, &cluster->brokers[i]);
        width = needed > width ? needed : width;
    }
    fprintf(out, "  BROKER  %-*s  REPLICAS   LEADS  OUT OF SYNC\n", width, "ADDRESS");
    for (int32_t i = 0; i < cluster->brokers_count; i++) {
        const struct describe_cluster_response_broker *broker = &cluster->brokers[i];
        const struct counts counts = count_broker(view->metadata, broker->broker_id);
        fprintf(out, "  %6d  ", broker->broker_id);
        fprintf(out, "%*s  %8d  %6d  %11d", width - print_address(out, broker), "",
                counts.partitions, counts.leads, counts.lags);
        if (broker->broker_id == controller_of(view))
            fputs("  controller", out);
        if (broker->is_fenced)
            fputs("  fenced", out);
        if (!span_is_null(broker->rack))
            fprintf(out, "  rack %.*s", SPAN_ARGS(broker->rack));
        fputc('\n', out);
    }
}

static void print_partition(FILE *out, const struct metadata_response_topic *topic,
                            partition_of_metadata partition, int width)
{
    fprintf(out, "  %.*s%*s  %9d  ", SPAN_ARGS(topic->name), width - (int)topic->name.length, "",
            partition->partition_index);
    if (is_leaderless(partition))
        fprintf(out, "%6s  ", "none");
    else
        fprintf(out, "%6d  ", partition->leader_id);
    const int length =
        topic_print_nodes(out, partition->replica_nodes, partition->replica_nodes_count);
    fprintf(out, "%*s  ", length < 12 ? 12 - length : 0, "");
    if (topic_print_nodes(out, partition->isr_nodes, partition->isr_nodes_count) == 0)
        fputs("none", out);
    fputc('\n', out);
}

/* Those that are as they should be are many, and not shown. */
static void print_troubled(FILE *out, const struct metadata_response *metadata)
{
    int width = (int)strlen("TOPIC");
    for (int32_t i = 0; i < metadata->topics_count; i++) {
        if ((int)metadata->topics[i].name.length > width)
            width = (int)metadata->topics[i].name.length;
    }
    fprintf(out, "  %-*s  PARTITION  LEADER  REPLICAS      IN SYNC\n", width, "TOPIC");
    for (int32_t i = 0; i < metadata->topics_count; i++) {
        const struct metadata_response_topic *topic = &metadata->topics[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            if (is_troubled(&topic->partitions[j]))
                print_partition(out, topic, &topic->partitions[j], width);
        }
    }
}

/* How far each node's log is, next to the longest. */
static void print_replica(FILE *out, quorum_of_response quorum, voter_of_quorum voter,
                          const char *role)
{
    int64_t end = voter.log_end_offset;
    for (int32_t i = 0; i < quorum->current_voters_count; i++) {
        if (quorum->current_voters[i].log_end_offset > end)
            end = quorum->current_voters[i].log_end_offset;
    }
    fprintf(out, "  %6d  %-8s  %10lld  ", voter.replica_id,
            voter.replica_id == quorum->leader_id ? "leader" : role,
            (long long)voter.log_end_offset);
    if (voter.log_end_offset < 0)
        fprintf(out, "%10s\n", "unknown");
    else
        fprintf(out, "%10lld\n", (long long)(end - voter.log_end_offset));
}

static void print_quorum(FILE *out, quorum_of_response quorum)
{
    fprintf(out, "metadata: term %d, committed %lld\n", quorum->leader_epoch,
            (long long)quorum->high_watermark);
    fputs("    NODE  ROLE         LOG END      BEHIND\n", out);
    for (int32_t i = 0; i < quorum->current_voters_count; i++)
        print_replica(out, quorum, quorum->current_voters[i], "voter");
    for (int32_t i = 0; i < quorum->observers_count; i++)
        print_replica(out, quorum, voter_of(&quorum->observers[i]), "observer");
}

void cluster_print(FILE *out, const struct cluster_view *view, bool json)
{
    const struct describe_cluster_response *cluster = view->cluster;
    const struct metadata_response *metadata = view->metadata;
    const struct counts counts = count_cluster(metadata);
    if (json) {
        print_json(out, view);
        return;
    }
    fprintf(out, "cluster %.*s: %d broker%s, controller ", SPAN_ARGS(cluster->cluster_id),
            cluster->brokers_count, cluster->brokers_count == 1 ? "" : "s");
    if (controller_of(view) < 0)
        fputs("none\n", out);
    else
        fprintf(out, "%d\n", controller_of(view));
    print_brokers(out, view);
    if (view->quorum != NULL)
        print_quorum(out, view->quorum);
    fprintf(out, "%d topic%s, %d partition%s: %d under-replicated, %d without a leader\n",
            metadata->topics_count, metadata->topics_count == 1 ? "" : "s", counts.partitions,
            counts.partitions == 1 ? "" : "s", counts.lags, counts.leaderless);
    if (counts.lags > 0 || counts.leaderless > 0)
        print_troubled(out, metadata);
}
