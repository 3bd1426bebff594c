/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/image.h"
#include "tests/core/api/admin.h"
#include "tests/support/produce.h"

#define NEWEST 6

static struct admin admin;

static const char *const no_deletion[] = {"delete.topic.enable", "false", NULL};

static void set_up(void)
{
    admin_start(&admin, NULL);
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    ck_assert_int_eq(admin_make(&admin, "b", 1), ERR_NONE);
}

static void set_up_without_deletion(void)
{
    admin_start(&admin, no_deletion);
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
}

static void tear_down(void)
{
    admin_end(&admin);
}

static const struct delete_topics_response *
call(int16_t version, const struct delete_topics_request_topic *topics, int32_t count)
{
    struct delete_topics_request *request = client_request(admin.client, API_DELETE_TOPICS);
    request->topics = admin_array(&admin, (size_t)count, sizeof(*topics));
    request->topics_count = count;
    memcpy(request->topics, topics, (size_t)count * sizeof(*topics));
    request->topic_names = admin_array(&admin, (size_t)count, sizeof(struct span));
    request->topic_names_count = count;
    for (int32_t i = 0; i < count; i++)
        request->topic_names[i] = topics[i].name;
    const struct delete_topics_response *response =
        client_call(admin.client, API_DELETE_TOPICS, version, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses_count, count);
    return response;
}

START_TEST(every_version_deletes_by_name)
{
    const struct delete_topics_request_topic topic = {.name = SPAN("a")};
    for (int16_t version = 1; version <= NEWEST; version++) {
        const struct delete_topics_response *response = call(version, &topic, 1);
        ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
        ck_assert(span_equal(response->responses[0].name, SPAN("a")));
        ck_assert_int_eq(admin_metadata(&admin, 13, NULL, -1)->topics_count, 1);
        ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    }
}
END_TEST

/* What its folder is called for the time being has to be a name of a file system, too. */
START_TEST(the_longest_name_can_be_deleted)
{
    char name[META_TOPIC_NAME_MAX + 1];
    memset(name, 'x', META_TOPIC_NAME_MAX);
    name[META_TOPIC_NAME_MAX] = '\0';
    ck_assert_int_eq(admin_make(&admin, name, 1), ERR_NONE);
    struct client *client = client_new(admin.node.world);
    ck_assert_ptr_nonnull(produce(client, span_text(name), -1, batch_of(client, 1, SPAN("hello"))));
    client_free(client);
    const struct delete_topics_request_topic topic = {.name = span_text(name)};
    ck_assert_int_eq(call(NEWEST, &topic, 1)->responses[0].error_code, ERR_NONE);
    world_run(admin.node.world);
    ck_assert(!world_is_stopped(admin.node.world));
    ck_assert_int_eq(admin_make(&admin, name, 1), ERR_NONE);
}
END_TEST

START_TEST(version_6_deletes_by_id)
{
    const struct uuid id = admin_topic(&admin, "b")->topic_id;
    const struct delete_topics_request_topic topic = {.topic_id = id};
    const struct delete_topics_response *response = call(NEWEST, &topic, 1);
    ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
    ck_assert(span_equal(response->responses[0].name, SPAN("b")));
    ck_assert(uuid_equal(response->responses[0].topic_id, id));
    admin_restart(&admin);
    const struct metadata_response *all = admin_metadata(&admin, 13, NULL, -1);
    ck_assert_int_eq(all->topics_count, 1);
    ck_assert(span_equal(all->topics[0].name, SPAN("a")));
    ck_assert_int_eq(call(NEWEST, &topic, 1)->responses[0].error_code, ERR_UNKNOWN_TOPIC_ID);
}
END_TEST

START_TEST(each_topic_has_its_own_error)
{
    const struct delete_topics_request_topic topics[] = {
        {.name = SPAN("a")},
        {.name = SPAN("none")},
        {.name = SPAN("a")},
        {.name = SPAN_NULL},
        {.name = SPAN("b"), .topic_id = {{1}}},
        {.topic_id = {{9}}},
    };
    const int errors[] = {ERR_NONE,
                          ERR_UNKNOWN_TOPIC_OR_PARTITION,
                          ERR_INVALID_REQUEST,
                          ERR_INVALID_REQUEST,
                          ERR_INVALID_REQUEST,
                          ERR_UNKNOWN_TOPIC_ID};
    const struct delete_topics_response *response = call(NEWEST, topics, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(response->responses[i].error_code, errors[i]);
    ck_assert_int_eq(admin_metadata(&admin, 13, NULL, -1)->topics_count, 1);
}
END_TEST

START_TEST(the_broker_may_refuse_to_delete)
{
    const struct delete_topics_request_topic topic = {.name = SPAN("a")};
    const struct delete_topics_response *response = call(NEWEST, &topic, 1);
    ck_assert_int_eq(response->responses[0].error_code, ERR_TOPIC_DELETION_DISABLED);
    ck_assert_uint_gt(response->responses[0].error_message.length, 0);
    ck_assert_int_eq(admin_topic(&admin, "a")->error_code, ERR_NONE);
}
END_TEST

START_TEST(a_full_disk_deletes_nothing)
{
    const struct delete_topics_request_topic topic = {.name = SPAN("a")};
    world_fail(admin.node.world, EFFECT_WRITE, "__cluster_metadata-0", 0, 1, ERR_NO_SPACE, 0);
    ck_assert_int_eq(call(NEWEST, &topic, 1)->responses[0].error_code, ERR_KAFKA_STORAGE_ERROR);
    ck_assert_int_eq(admin_metadata(&admin, 13, NULL, -1)->topics_count, 2);
    ck_assert_int_eq(call(NEWEST, &topic, 1)->responses[0].error_code, ERR_NONE);
}
END_TEST

SUITE(delete_topics)
{
    TCase *tcase = tcase_create("delete_topics");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_version_deletes_by_name);
    tcase_add_test(tcase, the_longest_name_can_be_deleted);
    tcase_add_test(tcase, version_6_deletes_by_id);
    tcase_add_test(tcase, each_topic_has_its_own_error);
    tcase_add_test(tcase, a_full_disk_deletes_nothing);
    suite_add_tcase(suite, tcase);
    TCase *refusing = tcase_create("without deletion");
    tcase_add_checked_fixture(refusing, set_up_without_deletion, tear_down);
    tcase_add_test(refusing, the_broker_may_refuse_to_delete);
    suite_add_tcase(suite, refusing);
}
