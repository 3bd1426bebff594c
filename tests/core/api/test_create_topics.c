/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/admin.h"

#define OLDEST 2
#define NEWEST 7

static struct admin admin;

static const char *const settings[] = {"num.partitions", "3", NULL};

static void set_up(void)
{
    admin_start(&admin, settings);
}

static void tear_down(void)
{
    admin_end(&admin);
}

START_TEST(minus_one_is_the_default)
{
    const struct create_topics_response_topic *topic =
        admin_create(&admin, NEWEST, admin_creation(&admin, "a", -1, -1));
    ck_assert_int_eq(topic->error_code, ERR_NONE);
    ck_assert(span_is_null(topic->error_message));
    ck_assert_int_eq(topic->num_partitions, 3);
    ck_assert_int_eq(topic->replication_factor, 1);
    ck_assert_int_eq(admin_topic(&admin, "a")->partitions_count, 3);
}
END_TEST

START_TEST(every_version_creates)
{
    char name[] = "topic-?";
    for (int16_t version = OLDEST; version <= NEWEST; version++) {
        name[6] = (char)('a' + version);
        const struct create_topics_response_topic *topic =
            admin_create(&admin, version, admin_creation(&admin, name, 2, 1));
        ck_assert_int_eq(topic->error_code, ERR_NONE);
        ck_assert(span_equal(topic->name, span_text(name)));
        ck_assert_int_eq(topic->num_partitions, version >= 5 ? 2 : -1);
        ck_assert(uuid_is_zero(topic->topic_id) == (version < 7));
        ck_assert_int_eq(admin_topic(&admin, name)->partitions_count, 2);
    }
}
END_TEST

START_TEST(validate_only_creates_nothing)
{
    struct create_topics_request *create = admin_creation(&admin, "a", 2, 1);
    create->validate_only = true;
    const struct create_topics_response_topic *topic = admin_create(&admin, NEWEST, create);
    ck_assert_int_eq(topic->error_code, ERR_NONE);
    ck_assert_int_eq(topic->num_partitions, 2);
    ck_assert(uuid_is_zero(topic->topic_id));
    ck_assert_int_eq(admin_metadata(&admin, 13, NULL, -1)->topics_count, 0);
    create->topics[0].replication_factor = 2;
    ck_assert_int_eq(admin_create(&admin, NEWEST, create)->error_code,
                     ERR_INVALID_REPLICATION_FACTOR);
}
END_TEST

START_TEST(the_answer_tells_every_setting)
{
    struct create_topics_request *create = admin_creation(&admin, "a", 1, 1);
    create->topics[0].configs = admin_array(&admin, 1, sizeof(*create->topics[0].configs));
    create->topics[0].configs_count = 1;
    create->topics[0].configs[0].name = SPAN("retention.ms");
    create->topics[0].configs[0].value = SPAN("12345");
    const struct create_topics_response_topic *topic = admin_create(&admin, NEWEST, create);
    ck_assert_int_eq(topic->error_code, ERR_NONE);
    ck_assert_int_eq(topic->configs_count, TOPIC_CONF_KEYS);
    int found = 0;
    for (int32_t i = 0; i < topic->configs_count; i++) {
        ck_assert(!span_is_null(topic->configs[i].value));
        if (!span_equal(topic->configs[i].name, SPAN("retention.ms"))) {
            ck_assert_int_ne(topic->configs[i].config_source, CONF_SOURCE_TOPIC);
            continue;
        }
        found++;
        ck_assert(span_equal(topic->configs[i].value, SPAN("12345")));
        ck_assert_int_eq(topic->configs[i].config_source, CONF_SOURCE_TOPIC);
        ck_assert(!topic->configs[i].read_only);
    }
    ck_assert_int_eq(found, 1);
}
END_TEST

START_TEST(each_topic_has_its_own_error)
{
    struct create_topics_request *create = client_request(admin.client, API_CREATE_TOPICS);
    const char *const names[] = {"good", "bad/name", "good", "another"};
    const int errors[] = {ERR_NONE, ERR_INVALID_TOPIC_EXCEPTION, ERR_INVALID_REQUEST, ERR_NONE};
    create->topics = admin_array(&admin, 4, sizeof(*create->topics));
    create->topics_count = 4;
    for (int i = 0; i < 4; i++) {
        create->topics[i].name = span_text(names[i]);
        create->topics[i].num_partitions = 1;
        create->topics[i].replication_factor = 1;
    }
    const struct create_topics_response_topic *topics = admin_create(&admin, NEWEST, create);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(topics[i].error_code, errors[i]);
        ck_assert(span_equal(topics[i].name, span_text(names[i])));
        ck_assert(span_is_null(topics[i].error_message) == (errors[i] == ERR_NONE));
    }
    ck_assert_int_eq(admin_metadata(&admin, 13, NULL, -1)->topics_count, 2);
    ck_assert_int_eq(admin_make(&admin, "good", 1), ERR_TOPIC_ALREADY_EXISTS);
}
END_TEST

START_TEST(brokers_are_assigned_by_hand)
{
    int32_t broker = admin.node.conf.node_id;
    struct create_topics_request *create = admin_creation(&admin, "a", -1, -1);
    create->topics[0].assignments = admin_array(&admin, 2, sizeof(*create->topics[0].assignments));
    create->topics[0].assignments_count = 2;
    for (int32_t i = 0; i < 2; i++) {
        create->topics[0].assignments[i].partition_index = i;
        create->topics[0].assignments[i].broker_ids = &broker;
        create->topics[0].assignments[i].broker_ids_count = 1;
    }
    ck_assert_int_eq(admin_create(&admin, NEWEST, create)->error_code, ERR_NONE);
    ck_assert_int_eq(admin_topic(&admin, "a")->partitions_count, 2);
    create->topics[0].name = SPAN("b");
    broker++;
    ck_assert_int_eq(admin_create(&admin, NEWEST, create)->error_code,
                     ERR_INVALID_REPLICA_ASSIGNMENT);
}
END_TEST

START_TEST(it_is_answered_when_it_is_durable)
{
    const struct create_topics_request *create = admin_creation(&admin, "a", 1, 1);
    world_hold(admin.node.world, EFFECT_SYNC, "__cluster_metadata-0");
    ck_assert_ptr_null(client_call(admin.client, API_CREATE_TOPICS, NEWEST, create));
    world_release(admin.node.world);
    world_run(admin.node.world);
    const struct create_topics_response *response = client_take(admin.client);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
    admin_restart(&admin);
    ck_assert_int_eq(admin_metadata(&admin, 13, NULL, -1)->topics_count, 1);
}
END_TEST

START_TEST(a_full_disk_refuses)
{
    world_fail(admin.node.world, EFFECT_WRITE, "__cluster_metadata-0", 0, 1, ERR_NO_SPACE, 0);
    const struct create_topics_response_topic *topic =
        admin_create(&admin, NEWEST, admin_creation(&admin, "a", 1, 1));
    ck_assert_int_eq(topic->error_code, ERR_KAFKA_STORAGE_ERROR);
    ck_assert(uuid_is_zero(topic->topic_id));
    ck_assert_int_eq(topic->configs_count, 0);
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
}
END_TEST

SUITE(create_topics)
{
    TCase *tcase = tcase_create("create_topics");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, minus_one_is_the_default);
    tcase_add_test(tcase, every_version_creates);
    tcase_add_test(tcase, validate_only_creates_nothing);
    tcase_add_test(tcase, the_answer_tells_every_setting);
    tcase_add_test(tcase, each_topic_has_its_own_error);
    tcase_add_test(tcase, brokers_are_assigned_by_hand);
    tcase_add_test(tcase, it_is_answered_when_it_is_durable);
    tcase_add_test(tcase, a_full_disk_refuses);
    suite_add_tcase(suite, tcase);
}
