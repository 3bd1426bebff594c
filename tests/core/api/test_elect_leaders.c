/* SPDX-License-Identifier: Apache-2.0 */
/* ElectLeaders and UnregisterBroker, where there is one node. What they do to a cluster's metadata
 * is in tests/core/meta/test_topics_elect.c. */
#include "tests/core/api/admin.h"

#define NEWEST 2

static struct admin admin;

static void set_up(void)
{
    admin_start(&admin, NULL);
    ck_assert_int_eq(admin_make(&admin, "a", 2), ERR_NONE);
}

static void tear_down(void)
{
    admin_end(&admin);
}

/* Asks about partitions 1 and 2 of a topic. */
static struct elect_leaders_request *ask_for(const char *name)
{
    struct elect_leaders_request *request = client_request(admin.client, API_ELECT_LEADERS);
    int32_t *partitions = admin_array(&admin, 2, sizeof(*partitions));
    partitions[0] = 1;
    partitions[1] = 2;
    request->topic_partitions = admin_array(&admin, 1, sizeof(*request->topic_partitions));
    request->topic_partitions_count = 1;
    request->topic_partitions[0].topic = span_text(name);
    request->topic_partitions[0].partitions = partitions;
    request->topic_partitions[0].partitions_count = 2;
    return request;
}

static const struct elect_leaders_response *call(int16_t version,
                                                 const struct elect_leaders_request *request)
{
    const struct elect_leaders_response *response =
        client_call(admin.client, API_ELECT_LEADERS, version, request);
    ck_assert_ptr_nonnull(response);
    return response;
}

START_TEST(each_partition_is_in_the_answer)
{
    for (int16_t version = 0; version <= NEWEST; version++) {
        const struct elect_leaders_response *response = call(version, ask_for("a"));
        ck_assert_int_eq(response->error_code, ERR_NONE);
        ck_assert_int_eq(response->replica_election_results_count, 1);
        ck_assert(span_equal(response->replica_election_results[0].topic, SPAN("a")));
        ck_assert_int_eq(response->replica_election_results[0].partition_result_count, 2);
        const struct elect_leaders_response_replica_election_result_partition_result *results =
            response->replica_election_results[0].partition_result;
        ck_assert_int_eq(results[0].partition_id, 1);
        ck_assert_int_eq(results[0].error_code, ERR_ELECTION_NOT_NEEDED);
        ck_assert_int_eq(results[1].partition_id, 2);
        ck_assert_int_eq(results[1].error_code, ERR_UNKNOWN_TOPIC_OR_PARTITION);
        ck_assert(!span_is_null(results[1].error_message));
    }
}
END_TEST

START_TEST(all_partitions_are_those_that_need_it)
{
    struct elect_leaders_request *request = client_request(admin.client, API_ELECT_LEADERS);
    request->topic_partitions_count = -1;
    for (int8_t type = 0; type <= 1; type++) {
        request->election_type = type;
        const struct elect_leaders_response *response = call(NEWEST, request);
        ck_assert_int_eq(response->error_code, ERR_NONE);
        ck_assert_int_eq(response->replica_election_results_count, 0);
    }
}
END_TEST

START_TEST(there_are_two_kinds_of_elections)
{
    struct elect_leaders_request *request = ask_for("a");
    request->election_type = 2;
    ck_assert_int_eq(call(1, request)->error_code, ERR_INVALID_REQUEST);
    request->election_type = -1;
    const struct elect_leaders_response *response = call(NEWEST, request);
    ck_assert_int_eq(response->error_code, ERR_INVALID_REQUEST);
    ck_assert_int_eq(response->replica_election_results_count, 0);
}
END_TEST

static const struct unregister_broker_response *unregister(int32_t broker)
{
    struct unregister_broker_request *request = client_request(admin.client, API_UNREGISTER_BROKER);
    request->broker_id = broker;
    const struct unregister_broker_response *response =
        client_call(admin.client, API_UNREGISTER_BROKER, 0, request);
    ck_assert_ptr_nonnull(response);
    return response;
}

START_TEST(a_broker_that_runs_is_not_forgotten)
{
    const struct unregister_broker_response *response = unregister(admin.node.conf.node_id);
    ck_assert_int_eq(response->error_code, ERR_INVALID_REQUEST);
    ck_assert(!span_is_null(response->error_message));
    ck_assert_int_eq(admin_metadata(&admin, 12, NULL, 0)->brokers_count, 1);
}
END_TEST

START_TEST(nobody_is_forgotten_who_was_never_known)
{
    ck_assert_int_eq(unregister(99)->error_code, ERR_BROKER_ID_NOT_REGISTERED);
    ck_assert_int_eq(unregister(-1)->error_code, ERR_BROKER_ID_NOT_REGISTERED);
}
END_TEST

SUITE(elect_leaders)
{
    TCase *tcase = tcase_create("elect_leaders");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_partition_is_in_the_answer);
    tcase_add_test(tcase, all_partitions_are_those_that_need_it);
    tcase_add_test(tcase, there_are_two_kinds_of_elections);
    tcase_add_test(tcase, a_broker_that_runs_is_not_forgotten);
    tcase_add_test(tcase, nobody_is_forgotten_who_was_never_known);
    suite_add_tcase(suite, tcase);
}
