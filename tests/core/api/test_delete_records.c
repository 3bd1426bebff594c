/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/admin.h"
#include "tests/support/produce.h"

#define NEWEST 2

static struct admin admin;

static void set_up(void)
{
    admin_start(&admin, NULL);
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    produce(admin.client, SPAN("a"), -1, batch_of(admin.client, 3, SPAN("hello")));
}

static void tear_down(void)
{
    admin_end(&admin);
}

static struct delete_records_request *deletion_of(int32_t partition, int64_t offset)
{
    struct delete_records_request *request = client_request(admin.client, API_DELETE_RECORDS);
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = SPAN("a");
    request->topics[0].partitions = admin_array(&admin, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].partition_index = partition;
    request->topics[0].partitions[0].offset = offset;
    return request;
}

static void check(const struct delete_records_response *response, int error, int64_t low_watermark)
{
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics[0].partitions[0].error_code, error);
    ck_assert_int_eq(response->topics[0].partitions[0].low_watermark, low_watermark);
}

static void call(int16_t version, int32_t partition, int64_t offset, int error,
                 int64_t low_watermark)
{
    check(client_call(admin.client, API_DELETE_RECORDS, version, deletion_of(partition, offset)),
          error, low_watermark);
}

START_TEST(every_version_moves_the_start)
{
    for (int16_t version = 0; version <= NEWEST; version++)
        call(version, 0, version + 1, ERR_NONE, version + 1);
}
END_TEST

START_TEST(the_start_never_goes_back)
{
    call(NEWEST, 0, 2, ERR_NONE, 2);
    call(NEWEST, 0, 1, ERR_NONE, 2);
}
END_TEST

START_TEST(minus_one_is_the_high_watermark)
{
    call(NEWEST, 0, -1, ERR_NONE, 3);
}
END_TEST

START_TEST(what_is_not_there_has_an_error)
{
    call(NEWEST, 0, 4, ERR_OFFSET_OUT_OF_RANGE, -1);
    call(NEWEST, 1, 1, ERR_UNKNOWN_TOPIC_OR_PARTITION, -1);
}
END_TEST

/* A start that another deletion has moved is promised too: it has to be durable. */
START_TEST(a_start_that_is_not_durable_yet_is_waited_for)
{
    world_hold(admin.node.world, EFFECT_RENAME, "log-start-offset-checkpoint");
    client_send(admin.client, API_DELETE_RECORDS, NEWEST, deletion_of(0, 2));
    world_run(admin.node.world);
    struct client *other = client_new(admin.node.world);
    client_send(other, API_DELETE_RECORDS, NEWEST, deletion_of(0, 1));
    world_run(admin.node.world);
    ck_assert_ptr_null(client_take(other));
    world_release(admin.node.world);
    world_run(admin.node.world);
    check(client_take(admin.client), ERR_NONE, 2);
    check(client_take(other), ERR_NONE, 2);
    client_free(other);
}
END_TEST

START_TEST(a_full_disk_is_an_error_that_clients_know)
{
    world_fail(admin.node.world, EFFECT_WRITE, "log-start-offset-checkpoint", 0, 1, ERR_NO_SPACE,
               0);
    call(NEWEST, 0, 2, ERR_KAFKA_STORAGE_ERROR, -1);
    call(NEWEST, 0, 3, ERR_NONE, 3);
}
END_TEST

/* Nobody waits for the start of what is gone, though the checkpoint is of the whole folder. */
START_TEST(the_topic_goes_before_the_answer)
{
    world_hold(admin.node.world, EFFECT_RENAME, "log-start-offset-checkpoint");
    client_send(admin.client, API_DELETE_RECORDS, NEWEST, deletion_of(0, 2));
    world_run(admin.node.world);
    struct client *other = client_new(admin.node.world);
    struct delete_topics_request *request = client_request(other, API_DELETE_TOPICS);
    struct span name = SPAN("a");
    request->topic_names = &name;
    request->topic_names_count = 1;
    const struct delete_topics_response *deleted =
        client_call(other, API_DELETE_TOPICS, 1, request);
    ck_assert_int_eq(deleted->responses[0].error_code, ERR_NONE);
    check(client_take(admin.client), ERR_UNKNOWN_TOPIC_OR_PARTITION, -1);
    world_release(admin.node.world);
    world_run(admin.node.world);
    client_free(other);
}
END_TEST

SUITE(delete_records)
{
    TCase *tcase = tcase_create("delete_records");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_version_moves_the_start);
    tcase_add_test(tcase, the_start_never_goes_back);
    tcase_add_test(tcase, minus_one_is_the_high_watermark);
    tcase_add_test(tcase, what_is_not_there_has_an_error);
    tcase_add_test(tcase, a_start_that_is_not_durable_yet_is_waited_for);
    tcase_add_test(tcase, a_full_disk_is_an_error_that_clients_know);
    tcase_add_test(tcase, the_topic_goes_before_the_answer);
    suite_add_tcase(suite, tcase);
}
