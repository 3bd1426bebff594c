/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator changes: topics, their partitions, settings and records. */
#include <string.h>

#include "core/records/builder.h"
#include "core/wire/error.h"
#include "sim/admin.h"
#include "sim/host.h"
#include "sim/record_value.h"
#include "sim/setup.h"

#define PARTITIONS_MOST 4
#define RECORDS_MOST    5
#define VALUE_BYTES     64
#define TIME_MS         1700000000000
#define RESOURCE_TOPIC  2

/* What it sets; the last value of each is refused. */
static const struct {
    const char *key;
    const char *values[4];
} settings[] = {
    {"segment.bytes", {"1024", "4096", "65536", "1"}},
    {"retention.ms", {"1", "500", "-1", "soon"}},
    {"retention.bytes", {"0", "3000", "-1", "-2"}},
    {"max.message.bytes", {"100", "1000", "1000000", "-1"}},
    {"flush.messages", {"1", "10", "100000", "0"}},
    {"write.caching", {"true", "false", "false", "perhaps"}},
    {"no.such.key", {"1", "2", "3", "4"}},
};

static void setting_draw(struct admin *admin, struct span *ret_key, struct span *ret_value)
{
    struct chance *rng = &admin->client.rng;
    const size_t count = sizeof(settings) / sizeof(settings[0]);
    /* What is refused only now and then. */
    const size_t place = chance_below(rng, chance_one_in(rng, 8) ? count : count - 1);
    *ret_key = span_text(settings[place].key);
    *ret_value =
        span_text(settings[place].values[chance_below(rng, chance_one_in(rng, 8) ? 4 : 3)]);
}

/* The topic of its plan, if it has one, now and then. */
static bool planned(struct admin *admin, struct span *ret_name)
{
    if (admin->client.plan->topic == NULL || !chance_one_in(&admin->client.rng, 4))
        return false;
    *ret_name = client_topic(&admin->client);
    return true;
}

/* ---- Topics come and go. ---- */

/* As many as a topic has that asks for no number: in a cluster that is to lose disks and machines,
 * each of its topics needs as many as the others. */
static int16_t default_replicas(const struct admin *admin)
{
    return (int16_t)conf_int(&admin->client.sim->hosts[admin->client.host - 1]->conf,
                             CONF_DEFAULT_REPLICATION_FACTOR);
}

static void topic_fill(struct admin *admin, struct exchange *exchange,
                       struct create_topics_request_topic *topic)
{
    struct chance *rng = &admin->client.rng;
    topic->name = span_text(admin_own_topic(admin)->name);
    const bool defaults = exchange->version >= 4 && chance_one_in(rng, 4);
    topic->num_partitions = defaults ? -1 : (int32_t)chance_between(rng, 1, PARTITIONS_MOST);
    topic->replication_factor = defaults ? -1 : default_replicas(admin);
    if (chance_one_in(rng, 2))
        return;
    topic->configs = peer_take(exchange, sizeof(*topic->configs));
    topic->configs_count = 1;
    setting_draw(admin, &topic->configs[0].name, &topic->configs[0].value);
}

static void fill_create_topics(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct create_topics_request *request = (void *)(uintptr_t)exchange->request;
    request->topics_count = (int32_t)chance_between(rng, 1, 2);
    request->topics = peer_take(exchange, 2 * sizeof(*request->topics));
    for (int32_t i = 0; i < request->topics_count; i++)
        topic_fill(admin, exchange, &request->topics[i]);
    request->validate_only = chance_one_in(rng, 8);
}

static void answered_create_topics(struct admin *admin, const struct exchange *exchange)
{
    const struct create_topics_request *request = exchange->request;
    const struct create_topics_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct create_topics_response_topic *topic = &response->topics[i];
        if (topic->error_code != ERR_NONE || request->validate_only)
            continue;
        sim_count(admin->client.sim, TALLY_topics_made);
        for (uint32_t j = 0; j < ADMIN_TOPICS && exchange->version >= 7; j++) {
            if (span_equal(topic->name, span_text(admin->topics[j].name)))
                admin->topics[j].id = topic->topic_id;
        }
    }
}

/* By names, or in the latest version by id. */
static void fill_delete_topics(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct delete_topics_request *request = (void *)(uintptr_t)exchange->request;
    const struct admin_topic *own = admin_own_topic(admin);
    request->topic_names = peer_take(exchange, sizeof(struct span));
    request->topic_names_count = 1;
    if (planned(admin, &request->topic_names[0]))
        admin->makes_again = true;
    else
        request->topic_names[0] = span_text(own->name);
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = request->topic_names[0];
    if (!admin->makes_again && !uuid_is_zero(own->id) && chance_one_in(rng, 2))
        request->topics[0] =
            (struct delete_topics_request_topic){.name = SPAN_NULL, .topic_id = own->id};
    request->timeout_ms = 10000;
}

static void answered_delete_topics(struct admin *admin, const struct exchange *exchange)
{
    const struct delete_topics_response *response = exchange->response;
    for (int32_t i = 0; i < response->responses_count; i++) {
        if (response->responses[i].error_code == ERR_NONE)
            sim_count(admin->client.sim, TALLY_topics_gone);
    }
}

static void fill_make_again(struct admin *admin, struct exchange *exchange)
{
    const struct scenario *scenario = admin->client.sim->scenario;
    struct create_topics_request *request = (void *)(uintptr_t)exchange->request;
    const struct scenario_topic *plan = scenario->topics;
    while (strcmp(plan->name, admin->client.plan->topic) != 0)
        plan++;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    setup_topic(exchange, &request->topics[0], plan);
    if (plan->replication_factor == 0) /* the oldest versions have no default */
        request->topics[0].replication_factor = default_replicas(admin);
}

static void answered_make_again(struct admin *admin, const struct exchange *exchange)
{
    const struct create_topics_response *response = exchange->response;
    answered_create_topics(admin, exchange);
    if (response->topics_count == 1 && (response->topics[0].error_code == ERR_NONE ||
                                        response->topics[0].error_code == ERR_TOPIC_ALREADY_EXISTS))
        admin->makes_again = false;
}

/* ---- What is there changes. ---- */

static void fill_create_partitions(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct create_partitions_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    if (!planned(admin, &request->topics[0].name))
        request->topics[0].name = span_text(admin_own_topic(admin)->name);
    request->topics[0].count = (int32_t)chance_between(rng, 1, 2 * PARTITIONS_MOST);
    request->topics[0].assignments_count = -1;
    request->timeout_ms = 10000;
    request->validate_only = chance_one_in(rng, 8);
}

static void fill_alter_configs(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct incremental_alter_configs_request *request = (void *)(uintptr_t)exchange->request;
    request->resources = peer_take(exchange, sizeof(*request->resources));
    request->resources_count = 1;
    struct incremental_alter_configs_request_resource *resource = request->resources;
    resource->resource_type = RESOURCE_TOPIC;
    resource->resource_name = span_text(admin_own_topic(admin)->name);
    resource->configs = peer_take(exchange, sizeof(*resource->configs));
    resource->configs_count = 1;
    setting_draw(admin, &resource->configs[0].name, &resource->configs[0].value);
    if (chance_one_in(rng, 3)) {
        resource->configs[0].config_operation = 1; /* back to the default */
        resource->configs[0].value = SPAN_NULL;
    }
    request->validate_only = chance_one_in(rng, 8);
}

static void fill_delete_records(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct delete_records_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    struct delete_records_request_topic *topic = request->topics;
    if (!planned(admin, &topic->name))
        topic->name = span_text(admin_own_topic(admin)->name);
    topic->partitions_count = (int32_t)chance_between(rng, 1, PARTITIONS_MOST);
    topic->partitions = peer_take(exchange, PARTITIONS_MOST * sizeof(*topic->partitions));
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        topic->partitions[i].partition_index = i;
        topic->partitions[i].offset = (int64_t)chance_below(rng, 20) - 1;
    }
    request->timeout_ms = 10000;
}

static struct span batch_make(struct admin *admin, struct exchange *exchange, int32_t partition)
{
    const int64_t now_ms = TIME_MS + (int64_t)(admin->client.sim->now_us / 1000);
    const uint64_t count = chance_between(&admin->client.rng, 1, RECORDS_MOST);
    uint8_t value[VALUE_BYTES];
    const struct span content = span_of(value, sizeof(value));
    size_t size = BATCH_HEADER_BYTES;
    for (uint64_t i = 0; i < count; i++)
        size += batch_record_size((int32_t)i, 0, SPAN_NULL, content);
    uint8_t *bytes = peer_take(exchange, size);
    struct batch_builder builder;
    batch_builder_start(&builder, bytes, size, now_ms, false);
    for (uint64_t i = 0; i < count; i++) {
        record_value_write(&(struct record_value){.client = admin->client.number,
                                                  .partition = (uint32_t)partition,
                                                  .number = admin->records++},
                           value, sizeof(value));
        batch_builder_add(&builder, now_ms, SPAN_NULL, content);
    }
    return span_of(bytes, batch_builder_finish(&builder));
}

/* So that what is deleted holds something. */
static void fill_produce(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct produce_request *request = (void *)(uintptr_t)exchange->request;
    const struct admin_topic *own = admin_own_topic(admin);
    request->acks = (int16_t)((int16_t)chance_below(rng, 3) - 1);
    request->timeout_ms = 10000;
    request->topic_data = peer_take(exchange, sizeof(*request->topic_data));
    request->topic_data_count = 1;
    request->topic_data[0].name = span_text(own->name);
    request->topic_data[0].topic_id = own->id;
    request->topic_data[0].partition_data =
        peer_take(exchange, sizeof(*request->topic_data[0].partition_data));
    request->topic_data[0].partition_data_count = 1;
    request->topic_data[0].partition_data[0].index = (int32_t)chance_below(rng, PARTITIONS_MOST);
    request->topic_data[0].partition_data[0].records =
        batch_make(admin, exchange, request->topic_data[0].partition_data[0].index);
}

const struct admin_action admin_changes[] = {
    {API_CREATE_TOPICS, 8, fill_create_topics, answered_create_topics},
    {API_DELETE_TOPICS, 4, fill_delete_topics, answered_delete_topics},
    {API_CREATE_PARTITIONS, 3, fill_create_partitions, NULL},
    {API_INCREMENTAL_ALTER_CONFIGS, 6, fill_alter_configs, NULL},
    {API_DELETE_RECORDS, 4, fill_delete_records, NULL},
    {API_PRODUCE, 16, fill_produce, NULL},
    {0},
};

const struct admin_action admin_make_again = {API_CREATE_TOPICS, 1, fill_make_again,
                                              answered_make_again};
