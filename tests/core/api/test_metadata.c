/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/admin.h"

#define NEWEST 13

static struct admin admin;

static const char *const no_creation[] = {"auto.create.topics.enable", "false", NULL};

static void set_up(void)
{
    admin_start(&admin, NULL);
}

static void set_up_without_creation(void)
{
    admin_start(&admin, no_creation);
}

static void tear_down(void)
{
    admin_end(&admin);
}

START_TEST(an_empty_list_is_all_in_version_0_and_none_later)
{
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    ck_assert_int_eq(admin_make(&admin, "b", 2), ERR_NONE);
    ck_assert_int_eq(admin_metadata(&admin, 0, NULL, 0)->topics_count, 2);
    for (int16_t version = 1; version <= NEWEST; version++) {
        ck_assert_int_eq(admin_metadata(&admin, version, NULL, 0)->topics_count, 0);
        const struct metadata_response *all = admin_metadata(&admin, version, NULL, -1);
        ck_assert_int_eq(all->topics_count, 2);
        ck_assert(span_equal(all->topics[1].name, SPAN("b")));
        ck_assert_int_eq(all->topics[1].partitions_count, 2);
    }
}
END_TEST

START_TEST(a_missing_topic_is_created_when_it_is_asked_for)
{
    const struct metadata_response_topic *topic = admin_topic(&admin, "new");
    ck_assert_int_eq(topic->error_code, ERR_NONE);
    ck_assert_int_eq(topic->partitions_count, 1);
    ck_assert_int_eq(topic->partitions[0].leader_id, admin.node.conf.node_id);
    ck_assert_int_eq(topic->partitions[0].error_code, ERR_NONE);
    ck_assert_int_eq(topic->partitions[0].replica_nodes_count, 1);
    ck_assert_int_eq(topic->partitions[0].isr_nodes_count, 1);
    ck_assert_int_eq(topic->partitions[0].offline_replicas_count, 0);
    ck_assert(!uuid_is_zero(topic->topic_id));
    admin_restart(&admin);
    ck_assert_int_eq(admin_metadata(&admin, NEWEST, NULL, -1)->topics_count, 1);
}
END_TEST

START_TEST(a_missing_topic_is_created_in_every_version)
{
    char name[] = "topic-?";
    const char *names[] = {name};
    for (int16_t version = 0; version <= NEWEST; version++) {
        name[6] = (char)('a' + version);
        const struct metadata_response *response = admin_metadata(&admin, version, names, 1);
        ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
        ck_assert_int_eq(response->topics[0].partitions_count, 1);
    }
}
END_TEST

START_TEST(creation_waits_until_it_is_durable)
{
    struct metadata_request *request = client_request(admin.client, API_METADATA);
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = SPAN("new");
    world_hold(admin.node.world, EFFECT_SYNC, "__cluster_metadata-0");
    ck_assert_ptr_null(client_call(admin.client, API_METADATA, NEWEST, request));
    world_release(admin.node.world);
    world_run(admin.node.world);
    const struct metadata_response *response = client_take(admin.client);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
}
END_TEST

START_TEST(a_client_that_goes_takes_its_request_along)
{
    struct metadata_request *request = client_request(admin.client, API_METADATA);
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = SPAN("new");
    world_hold(admin.node.world, EFFECT_SYNC, "__cluster_metadata-0");
    client_send(admin.client, API_METADATA, NEWEST, request);
    request->topics[0].name = SPAN("never");
    client_send(admin.client, API_METADATA, NEWEST, request);
    world_run(admin.node.world);
    world_client_close(admin.node.world, client_connection(admin.client));
    world_run(admin.node.world);
    world_release(admin.node.world);
    world_run(admin.node.world);
    admin_restart(&admin);
    /* What was written happened all the same. */
    const struct metadata_response *all = admin_metadata(&admin, NEWEST, NULL, -1);
    ck_assert_int_eq(all->topics_count, 1);
    ck_assert(span_equal(all->topics[0].name, SPAN("new")));
}
END_TEST

START_TEST(allow_auto_topic_creation_is_honoured)
{
    struct metadata_request *request = client_request(admin.client, API_METADATA);
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = SPAN("new");
    request->allow_auto_topic_creation = false;
    for (int16_t version = 4; version <= NEWEST; version++) {
        const struct metadata_response *response =
            client_call(admin.client, API_METADATA, version, request);
        ck_assert_int_eq(response->topics[0].error_code, ERR_UNKNOWN_TOPIC_OR_PARTITION);
        ck_assert(span_equal(response->topics[0].name, SPAN("new")));
    }
}
END_TEST

START_TEST(the_broker_may_refuse_to_create)
{
    ck_assert_int_eq(admin_topic(&admin, "new")->error_code, ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(admin_make(&admin, "new", 1), ERR_NONE);
    ck_assert_int_eq(admin_topic(&admin, "new")->error_code, ERR_NONE);
}
END_TEST

START_TEST(names_that_cannot_be_are_invalid)
{
    const char *const names[] = {"a/b", "", "..", "good.name", "good_name"};
    const struct metadata_response *response = admin_metadata(&admin, NEWEST, names, 5);
    ck_assert_int_eq(response->topics[0].error_code, ERR_INVALID_TOPIC_EXCEPTION);
    ck_assert_int_eq(response->topics[1].error_code, ERR_INVALID_TOPIC_EXCEPTION);
    ck_assert_int_eq(response->topics[2].error_code, ERR_INVALID_TOPIC_EXCEPTION);
    ck_assert_int_eq(response->topics[3].error_code, ERR_NONE);
    /* Collides with the one before it: the next request says so for good. */
    ck_assert_int_eq(response->topics[4].error_code, ERR_LEADER_NOT_AVAILABLE);
    ck_assert_int_eq(admin_topic(&admin, "good_name")->error_code, ERR_INVALID_TOPIC_EXCEPTION);
    ck_assert_int_eq(admin_topic(&admin, "__cluster_metadata")->error_code,
                     ERR_LEADER_NOT_AVAILABLE);
}
END_TEST

START_TEST(a_name_may_be_asked_for_twice)
{
    const char *const names[] = {"a", "a"};
    const struct metadata_response *response = admin_metadata(&admin, NEWEST, names, 2);
    ck_assert_int_eq(response->topics_count, 2);
    ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
    ck_assert_int_eq(response->topics[1].error_code, ERR_NONE);
}
END_TEST

START_TEST(it_names_controller_cluster_and_an_address_to_reach)
{
    for (int16_t version = 0; version <= NEWEST; version++) {
        const struct metadata_response *response = admin_metadata(&admin, version, NULL, 0);
        ck_assert_int_eq(response->brokers_count, 1);
        ck_assert_int_eq(response->brokers[0].node_id, admin.node.conf.node_id);
        ck_assert_uint_gt(response->brokers[0].host.length, 0);
        ck_assert(!span_equal(response->brokers[0].host, SPAN("0.0.0.0")));
        ck_assert_int_gt(response->brokers[0].port, 0);
        if (version >= 1)
            ck_assert_int_eq(response->controller_id, admin.node.conf.node_id);
        if (version >= 2)
            ck_assert_uint_eq(response->cluster_id.length, 22);
        /* Anything else makes clients begin again from their first addresses. */
        ck_assert_int_eq(response->error_code, ERR_NONE);
        ck_assert_int_eq(response->throttle_time_ms, 0);
    }
}
END_TEST

static const struct metadata_response_topic *ask_by_id(int16_t version, struct uuid id)
{
    struct metadata_request *request = client_request(admin.client, API_METADATA);
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].topic_id = id;
    const struct metadata_response *response =
        client_call(admin.client, API_METADATA, version, request);
    ck_assert_int_eq(response->topics_count, 1);
    return &response->topics[0];
}

START_TEST(a_recreated_name_has_a_new_id_and_the_old_one_is_unknown)
{
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    const struct uuid id = admin_topic(&admin, "a")->topic_id;
    ck_assert(span_equal(ask_by_id(NEWEST, id)->name, SPAN("a")));
    struct delete_topics_request *delete = client_request(admin.client, API_DELETE_TOPICS);
    delete->topics = admin_array(&admin, 1, sizeof(*delete->topics));
    delete->topics_count = 1;
    delete->topics[0].name = SPAN("a");
    ck_assert_ptr_nonnull(client_call(admin.client, API_DELETE_TOPICS, 6, delete));
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    ck_assert(!uuid_equal(admin_topic(&admin, "a")->topic_id, id));
    const struct metadata_response_topic *stale = ask_by_id(12, id);
    ck_assert_int_eq(stale->error_code, ERR_UNKNOWN_TOPIC_ID);
    ck_assert(uuid_equal(stale->topic_id, id));
    ck_assert(span_is_null(stale->name));
}
END_TEST

START_TEST(ids_are_taken_from_version_12_on)
{
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    const struct uuid id = admin_topic(&admin, "a")->topic_id;
    ck_assert_int_eq(ask_by_id(10, id)->error_code, ERR_INVALID_REQUEST);
    ck_assert_int_eq(ask_by_id(11, id)->error_code, ERR_INVALID_REQUEST);
    ck_assert_int_eq(ask_by_id(12, id)->error_code, ERR_NONE);
}
END_TEST

START_TEST(operations_are_told_when_they_are_asked_for)
{
    struct metadata_request *request = client_request(admin.client, API_METADATA);
    request->topics = admin_array(&admin, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = SPAN("a");
    const struct metadata_response *response = client_call(admin.client, API_METADATA, 8, request);
    ck_assert_int_eq(response->topics[0].topic_authorized_operations, INT32_MIN);
    ck_assert_int_eq(response->cluster_authorized_operations, INT32_MIN);
    request->include_topic_authorized_operations = true;
    request->include_cluster_authorized_operations = true;
    response = client_call(admin.client, API_METADATA, 8, request);
    ck_assert_int_eq(response->topics[0].topic_authorized_operations, 0xdf8);
    ck_assert_int_eq(response->cluster_authorized_operations, 0x1fa0);
}
END_TEST

START_TEST(the_offsets_topic_is_created_as_the_group_coordinator_wants_it)
{
    const struct metadata_response_topic *topic = admin_topic(&admin, "__consumer_offsets");
    ck_assert_int_eq(topic->error_code, ERR_NONE);
    ck_assert(topic->is_internal);
    ck_assert_int_eq(topic->partitions_count, 50);
    ck_assert_int_eq(admin_topic(&admin, "__transaction_state")->error_code,
                     ERR_UNKNOWN_TOPIC_OR_PARTITION);
}
END_TEST

START_TEST(a_full_disk_creates_nothing_and_the_client_asks_again)
{
    world_fail(admin.node.world, EFFECT_WRITE, "__cluster_metadata-0", 0, 1, ERR_NO_SPACE, 0);
    ck_assert_int_eq(admin_topic(&admin, "a")->error_code, ERR_LEADER_NOT_AVAILABLE);
    ck_assert_int_eq(admin_topic(&admin, "a")->error_code, ERR_NONE);
}
END_TEST

START_TEST(a_new_process_leads_under_a_higher_epoch)
{
    ck_assert_int_eq(admin_make(&admin, "a", 1), ERR_NONE);
    ck_assert_int_eq(admin_topic(&admin, "a")->partitions[0].leader_epoch, 0);
    admin_restart(&admin);
    ck_assert_int_eq(admin_topic(&admin, "a")->partitions[0].leader_epoch, 1);
}
END_TEST

SUITE(metadata)
{
    TCase *tcase = tcase_create("metadata");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_empty_list_is_all_in_version_0_and_none_later);
    tcase_add_test(tcase, a_missing_topic_is_created_when_it_is_asked_for);
    tcase_add_test(tcase, a_missing_topic_is_created_in_every_version);
    tcase_add_test(tcase, creation_waits_until_it_is_durable);
    tcase_add_test(tcase, a_client_that_goes_takes_its_request_along);
    tcase_add_test(tcase, allow_auto_topic_creation_is_honoured);
    tcase_add_test(tcase, names_that_cannot_be_are_invalid);
    tcase_add_test(tcase, a_name_may_be_asked_for_twice);
    tcase_add_test(tcase, it_names_controller_cluster_and_an_address_to_reach);
    tcase_add_test(tcase, a_recreated_name_has_a_new_id_and_the_old_one_is_unknown);
    tcase_add_test(tcase, ids_are_taken_from_version_12_on);
    tcase_add_test(tcase, operations_are_told_when_they_are_asked_for);
    tcase_add_test(tcase, the_offsets_topic_is_created_as_the_group_coordinator_wants_it);
    tcase_add_test(tcase, a_full_disk_creates_nothing_and_the_client_asks_again);
    tcase_add_test(tcase, a_new_process_leads_under_a_higher_epoch);
    suite_add_tcase(suite, tcase);
    TCase *refusing = tcase_create("without creation");
    tcase_add_checked_fixture(refusing, set_up_without_creation, tear_down);
    tcase_add_test(refusing, the_broker_may_refuse_to_create);
    suite_add_tcase(suite, refusing);
}
