/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets that groups commit, as clients see them. */
#include "core/wire/error.h"
#include "tests/core/api/groups.h"
#include "tests/support/runner.h"

/* The coordinator of "g" has loaded it, and there is "t". */
static void load_group(void)
{
    groups_find(SPAN("g"));
    node_create_topic(&groups.node, SPAN("t"), 1);
    groups_fetch(SPAN("g"), SPAN("t"), 0);
}

START_TEST(a_commit_is_fetched_as_it_was)
{
    groups_find(SPAN("g"));
    node_create_topic(&groups.node, SPAN("t"), 2);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 1, 42), ERR_NONE);
    const struct offset_fetch_response_group_topic_partition *got =
        groups_fetch(SPAN("g"), SPAN("t"), 1);
    ck_assert_int_eq(got->committed_offset, 42);
    ck_assert_int_eq(got->committed_leader_epoch, -1);
    ck_assert(span_equal(got->metadata, SPAN("note")));
    ck_assert_int_eq(got->error_code, ERR_NONE);
    got = groups_fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert(got->committed_offset == -1 && got->error_code == ERR_NONE);
    got = groups_fetch(SPAN("g"), SPAN("no such topic"), 5);
    ck_assert(got->committed_offset == -1 && got->error_code == ERR_NONE);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 2, 1), ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), -1, 1), ERR_UNKNOWN_TOPIC_OR_PARTITION);
    struct offset_commit_request *long_note = groups_commit_of(SPAN("g"), SPAN("t"), 1, 43);
    long_note->topics[0].partitions[0].committed_metadata = SPAN("123456789");
    ck_assert_int_eq(groups_committed_error(
                         client_call(groups.client, API_OFFSET_COMMIT, GROUPS_COMMIT, long_note)),
                     ERR_OFFSET_METADATA_TOO_LARGE);
    long_note->topics[0].partitions[0].committed_metadata = SPAN_NULL;
    ck_assert_int_eq(groups_committed_error(
                         client_call(groups.client, API_OFFSET_COMMIT, GROUPS_COMMIT, long_note)),
                     ERR_NONE);
    got = groups_fetch(SPAN("g"), SPAN("t"), 1);
    ck_assert(got->committed_offset == 43 && got->metadata.length == 0);
}
END_TEST

START_TEST(all_offsets_of_a_group_in_every_version)
{
    groups_find(SPAN("g"));
    node_create_topic(&groups.node, SPAN("t"), 2);
    node_create_topic(&groups.node, SPAN("u"), 1);
    groups_fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 1, 42), ERR_NONE);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("u"), 0, 43), ERR_NONE);
    struct offset_fetch_request *request = groups_fetch_of(SPAN("g"), SPAN_NULL, 0);
    request->group_id = SPAN("g");
    request->topics_count = -1;
    for (int16_t version = 2; version <= 10; version++) {
        const struct offset_fetch_response *response =
            client_call(groups.client, API_OFFSET_FETCH, version, request);
        if (version < 8) {
            ck_assert_int_eq(response->topics_count, 2);
            ck_assert(span_equal(response->topics[0].name, SPAN("t")));
            ck_assert_int_eq(response->topics[0].partitions[0].partition_index, 1);
            ck_assert_int_eq(response->topics[0].partitions[0].committed_offset, 42);
            ck_assert_int_eq(response->topics[1].partitions[0].committed_offset, 43);
        } else {
            ck_assert_int_eq(response->groups[0].topics_count, 2);
            ck_assert_int_eq(response->groups[0].topics[0].partitions[0].committed_offset, 42);
            ck_assert_int_eq(response->groups[0].topics[1].partitions[0].committed_offset, 43);
            ck_assert(version < 10 || !uuid_is_zero(response->groups[0].topics[0].topic_id));
        }
    }
}
END_TEST

START_TEST(no_topics_are_not_all_topics)
{
    load_group();
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 42), ERR_NONE);
    struct offset_fetch_request *request = groups_fetch_of(SPAN("g"), SPAN_NULL, 0);
    request->group_id = SPAN("g");
    request->groups[0].topics_count = 0;
    for (int16_t version = 1; version <= 10; version++) {
        const struct offset_fetch_response *response =
            client_call(groups.client, API_OFFSET_FETCH, version, request);
        ck_assert_int_eq(response->topics_count, 0);
        ck_assert_int_eq(response->groups_count, version < 8 ? 0 : 1);
        ck_assert(version < 8 || response->groups[0].topics_count == 0);
    }
}
END_TEST

static struct uuid topic_id_of(struct span topic)
{
    struct metadata_request *request = client_request(groups.client, API_METADATA);
    request->topics = groups_array(groups.client, 1, sizeof(*request->topics));
    request->topics[0].name = topic;
    request->topics_count = 1;
    const struct metadata_response *response =
        client_call(groups.client, API_METADATA, 12, request);
    ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
    return response->topics[0].topic_id;
}

START_TEST(offsets_by_topic_id)
{
    load_group();
    struct offset_commit_request *commit10 = groups_commit_of(SPAN("g"), SPAN_NULL, 0, 7);
    commit10->topics[0].topic_id = topic_id_of(SPAN("t"));
    ck_assert_int_eq(
        groups_committed_error(client_call(groups.client, API_OFFSET_COMMIT, 10, commit10)),
        ERR_NONE);
    struct offset_fetch_request *fetch10 = groups_fetch_of(SPAN("g"), SPAN("t"), 0);
    fetch10->groups[0].topics[0].topic_id = topic_id_of(SPAN("t"));
    const struct offset_fetch_response *response =
        client_call(groups.client, API_OFFSET_FETCH, 10, fetch10);
    ck_assert_int_eq(response->groups[0].topics[0].partitions[0].committed_offset, 7);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 7);
    commit10->topics[0].topic_id.bytes[0] ^= 1;
    ck_assert_int_eq(
        groups_committed_error(client_call(groups.client, API_OFFSET_COMMIT, 10, commit10)),
        ERR_UNKNOWN_TOPIC_ID);
    fetch10->groups[0].topics[0].topic_id.bytes[0] ^= 1;
    response = client_call(groups.client, API_OFFSET_FETCH, 10, fetch10);
    ck_assert_int_eq(response->groups[0].topics[0].partitions[0].error_code, ERR_UNKNOWN_TOPIC_ID);
}
END_TEST

START_TEST(a_commit_is_answered_only_after_the_sync)
{
    load_group();
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 1), ERR_NONE);
    struct client *other = client_new(groups.node.world);
    world_hold(groups.node.world, EFFECT_SYNC, "__consumer_offsets");
    client_send(other, API_OFFSET_COMMIT, GROUPS_COMMIT,
                groups_commit_of(SPAN("g"), SPAN("t"), 0, 2));
    world_run(groups.node.world);
    ck_assert_ptr_null(client_take(other));
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 1);
    struct offset_fetch_request *stable = groups_fetch_of(SPAN("g"), SPAN("t"), 0);
    stable->require_stable = true;
    const struct offset_fetch_response *response =
        client_call(groups.client, API_OFFSET_FETCH, GROUPS_FETCH, stable);
    ck_assert_int_eq(response->groups[0].topics[0].partitions[0].error_code,
                     ERR_UNSTABLE_OFFSET_COMMIT);
    world_release(groups.node.world);
    world_run(groups.node.world);
    ck_assert_int_eq(groups_committed_error(client_take(other)), ERR_NONE);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 2);
    client_free(other);
}
END_TEST

START_TEST(a_lost_append_sends_clients_to_find_the_coordinator_again)
{
    load_group();
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 1), ERR_NONE);
    world_fail(groups.node.world, EFFECT_WRITE, "__consumer_offsets", 0, 1, ERR_NO_SPACE, 10);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 2), ERR_NOT_COORDINATOR);
    ck_assert_int_eq(groups_find(SPAN("g")), ERR_NONE);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 1);
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 3), ERR_NONE);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 3);
}
END_TEST

START_TEST(a_deleted_topic_takes_its_offsets_along)
{
    load_group();
    ck_assert_int_eq(groups_commit(SPAN("g"), SPAN("t"), 0, 9), ERR_NONE);
    struct delete_topics_request *request = client_request(groups.client, API_DELETE_TOPICS);
    request->topic_names = groups_array(groups.client, 1, sizeof(struct span));
    request->topic_names[0] = SPAN("t");
    request->topic_names_count = 1;
    request->timeout_ms = 1000;
    const struct delete_topics_response *response =
        client_call(groups.client, API_DELETE_TOPICS, 3, request);
    ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
}
END_TEST

SUITE(group_offsets)
{
    TCase *tcase = tcase_create("group_offsets");
    tcase_add_checked_fixture(tcase, groups_start, groups_end);
    tcase_add_test(tcase, a_commit_is_fetched_as_it_was);
    tcase_add_test(tcase, all_offsets_of_a_group_in_every_version);
    tcase_add_test(tcase, no_topics_are_not_all_topics);
    tcase_add_test(tcase, offsets_by_topic_id);
    tcase_add_test(tcase, a_commit_is_answered_only_after_the_sync);
    tcase_add_test(tcase, a_lost_append_sends_clients_to_find_the_coordinator_again);
    tcase_add_test(tcase, a_deleted_topic_takes_its_offsets_along);
    suite_add_tcase(suite, tcase);
}
