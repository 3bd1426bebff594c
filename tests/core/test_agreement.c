/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that all nodes have to judge alike. */
#include "core/broker_state.h"
#include "core/lease.h"
#include "core/metrics.h"
#include "core/wire/error.h"
#include "tests/core/crew.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

#define NODES 3

static const char *const two[] = {"min.insync.replicas", "2", NULL};
static const char *const three[] = {"min.insync.replicas", "3", "write.caching.default", "true",
                                    NULL};

static int32_t leader(int32_t asked)
{
    return quorum_status(controller_quorum(crew_nodes[asked].broker->controller)).leader;
}

/* What a node takes for the cluster's setting; null for none. */
static struct span setting(int32_t id, const char *key)
{
    const struct meta_configs *configs = &crew_nodes[id].broker->image.configs;
    for (uint32_t i = 0; i < configs->count; i++) {
        if (span_equal(configs->items[i].key, span_text(key)))
            return configs->items[i].value;
    }
    return SPAN_NULL;
}

START_TEST(what_is_the_default_is_not_agreed_on)
{
    crew_begin(NODES, NULL, NULL);
    for (int32_t id = 1; id <= NODES; id++)
        ck_assert_uint_eq(crew_nodes[id].broker->image.configs.count, 0);
    crew_end();
}
END_TEST

START_TEST(every_node_has_what_all_files_say)
{
    crew_begin(NODES, two, NULL);
    for (int32_t id = 1; id <= NODES; id++) {
        ck_assert(span_equal(setting(id, "min.insync.replicas"), SPAN("2")));
        ck_assert_uint_eq(crew_nodes[id].broker->image.configs.count, 1);
    }
    const int64_t end = crew_nodes[1].broker->image.end_offset;
    crew_advance(30000);
    ck_assert_int_eq(crew_nodes[1].broker->image.end_offset, end);
    crew_end();
}
END_TEST

static void expect_settings_of(int32_t leads)
{
    for (int32_t id = 1; id <= NODES; id++) {
        if (crew_nodes[id].broker == NULL)
            continue;
        ck_assert(
            span_equal(setting(id, "min.insync.replicas"), leads == NODES ? SPAN("3") : SPAN("2")));
        ck_assert(span_equal(setting(id, "write.caching.default"),
                             leads == NODES ? SPAN("true") : SPAN_NULL));
    }
}

/* Whichever node leads: the last one's file is another than those of the others. */
START_TEST(the_controllers_file_counts)
{
    bool has_led[NODES + 1] = {false};
    crew_begin(NODES, two, three);
    for (int i = 0; i < 12 && !(has_led[NODES] && (has_led[1] || has_led[2])); i++) {
        const int32_t leads = leader(1);
        has_led[leads] = true;
        expect_settings_of(leads);
        crew_kill(leads);
        crew_advance(5000);
        expect_settings_of(leader(leads % NODES + 1));
        crew_start(leads);
    }
    ck_assert(has_led[NODES] && (has_led[1] || has_led[2]));
    crew_end();
}
END_TEST

/* ---- What a leader does whose own file says something else ---- */

#define TOPIC SPAN("t")

/* The last node's file is another one than those of the others, and it leads the topic alone or
 * with them; it does not lead the quorum. */
static struct client *begin_with_another_file(const char *const *others, const char *const *last,
                                              int32_t replicas)
{
    static const int32_t brokers[] = {NODES, 1, 2};
    crew_begin(NODES, others, last);
    if (leader(1) == NODES) {
        crew_kill(NODES);
        crew_advance(5000);
        crew_start(NODES);
    }
    ck_assert_int_ne(leader(1), NODES);
    struct client *client = client_new(crew_nodes[NODES].world);
    crew_create(client, TOPIC, brokers, 1, replicas);
    return client;
}

static int16_t answer_of(const struct produce_response *response)
{
    return response == NULL ? -1 : response->responses[0].partition_responses[0].error_code;
}

static struct produce_request *record_of(struct client *client)
{
    return produce_of(client, TOPIC, -1, batch_of(client, 1, SPAN("x")));
}

/* What a client is told of min.insync.replicas, as by Kafka 4.3.1: first what counts, then the
 * default, but for the settings of all brokers, which are alone. */
static void expect_told(struct client *client, int8_t type, struct span name, struct span value)
{
    const int32_t synonyms = name.length == 0 ? 1 : 2;
    struct arena *arena = client_arena(client);
    struct describe_configs_request *request = client_request(client, API_DESCRIBE_CONFIGS);
    request->resources = arena_array(arena, 1, sizeof(*request->resources));
    request->resources_count = 1;
    request->resources[0].resource_type = type;
    request->resources[0].resource_name = name;
    request->resources[0].configuration_keys = arena_array(arena, 1, sizeof(struct span));
    request->resources[0].configuration_keys[0] = SPAN("min.insync.replicas");
    request->resources[0].configuration_keys_count = 1;
    request->include_synonyms = true;
    const struct describe_configs_response *response =
        crew_call(client, API_DESCRIBE_CONFIGS, 4, request);
    const struct describe_configs_response_result_config *config = response->results[0].configs;
    ck_assert_int_eq(response->results[0].configs_count, 1);
    ck_assert(span_equal(config->value, value));
    ck_assert_int_eq(config->config_source, CONF_SOURCE_CLUSTER);
    ck_assert(!config->read_only);
    ck_assert_int_eq(config->synonyms_count, synonyms);
    ck_assert(span_equal(config->synonyms[0].value, value));
    ck_assert_int_eq(config->synonyms[0].source, CONF_SOURCE_CLUSTER);
    for (int32_t i = 1; i < synonyms; i++) {
        ck_assert(span_equal(config->synonyms[i].value, SPAN("1")));
        ck_assert_int_eq(config->synonyms[i].source, CONF_SOURCE_DEFAULT);
    }
}

static void expect_described(struct client *client, struct span value)
{
    expect_told(client, META_RESOURCE_TOPIC, TOPIC, value);
    expect_told(client, META_RESOURCE_BROKER, SPAN("3"), value);
    expect_told(client, META_RESOURCE_BROKER, SPAN(""), value);
}

START_TEST(produce_needs_as_many_replicas_as_the_cluster_says)
{
    static const char *const one[] = {"min.insync.replicas", "1", NULL};
    const bool asks_more = _i == 1; /* the cluster, than the leader's own file */
    struct broker_metrics metrics;
    struct client *client =
        begin_with_another_file(asks_more ? three : one, asks_more ? one : three, NODES);
    crew_kill(leader(1) == 1 ? 2 : 1);
    crew_advance(3000);
    const int16_t answer =
        answer_of(crew_call(client, API_PRODUCE, PRODUCE_VERSION, record_of(client)));
    ck_assert_int_eq(answer, asks_more ? ERR_NOT_ENOUGH_REPLICAS : ERR_NONE);
    broker_metrics(crew_nodes[NODES].broker, &metrics);
    ck_assert_uint_eq(metrics.under_min_isr, asks_more);
    expect_described(client, asks_more ? SPAN("3") : SPAN("1"));
    client_free(client);
    crew_end();
}
END_TEST

/* Whether a record of acks=all is acknowledged that no sync has covered. */
static bool is_cached(struct client *client)
{
    ck_assert_int_eq(answer_of(crew_call(client, API_PRODUCE, PRODUCE_VERSION, record_of(client))),
                     ERR_NONE);
    world_hold(crew_nodes[NODES].world, EFFECT_SYNC, "t-0");
    client_send(client, API_PRODUCE, PRODUCE_VERSION, record_of(client));
    crew_advance(1000);
    int16_t answer = answer_of(client_take(client));
    const bool was_cached = answer != -1;
    world_release(crew_nodes[NODES].world);
    crew_advance(1000);
    if (!was_cached)
        answer = answer_of(client_take(client));
    ck_assert_int_eq(answer, ERR_NONE);
    return was_cached;
}

/* Whoever leads the quorum judges by the cluster's settings what an unclean end may have cost. */
START_TEST(logs_are_cached_as_the_cluster_says)
{
    static const char *const cached[] = {"write.caching.default", "true", NULL};
    static const char *const synced[] = {"write.caching.default", "false", NULL};
    const bool caches = _i == 1; /* the cluster, and not the leader's own file */
    struct client *client =
        begin_with_another_file(caches ? cached : synced, caches ? synced : cached, 1);
    ck_assert_int_eq(is_cached(client), caches);
    for (int i = 0; i < 12 && leader(NODES) != NODES; i++) {
        const int32_t leads = leader(NODES);
        crew_kill(leads);
        crew_advance(5000);
        crew_start(leads);
    }
    ck_assert_int_eq(leader(NODES), NODES);
    ck_assert_int_eq(is_cached(client), !caches);
    client_free(client);
    crew_end();
}
END_TEST

/* ---- What an operator sets, as by kafka-configs --entity-type brokers --entity-default ---- */

static int alter_all(const char *key, int8_t operation, const char *value)
{
    struct client *client = client_new(crew_nodes[2].world);
    struct arena *arena = client_arena(client);
    struct incremental_alter_configs_request *request =
        client_request(client, API_INCREMENTAL_ALTER_CONFIGS);
    request->resources = arena_array(arena, 1, sizeof(*request->resources));
    request->resources_count = 1;
    request->resources[0].resource_type = META_RESOURCE_BROKER;
    request->resources[0].resource_name = SPAN("");
    request->resources[0].configs = arena_array(arena, 1, sizeof(*request->resources->configs));
    request->resources[0].configs_count = 1;
    request->resources[0].configs[0].name = span_text(key);
    request->resources[0].configs[0].config_operation = operation;
    request->resources[0].configs[0].value = value == NULL ? SPAN_NULL : span_text(value);
    const struct incremental_alter_configs_response *response =
        crew_call(client, API_INCREMENTAL_ALTER_CONFIGS, 1, request);
    ck_assert_ptr_nonnull(response);
    const int error = response->responses[0].error_code;
    ck_assert(error == ERR_NONE || response->responses[0].error_message.length > 0);
    client_free(client);
    return error;
}

static void expect_of_all(const char *value)
{
    struct client *client = client_new(crew_nodes[2].world);
    for (int32_t id = 1; id <= NODES; id++)
        ck_assert(span_equal(setting(id, "min.insync.replicas"), span_text(value)));
    expect_told(client, META_RESOURCE_BROKER, SPAN(""), span_text(value));
    client_free(client);
}

/* Whichever node leads, and whatever its file says. */
START_TEST(what_is_set_comes_before_any_file)
{
    bool has_led[NODES + 1] = {false};
    crew_begin(NODES, two, three);
    ck_assert_int_eq(alter_all("min.insync.replicas", CONF_SET, "1"), ERR_NONE);
    crew_advance(1000);
    for (int i = 0; i < 12 && !(has_led[NODES] && (has_led[1] || has_led[2])); i++) {
        const int32_t leads = leader(1);
        has_led[leads] = true;
        expect_of_all("1");
        crew_kill(leads);
        crew_advance(5000);
        crew_start(leads);
        crew_advance(1000);
    }
    ck_assert(has_led[NODES] && (has_led[1] || has_led[2]));
    ck_assert_int_eq(alter_all("min.insync.replicas", CONF_DELETE, NULL), ERR_NONE);
    crew_advance(1000);
    expect_of_all(leader(1) == NODES ? "3" : "2");
    crew_end();
}
END_TEST

static const struct {
    const char *key;
    const char *value;
    int8_t operation;
    int error;
} refused[] = {
    {"min.insync.replicas", "0", CONF_SET, ERR_INVALID_REQUEST},
    {"min.insync.replicas", "x", CONF_SET, ERR_INVALID_REQUEST},
    {"min.insync.replicas", NULL, CONF_SET, ERR_INVALID_REQUEST},
    {"min.insync.replicas", "1", CONF_APPEND, ERR_INVALID_CONFIG},
    {"broker.session.timeout.ms", "9000", CONF_SET, ERR_INVALID_REQUEST},
    {"log.segment.bytes", "1048576", CONF_SET, ERR_INVALID_REQUEST},
    {"no.such.key", "1", CONF_SET, ERR_INVALID_REQUEST},
};

START_TEST(what_cannot_be_set_for_all_is_refused)
{
    crew_begin(NODES, two, NULL);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        ck_assert_int_eq(alter_all(refused[i].key, refused[i].operation, refused[i].value),
                         refused[i].error);
    expect_of_all("2");
    crew_end();
}
END_TEST

/* A lease that the one who granted it knows to be over is over. */
START_TEST(leases_are_as_long_as_the_cluster_says)
{
    static const char *const quick[] = {"broker.session.timeout.ms", "1500", NULL};
    static const char *const slow[] = {"broker.session.timeout.ms", "12000", NULL};
    const bool is_quick = _i == 1; /* the cluster, and not the last one's file */
    struct client *client =
        begin_with_another_file(is_quick ? quick : slow, is_quick ? slow : quick, 1);
    crew_advance(1000);
    for (int32_t id = 1; id <= NODES; id++) {
        const struct broker *broker = crew_nodes[id].broker;
        const uint64_t length_us = is_quick ? 1312500 : 10500000;
        ck_assert(lease_holds(broker));
        ck_assert_uint_le(lease_until_us(broker), broker->io.now_us + length_us);
        ck_assert_uint_gt(lease_until_us(broker), broker->io.now_us + length_us / 2);
    }
    client_free(client);
    crew_end();
}
END_TEST

SUITE(agreement)
{
    TCase *tcase = tcase_create("agreement");
    tcase_add_test(tcase, what_is_the_default_is_not_agreed_on);
    tcase_add_test(tcase, every_node_has_what_all_files_say);
    tcase_add_test(tcase, the_controllers_file_counts);
    tcase_add_loop_test(tcase, produce_needs_as_many_replicas_as_the_cluster_says, 0, 2);
    tcase_add_test(tcase, what_is_set_comes_before_any_file);
    tcase_add_test(tcase, what_cannot_be_set_for_all_is_refused);
    tcase_add_loop_test(tcase, leases_are_as_long_as_the_cluster_says, 0, 2);
    tcase_add_loop_test(tcase, logs_are_cached_as_the_cluster_says, 0, 2);
    suite_add_tcase(suite, tcase);
}
