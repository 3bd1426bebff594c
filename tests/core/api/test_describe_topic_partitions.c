/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/base/format.h"
#include "tests/core/api/admin.h"

typedef struct describe_topic_partitions_request request_of;
typedef struct describe_topic_partitions_response response_of;

static struct admin admin;

static void set_up(void)
{
    admin_start(&admin, NULL);
    ck_assert_int_eq(admin_make(&admin, "c", 2), ERR_NONE);
    ck_assert_int_eq(admin_make(&admin, "a", 3), ERR_NONE);
    ck_assert_int_eq(admin_make(&admin, "b", 4), ERR_NONE);
}

static void tear_down(void)
{
    admin_end(&admin);
}

/* Asks about these topics, NULL at the end, or all when there is none. */
static request_of *ask_for(const char *const *names)
{
    request_of *request = client_request(admin.client, API_DESCRIBE_TOPIC_PARTITIONS);
    int32_t count = 0;
    while (names[count] != NULL)
        count++;
    request->topics = admin_array(&admin, (size_t)count, sizeof(*request->topics));
    request->topics_count = count;
    for (int32_t i = 0; i < count; i++)
        request->topics[i].name = span_text(names[i]);
    return request;
}

static void begin_at(request_of *request, const char *name, int32_t partition)
{
    request->cursor = admin_array(&admin, 1, sizeof(*request->cursor));
    request->cursor->topic_name = span_text(name);
    request->cursor->partition_index = partition;
}

static struct describe_topic_partitions_request_cursor *cursor_of(const response_of *response)
{
    struct describe_topic_partitions_request_cursor *cursor =
        admin_array(&admin, 1, sizeof(*cursor));
    cursor->topic_name = response->next_cursor->topic_name;
    cursor->partition_index = response->next_cursor->partition_index;
    return cursor;
}

static const response_of *call(const request_of *request)
{
    const response_of *response =
        client_call(admin.client, API_DESCRIBE_TOPIC_PARTITIONS, 0, request);
    ck_assert_ptr_nonnull(response);
    return response;
}

/* The topics' names and how many partitions each has: "a3 b4". */
static void expect(const response_of *response, const char *text)
{
    char found[256] = "";
    for (int32_t i = 0; i < response->topics_count; i++) {
        const size_t length = strlen(found);
        snprintf(found + length, sizeof(found) - length, "%s%.*s%d", i == 0 ? "" : " ",
                 SPAN_ARGS(response->topics[i].name), response->topics[i].partitions_count);
    }
    ck_assert_str_eq(found, text);
}

static void expect_cursor(const response_of *response, const char *name, int32_t partition)
{
    ck_assert_ptr_nonnull(response->next_cursor);
    ck_assert(span_equal(response->next_cursor->topic_name, span_text(name)));
    ck_assert_int_eq(response->next_cursor->partition_index, partition);
}

static const char *const all[] = {NULL};

START_TEST(all_topics_come_in_the_order_of_their_names)
{
    const response_of *response = call(ask_for(all));
    expect(response, "a3 b4 c2");
    ck_assert_ptr_null(response->next_cursor);
    const struct describe_topic_partitions_response_topic *topic = &response->topics[0];
    ck_assert_int_eq(topic->error_code, ERR_NONE);
    ck_assert(!uuid_is_zero(topic->topic_id));
    ck_assert(!topic->is_internal);
    ck_assert_int_gt(topic->topic_authorized_operations, 0);
    for (int32_t i = 0; i < 3; i++) {
        const int32_t self = admin.node.conf.node_id;
        ck_assert_int_eq(topic->partitions[i].partition_index, i);
        ck_assert_int_eq(topic->partitions[i].error_code, ERR_NONE);
        ck_assert_int_eq(topic->partitions[i].leader_id, self);
        ck_assert_int_eq(topic->partitions[i].replica_nodes_count, 1);
        ck_assert_int_eq(topic->partitions[i].replica_nodes[0], self);
        ck_assert_int_eq(topic->partitions[i].isr_nodes[0], self);
        ck_assert_int_eq(topic->partitions[i].eligible_leader_replicas_count, 0);
        ck_assert_int_eq(topic->partitions[i].last_known_elr_count, 0);
        ck_assert_int_eq(topic->partitions[i].offline_replicas_count, 0);
    }
}
END_TEST

START_TEST(asked_topics_come_once_and_in_order)
{
    static const char *const some[] = {"c", "nowhere", "a", "c", "a/b", NULL};
    const response_of *response = call(ask_for(some));
    expect(response, "a3 a/b0 c2 nowhere0");
    ck_assert_int_eq(response->topics[1].error_code, ERR_INVALID_TOPIC_EXCEPTION);
    ck_assert_int_eq(response->topics[3].error_code, ERR_UNKNOWN_TOPIC_OR_PARTITION);
}
END_TEST

START_TEST(an_answer_ends_where_it_is_full)
{
    request_of *request = ask_for(all);
    request->response_partition_limit = 2;
    const response_of *response = call(request);
    expect(response, "a2");
    expect_cursor(response, "a", 2);
    request->response_partition_limit = 3;
    response = call(request);
    expect(response, "a3");
    expect_cursor(response, "b", 0);
    request->response_partition_limit = 8;
    response = call(request);
    expect(response, "a3 b4 c1");
    expect_cursor(response, "c", 1);
}
END_TEST

START_TEST(the_next_answer_begins_where_the_last_one_ended)
{
    request_of *request = ask_for(all);
    request->response_partition_limit = 4;
    begin_at(request, "a", 2);
    const response_of *response = call(request);
    expect(response, "a1 b3");
    ck_assert_int_eq(response->topics[0].partitions[0].partition_index, 2);
    expect_cursor(response, "b", 3);
    begin_at(request, "b", 3);
    response = call(request);
    expect(response, "b1 c2");
    ck_assert_ptr_null(response->next_cursor);
}
END_TEST

START_TEST(a_cursor_at_a_topic_that_went_goes_on_behind_it)
{
    request_of *request = ask_for(all);
    begin_at(request, "ab", 2);
    expect(call(request), "b4 c2");
    begin_at(request, "b", 9);
    expect(call(request), "b0 c2");
    begin_at(request, "d", 0);
    expect(call(request), "");
}
END_TEST

START_TEST(an_answer_has_at_least_one_partition)
{
    request_of *request = ask_for(all);
    request->response_partition_limit = -5;
    expect(call(request), "a1");
}
END_TEST

START_TEST(a_negative_cursor_is_refused)
{
    static const char *const some[] = {"a", "b", NULL};
    request_of *request = ask_for(some);
    begin_at(request, "a", -1);
    const response_of *response = call(request);
    expect(response, "a0 b0");
    ck_assert_int_eq(response->topics[0].error_code, ERR_INVALID_REQUEST);
    ck_assert_int_eq(response->topics[1].error_code, ERR_INVALID_REQUEST);
}
END_TEST

START_TEST(many_topics_are_told_page_by_page)
{
    char name[16];
    request_of *request = ask_for(all);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "t%02d", (i * 17) % 40);
        ck_assert_int_eq(admin_make(&admin, name, 1), ERR_NONE);
    }
    request->response_partition_limit = 7;
    begin_at(request, "t", 0);
    for (int i = 0; i < 40; i += 7) {
        const response_of *response = call(request);
        ck_assert_int_eq(response->topics_count, i + 7 > 40 ? 40 - i : 7);
        for (int k = 0; k < response->topics_count; k++) {
            snprintf(name, sizeof(name), "t%02d", i + k);
            ck_assert(span_equal(response->topics[k].name, span_text(name)));
        }
        request->cursor = response->next_cursor == NULL ? NULL : cursor_of(response);
    }
}
END_TEST

SUITE(describe_topic_partitions)
{
    TCase *tcase = tcase_create("describe_topic_partitions");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, all_topics_come_in_the_order_of_their_names);
    tcase_add_test(tcase, asked_topics_come_once_and_in_order);
    tcase_add_test(tcase, an_answer_ends_where_it_is_full);
    tcase_add_test(tcase, the_next_answer_begins_where_the_last_one_ended);
    tcase_add_test(tcase, a_cursor_at_a_topic_that_went_goes_on_behind_it);
    tcase_add_test(tcase, an_answer_has_at_least_one_partition);
    tcase_add_test(tcase, a_negative_cursor_is_refused);
    tcase_add_test(tcase, many_topics_are_told_page_by_page);
    suite_add_tcase(suite, tcase);
}
