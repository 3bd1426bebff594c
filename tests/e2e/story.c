/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/story.h"

#include <stdint.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/records/builder.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define RECORDS         3
#define RECORDS_TIME_MS INT64_C(1700000000000)
#define BATCH_BYTES_MAX 512
#define RESOURCE_TOPIC  2
#define CONFIG_SET      0
#define TIME_OF_END     (-1)
#define UNKNOWN_BROKER  99

/* A subscription or assignment of version 0 of the consumer protocol: no topics, null user data.
 * Kafka never answers a member whose subscription cannot be read. */
#define CONSUMER_DATA SPAN("\0\0\0\0\0\0\xff\xff\xff\xff")

/* Requests have one element in most of their arrays, with one field to tell which. */
#define ONE(story, list, count) ((count) = 1, (list) = take((story), sizeof(*(list))))

static void *take(struct story *story, size_t size)
{
    void *piece = arena_take(story->arena, size);
    CHECK(piece != NULL);
    return piece;
}

static struct span keep(struct story *story, struct span text)
{
    const struct span kept = arena_copy(story->arena, text);
    CHECK(!span_is_null(kept));
    return kept;
}

static void ask_versions(struct story *story, void *to)
{
    struct api_versions_request *request = to;
    (void)story;
    request->client_software_name = SPAN("kafka-bytes");
    request->client_software_version = SPAN("1");
}

static void learn_features(struct story *story, const void *from)
{
    const struct api_versions_response *response = from;
    put_be64(story->features_epoch, (uint64_t)response->finalized_features_epoch);
}

static void ask_create_topics(struct story *story, void *to)
{
    struct create_topics_request *request = to;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    request->topics->num_partitions = 2;
    request->topics->replication_factor = 1;
    /* The records are old; nothing may delete them before they are fetched. */
    ONE(story, request->topics->configs, request->topics->configs_count);
    request->topics->configs->name = SPAN("retention.ms");
    request->topics->configs->value = SPAN("-1");
    request->timeout_ms = 30000;
}

/* Old versions do not tell the id. */
static void learn_topic_id(struct story *story, const void *from)
{
    const struct create_topics_response *response = from;
    if (response->topics_count == 1)
        story->topic_id = response->topics->topic_id;
}

static void ask_metadata(struct story *story, void *to)
{
    struct metadata_request *request = to;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
}

static void ask_topic_partitions(struct story *story, void *to)
{
    struct describe_topic_partitions_request *request = to;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    request->response_partition_limit = 1;
}

static void learn_described_id(struct story *story, const void *from)
{
    const struct describe_topic_partitions_response *response = from;
    if (response->topics_count == 1)
        story->topic_id = response->topics->topic_id;
}

static void ask_describe_configs(struct story *story, void *to)
{
    struct describe_configs_request *request = to;
    ONE(story, request->resources, request->resources_count);
    request->resources->resource_type = RESOURCE_TOPIC;
    request->resources->resource_name = story->topic;
    request->resources->configuration_keys_count = 2;
    request->resources->configuration_keys = take(story, 2 * sizeof(struct span));
    request->resources->configuration_keys[0] = SPAN("retention.ms");
    request->resources->configuration_keys[1] = SPAN("cleanup.policy");
    request->include_synonyms = true;
}

static void ask_alter_configs(struct story *story, void *to)
{
    struct incremental_alter_configs_request *request = to;
    ONE(story, request->resources, request->resources_count);
    request->resources->resource_type = RESOURCE_TOPIC;
    request->resources->resource_name = story->topic;
    ONE(story, request->resources->configs, request->resources->configs_count);
    request->resources->configs->name = SPAN("max.message.bytes");
    request->resources->configs->config_operation = CONFIG_SET;
    request->resources->configs->value = SPAN("1000000");
}

static void ask_create_partitions(struct story *story, void *to)
{
    struct create_partitions_request *request = to;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    request->topics->count = 3;
    request->topics->assignments_count = -1;
    request->timeout_ms = 30000;
}

static void ask_producer_id(struct story *story, void *to)
{
    struct init_producer_id_request *request = to;
    (void)story;
    request->transactional_id = SPAN_NULL;
    request->transaction_timeout_ms = 60000;
    request->producer_id = BATCH_NO_PRODUCER_ID;
    request->producer_epoch = BATCH_NO_PRODUCER_EPOCH;
}

static void ask_produce(struct story *story, void *to)
{
    struct produce_request *request = to;
    struct batch_builder builder;
    uint8_t *batch = take(story, BATCH_BYTES_MAX);
    batch_builder_start(&builder, batch, BATCH_BYTES_MAX, RECORDS_TIME_MS, false);
    for (int i = 0; i < RECORDS; i++)
        batch_builder_add(&builder, RECORDS_TIME_MS + i, SPAN("key"), SPAN("value"));

    request->transactional_id = SPAN_NULL;
    request->acks = -1;
    request->timeout_ms = 30000;
    ONE(story, request->topic_data, request->topic_data_count);
    request->topic_data->name = story->topic;
    request->topic_data->topic_id = story->topic_id;
    ONE(story, request->topic_data->partition_data, request->topic_data->partition_data_count);
    request->topic_data->partition_data->records = span_of(batch, batch_builder_finish(&builder));
}

static void ask_list_offsets(struct story *story, void *to)
{
    struct list_offsets_request *request = to;
    request->replica_id = -1;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    request->topics->partitions_count = 2;
    request->topics->partitions = take(story, 2 * sizeof(*request->topics->partitions));
    request->topics->partitions[0].current_leader_epoch = -1;
    request->topics->partitions[0].timestamp = RECORDS_TIME_MS + 1;
    request->topics->partitions[1].partition_index = 1;
    request->topics->partitions[1].current_leader_epoch = -1;
    request->topics->partitions[1].timestamp = TIME_OF_END;
    request->timeout_ms = 30000;
}

static void ask_leader_epoch(struct story *story, void *to)
{
    struct offset_for_leader_epoch_request *request = to;
    request->replica_id = -1;
    ONE(story, request->topics, request->topics_count);
    request->topics->topic = story->topic;
    ONE(story, request->topics->partitions, request->topics->partitions_count);
    request->topics->partitions->current_leader_epoch = -1;
}

static void ask_fetch(struct story *story, void *to)
{
    struct fetch_request *request = to;
    request->max_wait_ms = 500;
    request->min_bytes = 1;
    request->max_bytes = 1 << 20;
    ONE(story, request->topics, request->topics_count);
    request->topics->topic = story->topic;
    request->topics->topic_id = story->topic_id;
    request->topics->partitions_count = 2;
    request->topics->partitions = take(story, 2 * sizeof(*request->topics->partitions));
    for (int32_t i = 0; i < request->topics->partitions_count; i++) {
        request->topics->partitions[i].partition = i;
        request->topics->partitions[i].current_leader_epoch = -1;
        request->topics->partitions[i].last_fetched_epoch = -1;
        request->topics->partitions[i].log_start_offset = -1;
        request->topics->partitions[i].partition_max_bytes = 1 << 20;
        request->topics->partitions[i].high_watermark = INT64_MAX;
    }
}

static void ask_coordinator(struct story *story, void *to)
{
    struct find_coordinator_request *request = to;
    request->key = story->group;
    ONE(story, request->coordinator_keys, request->coordinator_keys_count);
    request->coordinator_keys[0] = story->group;
}

static void ask_join(struct story *story, void *to)
{
    struct join_group_request *request = to;
    request->group_id = story->group;
    request->session_timeout_ms = 30000;
    request->rebalance_timeout_ms = 30000;
    request->member_id = story->member;
    request->protocol_type = SPAN("consumer");
    ONE(story, request->protocols, request->protocols_count);
    request->protocols->name = SPAN("range");
    request->protocols->metadata = CONSUMER_DATA;
}

static void learn_member(struct story *story, const void *from)
{
    const struct join_group_response *response = from;
    story->member = keep(story, response->member_id);
    story->generation_id = response->generation_id;
}

static void ask_sync(struct story *story, void *to)
{
    struct sync_group_request *request = to;
    request->group_id = story->group;
    request->generation_id = story->generation_id;
    request->member_id = story->member;
    request->protocol_type = SPAN("consumer");
    request->protocol_name = SPAN("range");
    ONE(story, request->assignments, request->assignments_count);
    request->assignments->member_id = story->member;
    request->assignments->assignment = CONSUMER_DATA;
}

static void ask_heartbeat(struct story *story, void *to)
{
    struct heartbeat_request *request = to;
    request->group_id = story->group;
    request->generation_id = story->generation_id;
    request->member_id = story->member;
}

static void ask_commit(struct story *story, void *to)
{
    struct offset_commit_request *request = to;
    request->group_id = story->group;
    request->generation_id_or_member_epoch = story->generation_id;
    request->member_id = story->member;
    request->retention_time_ms = -1;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    request->topics->topic_id = story->topic_id;
    ONE(story, request->topics->partitions, request->topics->partitions_count);
    request->topics->partitions->committed_offset = 2;
    request->topics->partitions->committed_leader_epoch = -1;
    request->topics->partitions->committed_metadata = SPAN("note");
}

/* Asks for a partition with an offset and one without, both the old way and the new. */
static void ask_committed(struct story *story, void *to)
{
    struct offset_fetch_request *request = to;
    int32_t *partitions = take(story, 2 * sizeof(int32_t));
    partitions[1] = 1;
    request->group_id = story->group;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    request->topics->partition_indexes = partitions;
    request->topics->partition_indexes_count = 2;
    ONE(story, request->groups, request->groups_count);
    request->groups->group_id = story->group;
    request->groups->member_epoch = -1;
    ONE(story, request->groups->topics, request->groups->topics_count);
    request->groups->topics->name = story->topic;
    request->groups->topics->topic_id = story->topic_id;
    request->groups->topics->partition_indexes = partitions;
    request->groups->topics->partition_indexes_count = 2;
}

static void ask_describe_groups(struct story *story, void *to)
{
    struct describe_groups_request *request = to;
    ONE(story, request->groups, request->groups_count);
    request->groups[0] = story->group;
    request->include_authorized_operations = true;
}

static void ask_leave(struct story *story, void *to)
{
    struct leave_group_request *request = to;
    request->group_id = story->group;
    request->member_id = story->member;
    ONE(story, request->members, request->members_count);
    request->members->member_id = story->member;
    request->members->reason = SPAN("the end");
}

static void ask_delete_groups(struct story *story, void *to)
{
    struct delete_groups_request *request = to;
    ONE(story, request->groups_names, request->groups_names_count);
    request->groups_names[0] = story->group;
}

/* Kafka's are led as they should be, and would be so by nobody else. */
static void ask_election(struct story *story, void *to)
{
    struct elect_leaders_request *request = to;
    ONE(story, request->topic_partitions, request->topic_partitions_count);
    request->topic_partitions->topic = story->topic;
    ONE(story, request->topic_partitions->partitions, request->topic_partitions->partitions_count);
}

/* What Kafka says of its own quorum is another thing each time. */
static void ask_quorum(struct story *story, void *to)
{
    struct describe_quorum_request *request = to;
    ONE(story, request->topics, request->topics_count);
    request->topics->topic_name = story->topic;
    ONE(story, request->topics->partitions, request->topics->partitions_count);
}

static void ask_log_dirs(struct story *story, void *to)
{
    struct describe_log_dirs_request *request = to;
    ONE(story, request->topics, request->topics_count);
    request->topics->topic = story->topic;
    ONE(story, request->topics->partitions, request->topics->partitions_count);
}

static void ask_more_voters(struct story *story, void *to)
{
    struct add_raft_voter_request *request = to;
    (void)story;
    request->cluster_id = SPAN("another");
}

static void ask_fewer_voters(struct story *story, void *to)
{
    struct remove_raft_voter_request *request = to;
    (void)story;
    request->cluster_id = SPAN("another");
}

static void ask_unregistration(struct story *story, void *to)
{
    struct unregister_broker_request *request = to;
    (void)story;
    request->broker_id = UNKNOWN_BROKER;
}

static void ask_delete_records(struct story *story, void *to)
{
    struct delete_records_request *request = to;
    request->timeout_ms = 30000;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    ONE(story, request->topics->partitions, request->topics->partitions_count);
    request->topics->partitions->offset = 1;
}

static void ask_delete_topics(struct story *story, void *to)
{
    struct delete_topics_request *request = to;
    request->timeout_ms = 30000;
    ONE(story, request->topics, request->topics_count);
    request->topics->name = story->topic;
    ONE(story, request->topic_names, request->topic_names_count);
    request->topic_names[0] = story->topic;
}

/* A new member is told its id first, and has to come back with it (KIP-394). */
const struct story_step story_steps[] = {
    {.api_key = API_API_VERSIONS, .ask = ask_versions, .learn = learn_features},
    {.api_key = API_DESCRIBE_CLUSTER},
    {.api_key = API_CREATE_TOPICS, .ask = ask_create_topics, .learn = learn_topic_id},
    {.api_key = API_METADATA, .ask = ask_metadata},
    {.api_key = API_DESCRIBE_TOPIC_PARTITIONS,
     .ask = ask_topic_partitions,
     .learn = learn_described_id},
    {.api_key = API_DESCRIBE_CONFIGS, .ask = ask_describe_configs},
    {.api_key = API_INCREMENTAL_ALTER_CONFIGS, .ask = ask_alter_configs},
    {.api_key = API_CREATE_PARTITIONS, .ask = ask_create_partitions},
    {.api_key = API_INIT_PRODUCER_ID, .ask = ask_producer_id},
    {.api_key = API_PRODUCE, .ask = ask_produce},
    {.api_key = API_LIST_OFFSETS, .ask = ask_list_offsets},
    {.api_key = API_OFFSET_FOR_LEADER_EPOCH, .ask = ask_leader_epoch},
    {.api_key = API_FETCH, .ask = ask_fetch},
    {.api_key = API_FIND_COORDINATOR, .ask = ask_coordinator},
    {.api_key = API_JOIN_GROUP,
     .error = ERR_MEMBER_ID_REQUIRED,
     .error_version_min = 4,
     .ask = ask_join,
     .learn = learn_member},
    {.api_key = API_JOIN_GROUP, .ask = ask_join, .learn = learn_member},
    {.api_key = API_SYNC_GROUP, .ask = ask_sync},
    {.api_key = API_HEARTBEAT, .ask = ask_heartbeat},
    {.api_key = API_OFFSET_COMMIT, .ask = ask_commit},
    {.api_key = API_OFFSET_FETCH, .ask = ask_committed},
    {.api_key = API_LIST_GROUPS},
    {.api_key = API_DESCRIBE_GROUPS, .ask = ask_describe_groups},
    {.api_key = API_LEAVE_GROUP, .ask = ask_leave},
    {.api_key = API_DELETE_GROUPS, .ask = ask_delete_groups},
    {.api_key = API_ELECT_LEADERS,
     .error = ERR_ELECTION_NOT_NEEDED,
     .shows_error = true,
     .ask = ask_election},
    {.api_key = API_DESCRIBE_QUORUM,
     .error = ERR_UNKNOWN_TOPIC_OR_PARTITION,
     .shows_error = true,
     .ask = ask_quorum},
    {.api_key = API_DESCRIBE_LOG_DIRS, .ask = ask_log_dirs},
    {.api_key = API_ADD_RAFT_VOTER,
     .error = ERR_INCONSISTENT_CLUSTER_ID,
     .shows_error = true,
     .ask = ask_more_voters},
    {.api_key = API_REMOVE_RAFT_VOTER,
     .error = ERR_INCONSISTENT_CLUSTER_ID,
     .shows_error = true,
     .ask = ask_fewer_voters},
    {.api_key = API_UNREGISTER_BROKER,
     .error = ERR_BROKER_ID_NOT_REGISTERED,
     .shows_error = true,
     .ask = ask_unregistration},
    {.api_key = API_DELETE_RECORDS, .ask = ask_delete_records},
    {.api_key = API_DELETE_TOPICS, .ask = ask_delete_topics},
};
const unsigned story_steps_count = sizeof(story_steps) / sizeof(story_steps[0]);

void story_begin(struct story *story, struct arena *arena, int round)
{
    *story = (struct story){
        .arena = arena,
        .topic = arena_format(arena, "topic-%d", round),
        .group = arena_format(arena, "group-%d", round),
        .member = SPAN(""),
    };
    CHECK(!span_is_null(story->topic) && !span_is_null(story->group));
}
