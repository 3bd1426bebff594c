/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/admin.h"

#define NEWEST 3

static struct admin admin;

static void set_up(void)
{
    admin_start(&admin, NULL);
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
}

static void tear_down(void)
{
    admin_end(&admin);
}

static struct create_partitions_request *growth(const char *name, int32_t count)
{
    struct create_partitions_request *request = client_request(admin.client, API_CREATE_PARTITIONS);
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = span_text(name);
    request->topics[0].count = count;
    request->topics[0].assignments_count = -1;
    return request;
}

static const struct create_partitions_response_result *
call(int16_t version, const struct create_partitions_request *request)
{
    const struct create_partitions_response *response =
        client_call(admin.client, API_CREATE_PARTITIONS, version, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->results_count, request->topics_count);
    return response->results;
}

START_TEST(every_version_adds_partitions)
{
    for (int16_t version = 0; version <= NEWEST; version++) {
        const struct create_partitions_response_result *result =
            call(version, growth("a", version + 2));
        ck_assert_int_eq(result->error_code, ERR_NONE);
        ck_assert(span_is_null(result->error_message));
        ck_assert_int_eq(admin_topic(&admin, "a")->partitions_count, version + 2);
    }
    admin_restart(&admin);
    ck_assert_int_eq(admin_topic(&admin, "a")->partitions_count, NEWEST + 2);
}
END_TEST

START_TEST(each_topic_is_in_the_answer)
{
    struct create_partitions_request *request = growth("a", 3);
    struct create_partitions_request_topic *topics =
        admin_array(&admin, 3, sizeof(*request->topics));
    topics[0] = request->topics[0];
    topics[1] = *growth("none", 3)->topics;
    topics[2] = request->topics[0];
    request->topics = topics;
    request->topics_count = 3;
    const struct create_partitions_response_result *results = call(NEWEST, request);
    ck_assert_int_eq(results[0].error_code, ERR_NONE);
    ck_assert_int_eq(results[1].error_code, ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(results[2].error_code, ERR_INVALID_REQUEST);
    ck_assert(span_equal(results[1].name, SPAN("none")));
    ck_assert_int_eq(admin_topic(&admin, "a")->partitions_count, 3);
}
END_TEST

START_TEST(a_topic_does_not_shrink)
{
    const struct create_partitions_response_result *result = call(NEWEST, growth("a", 1));
    ck_assert_int_eq(result->error_code, ERR_INVALID_PARTITIONS);
    ck_assert(span_equal(result->name, SPAN("a")));
    ck_assert_uint_gt(result->error_message.length, 0);
}
END_TEST

START_TEST(brokers_are_assigned_by_hand)
{
    int32_t broker = admin.node.conf.node_id;
    struct create_partitions_request *request = growth("a", 2);
    request->topics[0].assignments =
        admin_array(&admin, 1, sizeof(*request->topics[0].assignments));
    request->topics[0].assignments_count = 1;
    request->topics[0].assignments[0].broker_ids = &broker;
    request->topics[0].assignments[0].broker_ids_count = 1;
    ck_assert_int_eq(call(NEWEST, request)->error_code, ERR_NONE);
    request->topics[0].count = 4;
    ck_assert_int_eq(call(NEWEST, request)->error_code, ERR_INVALID_REPLICA_ASSIGNMENT);
    request->topics[0].count = 3;
    broker++;
    ck_assert_int_eq(call(NEWEST, request)->error_code, ERR_INVALID_REPLICA_ASSIGNMENT);
}
END_TEST

START_TEST(validate_only_adds_nothing)
{
    struct create_partitions_request *request = growth("a", 2);
    request->validate_only = true;
    ck_assert_int_eq(call(NEWEST, request)->error_code, ERR_NONE);
    ck_assert_int_eq(admin_topic(&admin, "a")->partitions_count, 1);
}
END_TEST

SUITE(create_partitions)
{
    TCase *tcase = tcase_create("create_partitions");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_version_adds_partitions);
    tcase_add_test(tcase, each_topic_is_in_the_answer);
    tcase_add_test(tcase, a_topic_does_not_shrink);
    tcase_add_test(tcase, brokers_are_assigned_by_hand);
    tcase_add_test(tcase, validate_only_adds_nothing);
    suite_add_tcase(suite, tcase);
}
