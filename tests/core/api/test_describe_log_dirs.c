/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/admin.h"
#include "tests/support/produce.h"

#define OLDEST 1
#define NEWEST 5

static struct admin admin;

static void set_up(void)
{
    admin_start(&admin, NULL);
    ck_assert_int_eq(admin_make(&admin, "a", 2), ERR_NONE);
    ck_assert_int_eq(admin_make(&admin, "b", 1), ERR_NONE);
}

static void tear_down(void)
{
    admin_end(&admin);
}

/* Asks about partitions 0 and 7 of a topic; NULL: about everything. */
static struct describe_log_dirs_request *ask_for(const char *name)
{
    struct describe_log_dirs_request *request = client_request(admin.client, API_DESCRIBE_LOG_DIRS);
    request->topics_count = -1;
    if (name == NULL)
        return request;
    int32_t *partitions = admin_array(&admin, 2, sizeof(*partitions));
    partitions[1] = 7;
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].topic = span_text(name);
    request->topics[0].partitions = partitions;
    request->topics[0].partitions_count = 2;
    return request;
}

static const struct describe_log_dirs_response_result *
call(int16_t version, const struct describe_log_dirs_request *request)
{
    const struct describe_log_dirs_response *response =
        client_call(admin.client, API_DESCRIBE_LOG_DIRS, version, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    ck_assert_int_eq(response->results_count, 1);
    ck_assert_int_eq(response->results[0].error_code, ERR_NONE);
    ck_assert(span_equal(response->results[0].log_dir, SPAN("chronik-data")));
    return response->results;
}

START_TEST(every_partition_is_told_with_its_size)
{
    const struct span batch = batch_of(admin.client, 3, SPAN("hello"));
    ck_assert_int_eq(produce(admin.client, SPAN("a"), -1, batch)->error_code, ERR_NONE);
    for (int16_t version = OLDEST; version <= NEWEST; version++) {
        const struct describe_log_dirs_response_result *result = call(version, ask_for(NULL));
        ck_assert_int_eq(result->topics_count, 2);
        ck_assert(span_equal(result->topics[0].name, SPAN("a")));
        ck_assert_int_eq(result->topics[0].partitions_count, 2);
        ck_assert_int_eq(result->topics[0].partitions[0].partition_size, (int64_t)batch.length);
        ck_assert_int_eq(result->topics[0].partitions[0].offset_lag, 0);
        ck_assert(!result->topics[0].partitions[0].is_future_key);
        ck_assert_int_eq(result->topics[0].partitions[1].partition_index, 1);
        ck_assert_int_eq(result->topics[0].partitions[1].partition_size, 0);
        ck_assert_int_eq(result->topics[1].partitions_count, 1);
        ck_assert_int_eq(result->total_bytes, -1);
    }
}
END_TEST

START_TEST(sizes_are_known_after_a_restart)
{
    const struct span batch = batch_of(admin.client, 3, SPAN("hello"));
    const int64_t length = (int64_t)batch.length;
    ck_assert_int_eq(produce(admin.client, SPAN("a"), -1, batch)->error_code, ERR_NONE);
    admin_restart(&admin);
    const struct describe_log_dirs_response_result *result = call(NEWEST, ask_for("a"));
    ck_assert_int_eq(result->topics_count, 1);
    ck_assert_int_eq(result->topics[0].partitions_count, 1);
    ck_assert_int_eq(result->topics[0].partitions[0].partition_size, length);
}
END_TEST

START_TEST(what_is_not_here_is_not_told)
{
    ck_assert_int_eq(call(NEWEST, ask_for("nowhere"))->topics_count, 0);
    struct describe_log_dirs_request *request = ask_for("a");
    request->topics_count = 0;
    ck_assert_int_eq(call(NEWEST, request)->topics_count, 0);
}
END_TEST

/* The log has to be read, and the client does not wait for it. */
START_TEST(a_client_may_go_while_a_log_is_loaded)
{
    const struct span batch = batch_of(admin.client, 3, SPAN("hello"));
    ck_assert_int_eq(produce(admin.client, SPAN("b"), -1, batch)->error_code, ERR_NONE);
    client_free(admin.client);
    node_stop(&admin.node);
    world_hold(admin.node.world, EFFECT_OPEN, "b-0/0");
    ck_assert(node_start(&admin.node));
    admin.client = client_new(admin.node.world);
    ck_assert_ptr_null(client_call(admin.client, API_DESCRIBE_LOG_DIRS, NEWEST, ask_for(NULL)));
    world_client_close(admin.node.world, client_connection(admin.client));
    world_run(admin.node.world);
    world_release(admin.node.world);
    world_run(admin.node.world);
}
END_TEST

SUITE(describe_log_dirs)
{
    TCase *tcase = tcase_create("describe_log_dirs");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_partition_is_told_with_its_size);
    tcase_add_test(tcase, sizes_are_known_after_a_restart);
    tcase_add_test(tcase, what_is_not_here_is_not_told);
    tcase_add_test(tcase, a_client_may_go_while_a_log_is_loaded);
    suite_add_tcase(suite, tcase);
}
