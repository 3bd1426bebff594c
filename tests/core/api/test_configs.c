/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeConfigs and IncrementalAlterConfigs: what one sets the other shows. */
#include "core/conf/topic_conf.h"
#include "tests/core/api/admin.h"
#include "tests/support/produce.h"

#define DESCRIBE_OLDEST 1
#define DESCRIBE_NEWEST 4
#define ALTER_NEWEST    1
#define TOPIC           2
#define BROKER          4
#define BROKER_LOGGER   8

static struct admin admin;

static const char *const settings[] = {"log.retention.ms", "777", NULL};

static void set_up(void)
{
    admin_start(&admin, settings);
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
}

static void tear_down(void)
{
    admin_end(&admin);
}

static struct describe_configs_request *describing(int8_t type, const char *name)
{
    struct describe_configs_request *request = client_request(admin.client, API_DESCRIBE_CONFIGS);
    request->resources = admin_array(&admin, 1, sizeof(*request->resources));
    request->resources_count = 1;
    request->resources[0].resource_type = type;
    request->resources[0].resource_name = span_text(name);
    request->resources[0].configuration_keys_count = -1;
    return request;
}

static const struct describe_configs_response_result *
describe(int16_t version, const struct describe_configs_request *request)
{
    const struct describe_configs_response *response =
        client_call(admin.client, API_DESCRIBE_CONFIGS, version, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->results_count, 1);
    return response->results;
}

static const struct describe_configs_response_result_config *
find(const struct describe_configs_response_result *result, const char *name)
{
    for (int32_t i = 0; i < result->configs_count; i++) {
        if (span_equal(result->configs[i].name, span_text(name)))
            return &result->configs[i];
    }
    ck_abort_msg("no %s", name);
}

START_TEST(every_setting_of_a_topic_has_a_value_and_a_source)
{
    for (int16_t version = DESCRIBE_OLDEST; version <= DESCRIBE_NEWEST; version++) {
        const struct describe_configs_response_result *result =
            describe(version, describing(TOPIC, "a"));
        ck_assert_int_eq(result->error_code, ERR_NONE);
        ck_assert_int_eq(result->configs_count, TOPIC_CONF_KEYS);
        for (int32_t i = 0; i < result->configs_count; i++) {
            ck_assert(!span_is_null(result->configs[i].value));
            ck_assert_int_ne(result->configs[i].config_source, CONF_SOURCE_TOPIC);
            ck_assert_int_gt(result->configs[i].config_source, 0);
            ck_assert(version < 3 || result->configs[i].config_type > 0);
            ck_assert(version < 3 || span_is_null(result->configs[i].documentation));
            ck_assert_int_eq(result->configs[i].synonyms_count, 0);
        }
        ck_assert(span_equal(find(result, "retention.ms")->value, SPAN("777")));
        ck_assert_int_eq(find(result, "retention.ms")->config_source, CONF_SOURCE_FILE);
        ck_assert_int_eq(find(result, "segment.bytes")->config_source, CONF_SOURCE_DEFAULT);
    }
}
END_TEST

START_TEST(every_setting_of_the_broker_is_told)
{
    char id[16];
    ck_assert_int_lt(admin.node.conf.node_id, 10);
    id[0] = (char)('0' + admin.node.conf.node_id);
    id[1] = 0;
    const struct describe_configs_response_result *result =
        describe(DESCRIBE_NEWEST, describing(BROKER, id));
    ck_assert_int_eq(result->error_code, ERR_NONE);
    ck_assert_int_eq(result->configs_count, CONF_KEYS);
    ck_assert(span_equal(find(result, "log.retention.ms")->value, SPAN("777")));
    ck_assert(find(result, "log.retention.ms")->read_only);
}
END_TEST

START_TEST(synonyms_and_documentation_are_told_when_they_are_asked_for)
{
    struct describe_configs_request *request = describing(TOPIC, "a");
    request->include_synonyms = true;
    request->include_documentation = true;
    const struct describe_configs_response_result *result = describe(DESCRIBE_NEWEST, request);
    const struct describe_configs_response_result_config *config = find(result, "retention.ms");
    ck_assert_int_ge(config->synonyms_count, 2);
    ck_assert(span_equal(config->synonyms[0].name, SPAN("log.retention.ms")));
    ck_assert(span_equal(config->synonyms[0].value, SPAN("777")));
    ck_assert_int_eq(config->synonyms[0].source, CONF_SOURCE_FILE);
    for (int32_t i = 0; i < result->configs_count; i++)
        ck_assert_uint_gt(result->configs[i].documentation.length, 0);
}
END_TEST

START_TEST(keys_are_told_by_name)
{
    struct describe_configs_request *request = describing(TOPIC, "a");
    struct span *keys = admin_array(&admin, 3, sizeof(*keys));
    keys[0] = SPAN("retention.ms");
    keys[1] = SPAN("no.such.key");
    keys[2] = SPAN("cleanup.policy");
    request->resources[0].configuration_keys = keys;
    request->resources[0].configuration_keys_count = 3;
    ck_assert_int_eq(describe(DESCRIBE_NEWEST, request)->configs_count, 2);
}
END_TEST

START_TEST(far_too_many_keys_are_refused)
{
    struct describe_configs_request *request = describing(TOPIC, "a");
    request->resources[0].configuration_keys = admin_array(&admin, 2000, sizeof(struct span));
    request->resources[0].configuration_keys_count = 2000;
    ck_assert_int_eq(describe(DESCRIBE_NEWEST, request)->error_code, ERR_INVALID_REQUEST);
}
END_TEST

static const struct {
    int8_t type;
    const char *name;
    int error;
} resources[] = {
    {TOPIC, "none", ERR_UNKNOWN_TOPIC_OR_PARTITION},
    {TOPIC, "a/b", ERR_INVALID_TOPIC_EXCEPTION},
    {BROKER, "", ERR_NONE},
    {BROKER, "99", ERR_INVALID_REQUEST},
    {BROKER, "x", ERR_INVALID_REQUEST},
    {BROKER_LOGGER, "0", ERR_INVALID_REQUEST},
    {77, "x", ERR_INVALID_REQUEST},
};

START_TEST(other_resources_are_refused)
{
    const struct describe_configs_response_result *result =
        describe(DESCRIBE_NEWEST, describing(resources[_i].type, resources[_i].name));
    ck_assert_int_eq(result->error_code, resources[_i].error);
    ck_assert_int_eq(result->resource_type, resources[_i].type);
    ck_assert(span_equal(result->resource_name, span_text(resources[_i].name)));
    ck_assert_int_eq(result->configs_count, 0);
}
END_TEST

static struct incremental_alter_configs_request *
altering(int8_t type, const char *name, const char *key, int8_t operation, const char *value)
{
    struct incremental_alter_configs_request *request =
        client_request(admin.client, API_INCREMENTAL_ALTER_CONFIGS);
    request->resources = admin_array(&admin, 1, sizeof(*request->resources));
    request->resources_count = 1;
    request->resources[0].resource_type = type;
    request->resources[0].resource_name = span_text(name);
    request->resources[0].configs = admin_array(&admin, 1, sizeof(*request->resources[0].configs));
    request->resources[0].configs_count = 1;
    request->resources[0].configs[0].name = span_text(key);
    request->resources[0].configs[0].config_operation = operation;
    request->resources[0].configs[0].value = value == NULL ? SPAN_NULL : span_text(value);
    return request;
}

static const struct incremental_alter_configs_response_response *
alter(int16_t version, const struct incremental_alter_configs_request *request)
{
    const struct incremental_alter_configs_response *response =
        client_call(admin.client, API_INCREMENTAL_ALTER_CONFIGS, version, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses_count, request->resources_count);
    return response->responses;
}

START_TEST(what_is_set_is_shown)
{
    for (int16_t version = 0; version <= ALTER_NEWEST; version++) {
        ck_assert_int_eq(
            alter(version, altering(TOPIC, "a", "retention.ms", CONF_SET, "5"))->error_code,
            ERR_NONE);
        admin_restart(&admin);
        const struct describe_configs_response_result_config *config =
            find(describe(DESCRIBE_NEWEST, describing(TOPIC, "a")), "retention.ms");
        ck_assert(span_equal(config->value, SPAN("5")));
        ck_assert_int_eq(config->config_source, CONF_SOURCE_TOPIC);
        ck_assert_int_eq(
            alter(version, altering(TOPIC, "a", "retention.ms", CONF_DELETE, NULL))->error_code,
            ERR_NONE);
        config = find(describe(DESCRIBE_NEWEST, describing(TOPIC, "a")), "retention.ms");
        ck_assert(span_equal(config->value, SPAN("777")));
    }
}
END_TEST

static int appended(void)
{
    const struct produce_response_response_partition_response *part = produce(
        admin.client, SPAN("a"), 1, batch_of(admin.client, 1, SPAN("twenty bytes and more")));
    ck_assert_ptr_nonnull(part);
    return part->error_code;
}

/* For a partition that is at work, too. */
START_TEST(what_is_set_counts_at_once)
{
    ck_assert_int_eq(appended(), ERR_NONE);
    alter(1, altering(TOPIC, "a", "max.message.bytes", CONF_SET, "20"));
    ck_assert_int_eq(appended(), ERR_MESSAGE_TOO_LARGE);
    alter(1, altering(TOPIC, "a", "max.message.bytes", CONF_DELETE, NULL));
    ck_assert_int_eq(appended(), ERR_NONE);
}
END_TEST

START_TEST(lists_are_edited)
{
    ck_assert_int_eq(
        alter(1, altering(TOPIC, "a", "cleanup.policy", CONF_APPEND, "compact"))->error_code,
        ERR_NONE);
    const struct describe_configs_response_result *result =
        describe(DESCRIBE_NEWEST, describing(TOPIC, "a"));
    ck_assert(span_equal(find(result, "cleanup.policy")->value, SPAN("delete,compact")));
    ck_assert_int_eq(
        alter(1, altering(TOPIC, "a", "cleanup.policy", CONF_SUBTRACT, "delete"))->error_code,
        ERR_NONE);
    result = describe(DESCRIBE_NEWEST, describing(TOPIC, "a"));
    ck_assert(span_equal(find(result, "cleanup.policy")->value, SPAN("compact")));
}
END_TEST

START_TEST(validate_only_sets_nothing)
{
    struct incremental_alter_configs_request *request =
        altering(TOPIC, "a", "retention.ms", CONF_SET, "5");
    request->validate_only = true;
    ck_assert_int_eq(alter(1, request)->error_code, ERR_NONE);
    const struct describe_configs_response_result *result =
        describe(DESCRIBE_NEWEST, describing(TOPIC, "a"));
    ck_assert(span_equal(find(result, "retention.ms")->value, SPAN("777")));
}
END_TEST

static const struct {
    int8_t type;
    const char *name;
    const char *key;
    int8_t operation;
    const char *value;
    int error;
} refusals[] = {
    {TOPIC, "none", "retention.ms", CONF_SET, "5", ERR_UNKNOWN_TOPIC_OR_PARTITION},
    {TOPIC, "a", "retention.mz", CONF_SET, "5", ERR_INVALID_CONFIG},
    {TOPIC, "a", "retention.ms", CONF_SET, "x", ERR_INVALID_CONFIG},
    {TOPIC, "a", "retention.ms", CONF_SET, NULL, ERR_INVALID_REQUEST},
    {TOPIC, "a", "retention.ms", 9, "5", ERR_INVALID_REQUEST},
    {TOPIC, "a", "retention.ms", CONF_APPEND, "5", ERR_INVALID_CONFIG},
    {BROKER, "1", "log.retention.ms", CONF_SET, "5", ERR_INVALID_REQUEST},
    {BROKER, "", "log.retention.ms", CONF_SET, "5", ERR_INVALID_REQUEST},
    {BROKER_LOGGER, "1", "root", CONF_SET, "INFO", ERR_INVALID_REQUEST},
};

START_TEST(alterations_are_refused)
{
    const struct incremental_alter_configs_response_response *response =
        alter(1, altering(refusals[_i].type, refusals[_i].name, refusals[_i].key,
                          refusals[_i].operation, refusals[_i].value));
    ck_assert_int_eq(response->error_code, refusals[_i].error);
    ck_assert_int_eq(response->resource_type, refusals[_i].type);
    ck_assert(span_equal(response->resource_name, span_text(refusals[_i].name)));
    ck_assert(refusals[_i].error == ERR_UNKNOWN_TOPIC_OR_PARTITION ||
              response->error_message.length > 0);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(configs)
{
    TCase *tcase = tcase_create("configs");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_setting_of_a_topic_has_a_value_and_a_source);
    tcase_add_test(tcase, every_setting_of_the_broker_is_told);
    tcase_add_test(tcase, synonyms_and_documentation_are_told_when_they_are_asked_for);
    tcase_add_test(tcase, keys_are_told_by_name);
    tcase_add_test(tcase, far_too_many_keys_are_refused);
    tcase_add_loop_test(tcase, other_resources_are_refused, 0, ROWS(resources));
    tcase_add_test(tcase, what_is_set_is_shown);
    tcase_add_test(tcase, what_is_set_counts_at_once);
    tcase_add_test(tcase, lists_are_edited);
    tcase_add_test(tcase, validate_only_sets_nothing);
    tcase_add_loop_test(tcase, alterations_are_refused, 0, ROWS(refusals));
    suite_add_tcase(suite, tcase);
}
