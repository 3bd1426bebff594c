/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer groups as clients see them: a whole broker, in every version, across its deaths. */
#include <string.h>

#include "core/wire/error.h"
#include "tests/core/api/groups.h"
#include "tests/support/runner.h"

START_TEST(the_first_one_that_asks_has_the_topic_made)
{
    ck_assert_int_eq(groups_find(SPAN("g")), ERR_NONE);
    struct find_coordinator_request *request = client_request(groups.client, API_FIND_COORDINATOR);
    request->key = SPAN("g");
    const struct find_coordinator_response *response =
        client_call(groups.client, API_FIND_COORDINATOR, 0, request);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    ck_assert(response->host.length > 0 && response->port > 0);
    struct metadata_request *metadata = client_request(groups.client, API_METADATA);
    metadata->topics = groups_array(groups.client, 1, sizeof(*metadata->topics));
    metadata->topics[0].name = SPAN("__consumer_offsets");
    metadata->topics_count = 1;
    const struct metadata_response *answer = client_call(groups.client, API_METADATA, 5, metadata);
    ck_assert_int_eq(answer->topics_count, 1);
    ck_assert(span_equal(answer->topics[0].name, SPAN("__consumer_offsets")));
    ck_assert(answer->topics[0].is_internal);
    ck_assert_int_eq(answer->topics[0].partitions_count, 3);
}
END_TEST

START_TEST(two_that_ask_at_once_are_both_answered)
{
    struct client *other = client_new(groups.node.world);
    struct find_coordinator_request *request = client_request(groups.client, API_FIND_COORDINATOR);
    request->key = SPAN("g");
    client_send(groups.client, API_FIND_COORDINATOR, 3, request);
    client_send(other, API_FIND_COORDINATOR, 3, request);
    world_run(groups.node.world);
    const struct find_coordinator_response *one = client_take(groups.client);
    const struct find_coordinator_response *two = client_take(other);
    ck_assert_int_eq(one->error_code, ERR_NONE);
    ck_assert_int_eq(two->error_code, ERR_NONE);
    client_free(other);
}
END_TEST

START_TEST(transactions_have_no_coordinator)
{
    struct find_coordinator_request *request = client_request(groups.client, API_FIND_COORDINATOR);
    request->key = SPAN("t");
    request->key_type = 1;
    const struct find_coordinator_response *response =
        client_call(groups.client, API_FIND_COORDINATOR, 3, request);
    ck_assert_int_eq(response->error_code, ERR_INVALID_REQUEST);
    ck_assert_int_eq(response->node_id, -1);
}
END_TEST

/* What every API answers in every version that it has, for a group that is not there. */
static void *request_in(int16_t key, int16_t version)
{
    switch (key) {
    case API_JOIN_GROUP:
        return groups_join_of(groups.client, SPAN("g"), SPAN("nobody"));
    case API_SYNC_GROUP: {
        const struct join_group_response joined = {.member_id = SPAN("nobody")};
        return groups_sync_of(groups.client, SPAN("g"), &joined, SPAN("x"));
    }
    case API_OFFSET_COMMIT:
        return groups_commit_of(SPAN("g"), SPAN("t"), 0, version);
    case API_OFFSET_FETCH:
        return groups_fetch_of(SPAN("g"), SPAN("t"), 0);
    default:
        return client_request(groups.client, key);
    }
}

START_TEST(every_version_is_answered)
{
    static const int16_t keys[] = {API_FIND_COORDINATOR, API_JOIN_GROUP,      API_SYNC_GROUP,
                                   API_HEARTBEAT,        API_LEAVE_GROUP,     API_OFFSET_COMMIT,
                                   API_OFFSET_FETCH,     API_DESCRIBE_GROUPS, API_LIST_GROUPS,
                                   API_DELETE_GROUPS};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const struct wire_api *api = wire_api_find(keys[i]);
        for (int16_t version = api->version_min; version <= api->version_max; version++) {
            const void *request = request_in(keys[i], version);
            ck_assert_ptr_nonnull(client_call(groups.client, keys[i], version, request));
        }
    }
}
END_TEST

START_TEST(who_comes_before_the_group_is_loaded_comes_again)
{
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 1), ERR_UNKNOWN_TOPIC_OR_PARTITION);
    node_create_topic(&groups.node, SPAN("t"), 1);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 1), ERR_COORDINATOR_NOT_AVAILABLE);
    ck_assert_int_eq(groups_find(SPAN("other")), ERR_NONE);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 1), ERR_COORDINATOR_LOAD_IN_PROGRESS);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 1), ERR_NONE);
}
END_TEST

START_TEST(a_group_of_two_goes_from_generation_to_generation)
{
    struct client *other = client_new(groups.node.world);
    groups_find(SPAN("g"));
    const struct join_group_response *one = groups_enter(SPAN("g"));
    ck_assert_int_eq(one->generation_id, 1);
    ck_assert(span_equal(one->leader, one->member_id));
    ck_assert_int_eq(one->members_count, 1);
    ck_assert(span_equal(one->members[0].metadata, SPAN("topics")));
    ck_assert_int_eq(groups_beat(SPAN("g"), one), ERR_NONE);

    const struct join_group_response *round =
        client_call(other, API_JOIN_GROUP, GROUPS_JOIN, groups_join_of(other, SPAN("g"), SPAN("")));
    ck_assert_int_eq(round->error_code, ERR_MEMBER_ID_REQUIRED);
    ck_assert_ptr_null(client_call(other, API_JOIN_GROUP, GROUPS_JOIN,
                                   groups_join_of(other, SPAN("g"), round->member_id)));
    ck_assert_int_eq(groups_beat(SPAN("g"), one), ERR_REBALANCE_IN_PROGRESS);
    one = client_call(groups.client, API_JOIN_GROUP, GROUPS_JOIN,
                      groups_join_of(groups.client, SPAN("g"), one->member_id));
    const struct join_group_response *two = client_take(other);
    ck_assert_int_eq(one->generation_id, 2);
    ck_assert_int_eq(one->members_count, 2);
    ck_assert_int_eq(two->generation_id, 2);
    ck_assert_int_eq(two->members_count, 0);
    ck_assert(span_equal(two->leader, one->member_id));

    ck_assert_ptr_null(
        client_call(other, API_SYNC_GROUP, GROUPS_SYNC,
                    groups_sync_of(other, SPAN("g"), two, SPAN("not the leader's"))));
    const struct sync_group_response *synced =
        client_call(groups.client, API_SYNC_GROUP, GROUPS_SYNC,
                    groups_sync_of(groups.client, SPAN("g"), one, SPAN("everything")));
    ck_assert(span_equal(synced->assignment, SPAN("everything")));
    synced = client_take(other);
    ck_assert_int_eq(synced->error_code, ERR_NONE);
    ck_assert_uint_eq(synced->assignment.length, 0);

    world_client_close(groups.node.world, client_connection(other));
    world_advance_ms(groups.node.world, 5000);
    ck_assert_int_eq(groups_beat(SPAN("g"), one), ERR_NONE);
    world_advance_ms(groups.node.world, 5000);
    ck_assert_int_eq(groups_beat(SPAN("g"), one), ERR_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(groups_leave(SPAN("g"), one->member_id), ERR_NONE);
    ck_assert_int_eq(groups_leave(SPAN("g"), one->member_id), ERR_UNKNOWN_MEMBER_ID);
    client_free(other);
}
END_TEST

/* A client of JoinGroup 0 to 3 that goes while it waits can never come back. */
START_TEST(a_connection_that_goes_takes_its_newcomer_along)
{
    struct client *other = client_new(groups.node.world);
    groups_find(SPAN("g"));
    const struct join_group_response *one = groups_enter(SPAN("g"));
    ck_assert_ptr_null(
        client_call(other, API_JOIN_GROUP, 3, groups_join_of(other, SPAN("g"), SPAN(""))));
    world_client_close(groups.node.world, client_connection(other));
    world_run(groups.node.world);
    world_advance_ms(groups.node.world, 1);
    one = client_call(groups.client, API_JOIN_GROUP, GROUPS_JOIN,
                      groups_join_of(groups.client, SPAN("g"), one->member_id));
    ck_assert_int_eq(one->members_count, 1);
    client_free(other);
}
END_TEST

static void (*const deaths[])(struct node *node) = {node_stop, node_kill, node_power_loss};

START_TEST(groups_and_offsets_survive)
{
    groups_find(SPAN("g"));
    node_create_topic(&groups.node, SPAN("t"), 1);
    const struct join_group_response *joined = groups_enter(SPAN("g"));
    struct join_group_response kept = *joined;
    char member[128];
    ck_assert_uint_le(joined->member_id.length, sizeof(member));
    memcpy(member, joined->member_id.data, joined->member_id.length);
    kept.member_id = span_of(member, joined->member_id.length);
    struct offset_commit_request *request = groups_commit_of(SPAN("g"), SPAN("t"), 0, 42);
    request->generation_id_or_member_epoch = kept.generation_id;
    request->member_id = kept.member_id;
    ck_assert_int_eq(groups_committed_error(
                         client_call(groups.client, API_OFFSET_COMMIT, GROUPS_COMMIT, request)),
                     ERR_NONE);
    deaths[_i](&groups.node);
    groups_start_again();
    ck_assert_int_eq(groups_find(SPAN("g")), ERR_NONE);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 42);
    ck_assert_int_eq(groups_beat(SPAN("g"), &kept), ERR_NONE);
    const struct sync_group_response *synced =
        client_call(groups.client, API_SYNC_GROUP, GROUPS_SYNC,
                    groups_sync_of(groups.client, SPAN("g"), &kept, SPAN("")));
    ck_assert(span_equal(synced->assignment, SPAN("partitions")));
    world_advance_ms(groups.node.world, 10000);
    ck_assert_int_eq(groups_beat(SPAN("g"), &kept), ERR_UNKNOWN_MEMBER_ID);
}
END_TEST

/* What is parked holds little: others are heard while more wait than receive buffers fit into
 * memory. */
START_TEST(many_that_wait_leave_room_for_others)
{
    enum { WAITERS = 40 }; /* of 64 KiB each they would be more than queued.max.request.bytes */
    struct client *waiters[WAITERS];
    groups_find(SPAN("g"));
    const struct join_group_response *one = groups_enter(SPAN("g"));
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = client_new(groups.node.world);
        ck_assert_ptr_null(client_call(waiters[i], API_JOIN_GROUP, 3,
                                       groups_join_of(waiters[i], SPAN("g"), SPAN(""))));
        ck_assert_int_eq(groups_beat(SPAN("g"), one), ERR_REBALANCE_IN_PROGRESS);
    }
    one = client_call(groups.client, API_JOIN_GROUP, GROUPS_JOIN,
                      groups_join_of(groups.client, SPAN("g"), one->member_id));
    ck_assert_int_eq(one->members_count, WAITERS + 1);
    for (int i = 0; i < WAITERS; i++)
        client_free(waiters[i]);
}
END_TEST

/* With all memory for receiving taken, nobody is heard until some is free; and nothing spins. */
START_TEST(who_is_not_heard_is_heard_later)
{
    enum { WAITERS = 15 };
    static uint8_t topics[40000]; /* more than is copied */
    struct client *waiters[WAITERS];
    groups_find(SPAN("g"));
    const struct join_group_response *one = groups_enter(SPAN("g"));
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = client_new(groups.node.world);
        struct join_group_request *request = groups_join_of(waiters[i], SPAN("g"), SPAN(""));
        request->protocols[0].metadata = span_of(topics, sizeof(topics));
        ck_assert_ptr_null(client_call(waiters[i], API_JOIN_GROUP, 3, request));
    }
    struct heartbeat_request *request = client_request(groups.client, API_HEARTBEAT);
    request->group_id = SPAN("g");
    request->member_id = one->member_id;
    ck_assert_ptr_null(client_call(groups.client, API_HEARTBEAT, GROUPS_BEAT, request));
    world_advance_ms(groups.node.world, 10000);
    world_run(groups.node.world);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_ptr_nonnull(client_take(waiters[i]));
    ck_assert_ptr_nonnull(client_take(groups.client));
    for (int i = 0; i < WAITERS; i++)
        client_free(waiters[i]);
}
END_TEST

/* The broker's end answers nobody twice and forgets nobody: the world counts what is left. */
START_TEST(an_end_while_everybody_waits)
{
    struct client *other = client_new(groups.node.world);
    groups_find(SPAN("g"));
    node_create_topic(&groups.node, SPAN("t"), 1);
    const struct join_group_response *one = groups_enter(SPAN("g"));
    client_call(other, API_JOIN_GROUP, 3, groups_join_of(other, SPAN("g"), SPAN("")));
    world_hold(groups.node.world, EFFECT_SYNC, "__consumer_offsets");
    struct offset_commit_request *request = groups_commit_of(SPAN("g"), SPAN("t"), 0, 42);
    request->generation_id_or_member_epoch = one->generation_id;
    request->member_id = one->member_id;
    ck_assert_ptr_null(client_call(groups.client, API_OFFSET_COMMIT, GROUPS_COMMIT, request));
    if (_i == 0)
        world_release(groups.node.world);
    deaths[_i](&groups.node);
    client_free(other);
    groups_start_again();
    ck_assert_int_eq(groups_find(SPAN("g")), ERR_NONE);
}
END_TEST

SUITE(groups)
{
    TCase *tcase = tcase_create("groups");
    tcase_add_checked_fixture(tcase, groups_start, groups_end);
    tcase_add_test(tcase, the_first_one_that_asks_has_the_topic_made);
    tcase_add_test(tcase, two_that_ask_at_once_are_both_answered);
    tcase_add_test(tcase, transactions_have_no_coordinator);
    tcase_add_test(tcase, every_version_is_answered);
    tcase_add_test(tcase, who_comes_before_the_group_is_loaded_comes_again);
    tcase_add_test(tcase, a_group_of_two_goes_from_generation_to_generation);
    tcase_add_test(tcase, a_connection_that_goes_takes_its_newcomer_along);
    tcase_add_loop_test(tcase, groups_and_offsets_survive, 0, 3);
    tcase_add_test(tcase, many_that_wait_leave_room_for_others);
    tcase_add_test(tcase, who_is_not_heard_is_heard_later);
    tcase_add_loop_test(tcase, an_end_while_everybody_waits, 0, 3);
    suite_add_tcase(suite, tcase);
}
