/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator asks about topics, the cluster and its settings. */
#include <string.h>

#include "sim/admin.h"

#define ASKED_MOST     3 /* topics or partitions of one request */
#define RESOURCE_TOPIC 2
#define RESOURCE_NODE  4
#define TIME_MS        1700000000000

/* Null, none, or some; the oldest version has no null, and takes none for all. */
static void fill_metadata(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct metadata_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, ASKED_MOST * sizeof(*request->topics));
    request->topics_count = (int32_t)chance_between(rng, 0, ASKED_MOST + 1) - 1;
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct admin_topic *own = admin_own_topic(admin);
        if (exchange->version >= 12 && !uuid_is_zero(own->id) && chance_one_in(rng, 3))
            request->topics[i] =
                (struct metadata_request_topic){.topic_id = own->id, .name = SPAN_NULL};
        else
            request->topics[i].name = admin_any_topic(admin);
    }
    request->allow_auto_topic_creation = chance_one_in(rng, 8);
    request->include_cluster_authorized_operations = chance_one_in(rng, 4);
    request->include_topic_authorized_operations = chance_one_in(rng, 4);
}

/* Learns the ids of its own topics. */
static void answered_metadata(struct admin *admin, const struct exchange *exchange)
{
    const struct metadata_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count && exchange->version >= 10; i++) {
        for (uint32_t j = 0; j < ADMIN_TOPICS; j++) {
            struct admin_topic *own = &admin->topics[j];
            if (response->topics[i].error_code == 0 &&
                span_equal(response->topics[i].name, span_text(own->name)))
                own->id = response->topics[i].topic_id;
        }
    }
}

static void fill_describe_cluster(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct describe_cluster_request *request = (void *)(uintptr_t)exchange->request;
    request->include_cluster_authorized_operations = chance_one_in(rng, 2);
    request->endpoint_type = chance_one_in(rng, 4) ? 2 : 1;
    request->include_fenced_brokers = chance_one_in(rng, 2);
}

/* All or some, in one page or in many. */
static void fill_describe_partitions(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct describe_topic_partitions_request *request = (void *)(uintptr_t)exchange->request;
    request->topics_count = (int32_t)chance_between(rng, 0, ASKED_MOST);
    request->topics = peer_take(exchange, ASKED_MOST * sizeof(*request->topics));
    for (int32_t i = 0; i < request->topics_count; i++)
        request->topics[i].name = admin_any_topic(admin);
    if (chance_one_in(rng, 4))
        request->response_partition_limit = (int32_t)chance_between(rng, 1, ASKED_MOST);
    if (!chance_one_in(rng, 4))
        return;
    request->cursor = peer_take(exchange, sizeof(*request->cursor));
    request->cursor->topic_name = admin_any_topic(admin);
    request->cursor->partition_index = (int32_t)chance_below(rng, 3);
}

static void fill_describe_log_dirs(struct admin *admin, struct exchange *exchange)
{
    struct describe_log_dirs_request *request = (void *)(uintptr_t)exchange->request;
    request->topics_count = chance_one_in(&admin->client.rng, 2) ? -1 : 1;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics->topic = admin_any_topic(admin);
    request->topics->partitions_count = 2;
    request->topics->partitions = peer_take(exchange, 2 * sizeof(int32_t));
    request->topics->partitions[1] = 1;
}

static void fill_describe_quorum(struct admin *admin, struct exchange *exchange)
{
    struct describe_quorum_request *request = (void *)(uintptr_t)exchange->request;
    (void)admin;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->topic_name = SPAN("__cluster_metadata");
    request->topics->partitions = peer_take(exchange, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
}

static void fill_describe_configs(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct describe_configs_request *request = (void *)(uintptr_t)exchange->request;
    request->resources_count = (int32_t)chance_between(rng, 1, 2);
    request->resources = peer_take(exchange, 2 * sizeof(*request->resources));
    for (int32_t i = 0; i < request->resources_count; i++) {
        struct describe_configs_request_resource *resource = &request->resources[i];
        const bool is_topic = !chance_one_in(rng, 3);
        resource->resource_type = is_topic ? RESOURCE_TOPIC : RESOURCE_NODE;
        resource->resource_name = is_topic ? admin_any_topic(admin) : SPAN("1");
        resource->configuration_keys_count = chance_one_in(rng, 2) ? -1 : 2;
        resource->configuration_keys = peer_take(exchange, 2 * sizeof(struct span));
        resource->configuration_keys[0] = SPAN("retention.ms");
        resource->configuration_keys[1] = SPAN("no.such.key");
    }
    request->include_synonyms = chance_one_in(rng, 2);
    request->include_documentation = chance_one_in(rng, 4);
}

/* The earliest, the latest, and all that later versions added; or a time. */
static void fill_list_offsets(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct list_offsets_request *request = (void *)(uintptr_t)exchange->request;
    request->replica_id = -1;
    request->isolation_level = chance_one_in(rng, 2) ? 1 : 0;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = admin_any_topic(admin);
    request->topics[0].partitions_count = (int32_t)chance_between(rng, 1, ASKED_MOST);
    request->topics[0].partitions =
        peer_take(exchange, ASKED_MOST * sizeof(*request->topics[0].partitions));
    for (int32_t i = 0; i < request->topics[0].partitions_count; i++) {
        const int64_t special = -(int64_t)chance_between(rng, 1, 5);
        const int64_t elapsed_ms = (int64_t)(admin->client.sim->now_us / 1000);
        request->topics[0].partitions[i] = (struct list_offsets_request_topic_partition){
            .partition_index = i,
            .current_leader_epoch = -1,
            .timestamp = chance_one_in(rng, 3)
                             ? TIME_MS + (int64_t)chance_below(rng, (uint64_t)elapsed_ms + 1)
                             : special};
    }
}

static void fill_leader_epoch(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct offset_for_leader_epoch_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].topic = admin_any_topic(admin);
    request->topics[0].partitions_count = (int32_t)chance_between(rng, 1, ASKED_MOST);
    request->topics[0].partitions =
        peer_take(exchange, ASKED_MOST * sizeof(*request->topics[0].partitions));
    for (int32_t i = 0; i < request->topics[0].partitions_count; i++)
        request->topics[0].partitions[i] = (struct offset_for_leader_epoch_request_topic_partition){
            .partition = i,
            .current_leader_epoch = chance_one_in(rng, 4) ? (int32_t)chance_below(rng, 4) : -1,
            .leader_epoch = (int32_t)chance_below(rng, 6)};
}

/* A new id, or a higher epoch of the one that it has. */
static void fill_producer_id(struct admin *admin, struct exchange *exchange)
{
    struct init_producer_id_request *request = (void *)(uintptr_t)exchange->request;
    request->transactional_id = SPAN_NULL;
    if (admin->producer_id >= 0 && chance_one_in(&admin->client.rng, 2)) {
        request->producer_id = admin->producer_id;
        request->producer_epoch = admin->producer_epoch;
    }
}

static void answered_producer_id(struct admin *admin, const struct exchange *exchange)
{
    const struct init_producer_id_response *response = exchange->response;
    admin->producer_id = response->error_code == 0 ? response->producer_id : -1;
    admin->producer_epoch = response->producer_epoch;
}

static void fill_api_versions(struct admin *admin, struct exchange *exchange)
{
    struct api_versions_request *request = (void *)(uintptr_t)exchange->request;
    request->client_software_name = span_text(admin->client.name);
    request->client_software_version = SPAN("1.0");
}

const struct admin_action admin_queries[] = {
    {API_METADATA, 12, fill_metadata, answered_metadata},
    {API_DESCRIBE_CLUSTER, 2, fill_describe_cluster, NULL},
    {API_DESCRIBE_CONFIGS, 4, fill_describe_configs, NULL},
    {API_DESCRIBE_TOPIC_PARTITIONS, 6, fill_describe_partitions, NULL},
    {API_DESCRIBE_LOG_DIRS, 2, fill_describe_log_dirs, NULL},
    {API_DESCRIBE_QUORUM, 2, fill_describe_quorum, NULL},
    {API_LIST_OFFSETS, 6, fill_list_offsets, NULL},
    {API_OFFSET_FOR_LEADER_EPOCH, 4, fill_leader_epoch, NULL},
    {API_INIT_PRODUCER_ID, 2, fill_producer_id, answered_producer_id},
    {API_API_VERSIONS, 2, fill_api_versions, NULL},
    {0},
};
