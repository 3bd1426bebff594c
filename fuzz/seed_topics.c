/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/image.h"
#include "core/wire/messages.h"
#include "fuzz/seed_stories.h"

#define RESOURCE_TOPIC  2
#define RESOURCE_BROKER 4
#define LONG_NAME_BYTES 250
#define MANY_KEYS       1025

static void ask(struct recording *recording, int16_t api_key, int16_t version)
{
    recording_call(recording, 0, api_key, version, recording_request(recording, api_key));
}

static void create(struct recording *recording, struct span name, int32_t partitions,
                   int16_t replicas)
{
    struct create_topics_request *request = recording_request(recording, API_CREATE_TOPICS);
    request->topics->name = name;
    request->topics->num_partitions = partitions;
    request->topics->replication_factor = replicas;
    recording_call(recording, 0, API_CREATE_TOPICS, 7, request);
}

static void delete_by_id(struct recording *recording, struct uuid id)
{
    struct delete_topics_request *request = recording_request(recording, API_DELETE_TOPICS);
    request->topics->name = SPAN_NULL;
    request->topics->topic_id = id;
    recording_call(recording, 0, API_DELETE_TOPICS, 6, request);
}

static void look_up(struct recording *recording, struct span name, struct uuid id)
{
    struct metadata_request *request = recording_request(recording, API_METADATA);
    request->topics->name = name;
    request->topics->topic_id = id;
    recording_call(recording, 0, API_METADATA, 12, request);
    request->topics_count = -1;
    request->include_topic_authorized_operations = true;
    recording_call(recording, 0, API_METADATA, 12, request);
    request->topics_count = 0;
    recording_call(recording, 0, API_METADATA, 0, request);
}

void seed_topics(struct recording *recording)
{
    struct create_topics_request *request = recording_request(recording, API_CREATE_TOPICS);
    int32_t broker = 1;
    struct create_topics_request_topic_assignment assignment = {.broker_ids = &broker,
                                                                .broker_ids_count = 1};
    request->topics->assignments = &assignment;
    request->topics->assignments_count = 1;
    request->topics->num_partitions = -1;
    request->topics->replication_factor = -1;
    request->validate_only = true;
    recording_call(recording, 0, API_CREATE_TOPICS, 7, request);
    request->validate_only = false;
    const struct create_topics_response *response =
        recording_call(recording, 0, API_CREATE_TOPICS, 7, request);
    const struct uuid id = response->topics->topic_id;
    struct create_partitions_request *more = recording_request(recording, API_CREATE_PARTITIONS);
    struct create_partitions_request_topic_assignment more_assignment = {.broker_ids = &broker,
                                                                         .broker_ids_count = 1};
    more->topics->count = 2;
    more->topics->assignments = &more_assignment;
    more->topics->assignments_count = 1;
    recording_call(recording, 0, API_CREATE_PARTITIONS, 3, more);
    look_up(recording, SPAN_NULL, id);
    look_up(recording, SPAN("made-on-first-use"), (struct uuid){{0}});
    ask(recording, API_PRODUCE, 9);
    recording_act(recording, TAPE_STOP, 0, 0);
    look_up(recording, SPAN_NULL, id);
    delete_by_id(recording, id);
    recording_act(recording, TAPE_POWER_LOSS, 0, 0);
    look_up(recording, SPAN_NULL, id);
    recording_minutes(recording, 5);
}

static void assign_wrong(struct recording *recording, int32_t partitions, int32_t first,
                         int32_t second, int32_t index)
{
    struct create_topics_request *request = recording_request(recording, API_CREATE_TOPICS);
    int32_t brokers[2] = {first, second};
    struct create_topics_request_topic_assignment assignment = {
        .partition_index = index, .broker_ids = brokers, .broker_ids_count = second < 0 ? 1 : 2};
    request->topics->assignments = &assignment;
    request->topics->assignments_count = 1;
    request->topics->num_partitions = partitions;
    request->topics->replication_factor = -1;
    recording_call(recording, 0, API_CREATE_TOPICS, 7, request);
}

static void grow_wrong(struct recording *recording, struct span name, int32_t count)
{
    struct create_partitions_request *request = recording_request(recording, API_CREATE_PARTITIONS);
    struct create_partitions_request_topic_assignment none = {0};
    request->topics->name = name;
    request->topics->count = count;
    recording_call(recording, 0, API_CREATE_PARTITIONS, 3, request);
    request->topics->assignments = &none;
    request->topics->assignments_count = 1;
    recording_call(recording, 0, API_CREATE_PARTITIONS, 3, request);
}

void seed_topics_refused(struct recording *recording)
{
    uint8_t name[LONG_NAME_BYTES];
    memset(name, 'n', sizeof(name));
    create(recording, SPAN(""), 1, 1);
    create(recording, SPAN(".."), 1, 1);
    create(recording, SPAN("wei\xc3\x9f"), 1, 1);
    create(recording, span_of(name, sizeof(name)), 1, 1);
    create(recording, SPAN("__cluster_metadata"), 1, 1);
    create(recording, SPAN("nothing"), 0, 1);
    create(recording, SPAN("copied"), 1, 3);
    create(recording, SPAN("copied"), 1, 0);
    create(recording, SPAN("huge"), 2000000, 1);
    create(recording, SPAN("a.b"), 1, 1);
    create(recording, SPAN("a_b"), 1, 1);
    create(recording, SPAN("a.b"), 1, 1);
    assign_wrong(recording, 1, 1, -1, 0);
    assign_wrong(recording, -1, 1, 1, 0);
    assign_wrong(recording, -1, 2, -1, 0);
    assign_wrong(recording, -1, 1, -1, 3);
    struct create_topics_request *twice = recording_request(recording, API_CREATE_TOPICS);
    struct create_topics_request_topic topics[2];
    topics[0] = topics[1] = *twice->topics;
    twice->topics = topics;
    twice->topics_count = 2;
    recording_call(recording, 0, API_CREATE_TOPICS, 7, twice);
    grow_wrong(recording, SPAN("a.b"), 1);
    grow_wrong(recording, SPAN("a.b"), 3);
    grow_wrong(recording, SPAN("a.b"), 2000000);
    grow_wrong(recording, SPAN("unheard-of"), 3);
    grow_wrong(recording, SPAN("__consumer_offsets"), 99);
    look_up(recording, SPAN(".."), (struct uuid){{0}});
    look_up(recording, SPAN_NULL, (struct uuid){{9}});
    look_up(recording, SPAN_NULL, (struct uuid){{0}});
    look_up(recording, SPAN("__consumer_offsets"), (struct uuid){{0}});
    delete_by_id(recording, (struct uuid){{9}});
    delete_by_id(recording, (struct uuid){{0}});
    ask(recording, API_DELETE_TOPICS, 6);
    ask(recording, API_DELETE_RECORDS, 2);
    ask(recording, API_FETCH, 12);
    ask(recording, API_PRODUCE, 13);
    struct find_coordinator_request *find = recording_request(recording, API_FIND_COORDINATOR);
    find->key_type = 1;
    recording_call(recording, 0, API_FIND_COORDINATOR, 4, find);
    find->key_type = 9;
    recording_call(recording, 0, API_FIND_COORDINATOR, 2, find);
    struct describe_cluster_request *cluster = recording_request(recording, API_DESCRIBE_CLUSTER);
    cluster->endpoint_type = 2;
    recording_call(recording, 0, API_DESCRIBE_CLUSTER, 1, cluster);
    cluster->endpoint_type = 1;
    cluster->include_streams = true;
    recording_call(recording, 0, API_DESCRIBE_CLUSTER, 2, cluster);
}

static void alter(struct recording *recording, int8_t resource_type, const char *name,
                  int8_t operation, const char *value)
{
    struct incremental_alter_configs_request *request =
        recording_request(recording, API_INCREMENTAL_ALTER_CONFIGS);
    request->resources->resource_type = resource_type;
    request->resources->configs->name = span_text(name);
    request->resources->configs->config_operation = operation;
    request->resources->configs->value = value == NULL ? SPAN_NULL : span_text(value);
    recording_call(recording, 0, API_INCREMENTAL_ALTER_CONFIGS, 1, request);
}

static void describe(struct recording *recording, int8_t resource_type, struct span name)
{
    struct describe_configs_request *request = recording_request(recording, API_DESCRIBE_CONFIGS);
    request->resources->resource_type = resource_type;
    request->resources->resource_name = name;
    request->resources->configuration_keys_count = -1;
    request->include_synonyms = true;
    request->include_documentation = true;
    recording_call(recording, 0, API_DESCRIBE_CONFIGS, 4, request);
}

void seed_configs(struct recording *recording)
{
    ask(recording, API_CREATE_TOPICS, 7);
    alter(recording, RESOURCE_TOPIC, "retention.ms", 0, "5");
    alter(recording, RESOURCE_TOPIC, "retention.ms", 1, NULL);
    alter(recording, RESOURCE_TOPIC, "retention.ms", 2, "5");
    alter(recording, RESOURCE_TOPIC, "retention.ms", 9, "5");
    alter(recording, RESOURCE_TOPIC, "retention.ms", 0, "five");
    alter(recording, RESOURCE_TOPIC, "retention.ms", 0, NULL);
    alter(recording, RESOURCE_TOPIC, "retention.mz", 0, "5");
    alter(recording, RESOURCE_TOPIC, "cleanup.policy", 2, "compact");
    alter(recording, RESOURCE_TOPIC, "cleanup.policy", 3, "delete");
    alter(recording, RESOURCE_TOPIC, "compression.type", 0, "zstd");
    alter(recording, RESOURCE_BROKER, "num.partitions", 0, "5");
    alter(recording, 9, "num.partitions", 0, "5");
    struct incremental_alter_configs_request *twice =
        recording_request(recording, API_INCREMENTAL_ALTER_CONFIGS);
    struct incremental_alter_configs_request_resource resources[2];
    resources[0] = resources[1] = *twice->resources;
    twice->resources = resources;
    twice->resources_count = 2;
    twice->validate_only = true;
    recording_call(recording, 0, API_INCREMENTAL_ALTER_CONFIGS, 1, twice);
    struct incremental_alter_configs_request_resource_config configs[2];
    configs[0] = configs[1] = *resources[0].configs;
    resources[0].configs = configs;
    resources[0].configs_count = 2;
    resources[1].resource_name = SPAN("unheard-of");
    recording_call(recording, 0, API_INCREMENTAL_ALTER_CONFIGS, 1, twice);
    describe(recording, RESOURCE_TOPIC, recording->story.topic);
    describe(recording, RESOURCE_TOPIC, SPAN("unheard-of"));
    describe(recording, RESOURCE_TOPIC, SPAN("/"));
    describe(recording, RESOURCE_BROKER, SPAN(""));
    describe(recording, RESOURCE_BROKER, SPAN("1"));
    describe(recording, RESOURCE_BROKER, SPAN("7"));
    describe(recording, 9, SPAN("1"));
    recording_act(recording, TAPE_KILL, 0, 0);
    describe(recording, RESOURCE_TOPIC, recording->story.topic);
}

/* Creates a topic with so many times the setting, all at once. */
static void create_with(struct recording *recording, int32_t count, struct span key,
                        struct span value)
{
    struct create_topics_request *request = recording_request(recording, API_CREATE_TOPICS);
    struct create_topics_request_topic_config *configs =
        arena_array(&recording->arena, (size_t)count, sizeof(*configs));
    for (int32_t i = 0; i < count; i++) {
        configs[i] = *request->topics->configs;
        configs[i].name = key;
        configs[i].value = value;
    }
    request->topics->name = SPAN("limited");
    request->topics->configs = configs;
    request->topics->configs_count = count;
    recording_call(recording, 0, API_CREATE_TOPICS, 7, request);
}

/* Alters more settings of the topic at once than it can have. */
static void alter_many(struct recording *recording)
{
    struct incremental_alter_configs_request *request =
        recording_request(recording, API_INCREMENTAL_ALTER_CONFIGS);
    struct incremental_alter_configs_request_resource_config configs[META_CONFIGS_MAX + 1];
    for (size_t i = 0; i <= META_CONFIGS_MAX; i++)
        configs[i] = *request->resources->configs;
    request->resources->configs = configs;
    request->resources->configs_count = META_CONFIGS_MAX + 1;
    recording_call(recording, 0, API_INCREMENTAL_ALTER_CONFIGS, 1, request);
}

/* Two partitions, of which one is to have more replicas than the other. */
static void assign_unevenly(struct recording *recording)
{
    struct create_topics_request *request = recording_request(recording, API_CREATE_TOPICS);
    int32_t brokers[] = {1, 2};
    struct create_topics_request_topic_assignment assignments[] = {
        {.partition_index = 0, .broker_ids = brokers, .broker_ids_count = 1},
        {.partition_index = 1, .broker_ids = brokers, .broker_ids_count = 2}};
    request->topics->name = SPAN("limited");
    request->topics->assignments = assignments;
    request->topics->assignments_count = 2;
    request->topics->num_partitions = request->topics->replication_factor = -1;
    recording_call(recording, 0, API_CREATE_TOPICS, 7, request);
}

/* What goes beyond a limit of topics and their settings. */
void seed_limits(struct recording *recording)
{
    ask(recording, API_CREATE_TOPICS, 7);
    create_with(recording, META_CONFIGS_MAX + 1, SPAN("k"), SPAN(""));
    create_with(recording, 2, SPAN("retention.ms"), SPAN("5"));
    alter_many(recording);
    assign_unevenly(recording);
    ask(recording, API_FIND_COORDINATOR, 4); /* makes the internal topic */
    grow_wrong(recording, SPAN("__consumer_offsets"), 99);
    struct describe_configs_request *request = recording_request(recording, API_DESCRIBE_CONFIGS);
    struct span keys[MANY_KEYS];
    for (size_t i = 0; i < MANY_KEYS; i++)
        keys[i] = SPAN("k");
    request->resources->configuration_keys = keys;
    request->resources->configuration_keys_count = MANY_KEYS;
    recording_call(recording, 0, API_DESCRIBE_CONFIGS, 4, request);
}

/* More unfinished requests than there is memory for: one waits, until another one is given up. */
void seed_memory(struct recording *recording)
{
    static const uint8_t part[2000] = {0, 0, 0x20, 0};
    for (uint8_t connection = 0; connection < TAPE_CONNECTIONS; connection++)
        recording_send(recording, connection, span_of(part, sizeof(part)));
    recording_act(recording, TAPE_MILLISECONDS, 500, 2);
    recording_act(recording, TAPE_CLOSE, 0, 0);
    ask(recording, API_CREATE_TOPICS, 7);
    recording_act(recording, TAPE_MILLISECONDS, 5000, 2);
    ask(recording, API_PRODUCE, 9);
}

/* Frames that end a connection; some come in pieces. */
void seed_protocol(struct recording *recording)
{
    static const struct span frames[] = {
        /* an API of nobody's; a version of nobody's, of ApiVersions and of Metadata */
        SPAN("\0\0\0\x0a\x7f\xff\0\0\0\0\0\1\xff\xff"),
        SPAN("\0\0\0\x0a\0\x12\0\x63\0\0\0\1\xff\xff"),
        SPAN("\0\0\0\x0a\0\3\0\x63\0\0\0\1\xff\xff"),
        /* a header that ends too early; a body that does; no frame at all */
        SPAN("\0\0\0\x08\0\3\0\1\0\0\0\1"),
        SPAN("\0\0\0\x0b\0\3\0\1\0\0\0\1\xff\xff\7"),
        SPAN("\0\0\0\1\0"),
        SPAN("GET / HTTP/1.1\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        recording_send(recording, 0, frames[i]);
        recording_act(recording, TAPE_CLOSE, 0, 0);
    }
    recording_act(recording, TAPE_RECEIVE_MAX, 7, 1);
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_PRODUCE, 9);
    recording_act(recording, TAPE_RECEIVE_MAX, 0, 1);
    struct api_versions_request *versions = recording_request(recording, API_API_VERSIONS);
    versions->client_software_name = SPAN("-");
    recording_call(recording, 0, API_API_VERSIONS, 4, versions);
    recording_send(recording, 0, SPAN("\0\0\x10\0\0"));
    /* Connections that nobody uses are closed. */
    recording_act(recording, TAPE_MINUTES, 11, 1);
    recording_act(recording, TAPE_CLOSE + 1, 0, 0);
    recording_act(recording, TAPE_PAUSE + 1, 0, 0);
    recording_act(recording, TAPE_STOP, 0, 0);
}
