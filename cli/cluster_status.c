/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_status.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/client.h"
#include "cli/cluster_brokers.h"
#include "cli/cluster_print.h"
#include "cli/topic_print.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Of DescribeCluster, from which on fenced brokers are in the answer. */
#define VERSION_FENCED 2

/* Of the time for one call, the part that is for each of the brokers, and for the leader of the
 * quorum: one that hangs is no reason to wait as long as for the one that has to answer. */
static int part_of(int timeout_ms)
{
    return timeout_ms < 3 ? 1 : timeout_ms / 3;
}

static int by_voter(const void *a, const void *b)
{
    const struct describe_quorum_response_topic_partition_current_voter *voter_a = a;
    const struct describe_quorum_response_topic_partition_current_voter *voter_b = b;
    return (voter_a->replica_id > voter_b->replica_id) -
           (voter_a->replica_id < voter_b->replica_id);
}

static int by_observer(const void *a, const void *b)
{
    const struct describe_quorum_response_topic_partition_observer *observer_a = a;
    const struct describe_quorum_response_topic_partition_observer *observer_b = b;
    return (observer_a->replica_id > observer_b->replica_id) -
           (observer_a->replica_id < observer_b->replica_id);
}

quorum_of_response cluster_ask_quorum(struct client *client,
                                      struct describe_quorum_response *response)
{
    struct describe_quorum_request_topic_partition partition = {.partition_index = 0};
    struct describe_quorum_request_topic topic = {
        .topic_name = SPAN("__cluster_metadata"), .partitions = &partition, .partitions_count = 1};
    struct describe_quorum_request request;
    wire_defaults(&wire_describe_quorum_request, &request);
    request.topics = &topic;
    request.topics_count = 1;
    if (client_version(client, API_DESCRIBE_QUORUM) < 0 ||
        client_call(client, API_DESCRIBE_QUORUM, &request, response) != 0 ||
        response->error_code != ERR_NONE || response->topics_count != 1 ||
        response->topics[0].partitions_count != 1 ||
        response->topics[0].partitions[0].error_code != ERR_NONE)
        return NULL;
    struct describe_quorum_response_topic_partition *quorum = &response->topics[0].partitions[0];
    if (quorum->current_voters_count > 1)
        qsort(quorum->current_voters, (size_t)quorum->current_voters_count,
              sizeof(quorum->current_voters[0]), by_voter);
    if (quorum->observers_count > 1)
        qsort(quorum->observers, (size_t)quorum->observers_count, sizeof(quorum->observers[0]),
              by_observer);
    return quorum;
}

/* All partitions of `metadata`, whose topics are sorted, in one array, to be freed; NULL: no
 * memory. */
static struct partition_view *list_partitions(const struct metadata_response *metadata,
                                              int32_t *ret_count)
{
    size_t count = 0;
    size_t at = 0;
    for (int32_t i = 0; i < metadata->topics_count; i++)
        count += (size_t)metadata->topics[i].partitions_count;
    struct partition_view *partitions = calloc(count + 1, sizeof(*partitions));
    if (partitions == NULL)
        return NULL;
    for (int32_t i = 0; i < metadata->topics_count; i++) {
        for (int32_t j = 0; j < metadata->topics[i].partitions_count; j++)
            partitions[at++] = (struct partition_view){.topic = metadata->topics[i].name,
                                                       .meta = &metadata->topics[i].partitions[j]};
    }
    *ret_count = (int32_t)count;
    return partitions;
}

/* Who is there, as the broker knows. Returns NULL, or why it does not tell. */
static const char *ask_cluster(struct client *client, struct describe_cluster_response *cluster)
{
    struct describe_cluster_request request;
    wire_defaults(&wire_describe_cluster_request, &request);
    request.include_fenced_brokers = true;
    request.include_streams = true;
    if (client_call(client, API_DESCRIBE_CLUSTER, &request, cluster) != 0)
        return client->message;
    if (cluster->error_code != ERR_NONE)
        return client_error_text(client, cluster->error_code, cluster->error_message);
    return NULL;
}

/* … and all that there is, by now. */
static const char *ask_all(struct client *client, struct describe_cluster_response *cluster,
                           struct metadata_response *metadata)
{
    struct metadata_request request;
    const char *why = ask_cluster(client, cluster);
    if (why != NULL)
        return why;
    wire_defaults(&wire_metadata_request, &request);
    request.topics_count = -1; /* null: all of them */
    request.allow_auto_topic_creation = false;
    if (client_call(client, API_METADATA, &request, metadata) != 0)
        return client->message;
    topic_sort(metadata);
    return NULL;
}

/* Asks for everything, and prints it; `brokers` (NULL: none tells) are reached. Returns NULL, or
 * why there is nothing to print. */
static const char *show(struct client *client, struct cluster_brokers *brokers,
                        const struct cluster_status *status)
{
    struct describe_cluster_response cluster;
    struct metadata_response metadata;
    struct describe_quorum_response quorum;
    const char *why = ask_all(client, &cluster, &metadata);
    if (why != NULL)
        return why;
    struct cluster_view view = {
        .cluster = &cluster,
        .knows_fenced = client_version(client, API_DESCRIBE_CLUSTER) >= VERSION_FENCED,
        .knows_quorum = client_version(client, API_DESCRIBE_QUORUM) >= 0,
        .answered = client->address,
        .metadata = &metadata,
    };
    view.partitions = list_partitions(&metadata, &view.partitions_count);
    if (view.partitions == NULL)
        return "out of memory";
    if (brokers != NULL)
        cluster_brokers_ask(brokers, &view);
    client->timeout_ms = part_of(status->timeout_ms);
    view.quorum = cluster_ask_quorum(client, &quorum); /* last: it may wait in vain for a leader */
    if (status->json)
        cluster_print_json(stdout, &view);
    else
        cluster_print(stdout, &view, status->shows_all);
    free(view.partitions);
    return NULL;
}

static const char *reach_and_show(struct client *client, const struct cluster_status *status)
{
    struct describe_cluster_response cluster;
    struct cluster_brokers *brokers = NULL;
    const char *why = ask_cluster(client, &cluster);
    if (why == NULL && cluster.streams_count >= 0) /* Kafka's brokers do not tell of any */
        brokers = cluster_brokers_reach(&cluster, part_of(status->timeout_ms));
    if (why == NULL)
        why = show(client, brokers, status);
    cluster_brokers_free(brokers);
    return why;
}

int cluster_status(const struct cmd *cmd, const struct cluster_status *status)
{
    const char *why = "out of memory";
    struct client *client = calloc(1, sizeof(*client));
    if (client != NULL)
        why = client_open(client, status->servers, status->timeout_ms) == 0
                  ? reach_and_show(client, status)
                  : client->message;
    if (why != NULL)
        fprintf(stderr, "%s %s: status: %s\n", cmd->program, cmd->name, why);
    if (client != NULL)
        client_close(client);
    free(client);
    return why == NULL ? EXIT_CODE_DONE : EXIT_CODE_FAILED;
}
