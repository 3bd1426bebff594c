/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer groups as clients see them: a whole broker, in every version, across its deaths. */
#include <string.h>

#include "core/wire/error.h"
#include "tests/support/client.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

/* Versions that clients use today. */
#define FIND   6
#define JOIN   9
#define SYNC   5
#define BEAT   4
#define LEAVE  5
#define COMMIT 9
#define FETCH  9

static struct node node;
static struct client *client;

static const char *const settings[] = {"offsets.topic.num.partitions",
                                       "3",
                                       "group.initial.rebalance.delay.ms",
                                       "0",
                                       "offset.metadata.max.bytes",
                                       "8",
                                       "socket.request.max.bytes",
                                       "1048576",
                                       "queued.max.request.bytes",
                                       "1048576",
                                       NULL};

static void start(void)
{
    node_init(&node, 7, settings);
    ck_assert(node_start(&node));
    client = client_new(node.world);
}

static void end(void)
{
    client_free(client);
    node_free(&node);
}

static void start_again(void)
{
    client_free(client);
    ck_assert(node_start(&node));
    client = client_new(node.world);
}

static void *array(struct client *of, size_t count, size_t size)
{
    void *items = arena_array(client_arena(of), count, size);
    ck_assert_ptr_nonnull(items);
    return items;
}

static int16_t find(struct span group)
{
    struct find_coordinator_request *request = client_request(client, API_FIND_COORDINATOR);
    request->coordinator_keys = array(client, 1, sizeof(struct span));
    request->coordinator_keys[0] = group;
    request->coordinator_keys_count = 1;
    const struct find_coordinator_response *response =
        client_call(client, API_FIND_COORDINATOR, FIND, request);
    ck_assert_int_eq(response->coordinators_count, 1);
    ck_assert(span_equal(response->coordinators[0].key, group));
    return response->coordinators[0].error_code;
}

static struct join_group_request *join_of(struct client *of, struct span group, struct span member)
{
    struct join_group_request *request = client_request(of, API_JOIN_GROUP);
    request->group_id = group;
    request->session_timeout_ms = 10000;
    request->rebalance_timeout_ms = 60000;
    request->member_id = member;
    request->protocol_type = SPAN("consumer");
    request->protocols = array(of, 1, sizeof(*request->protocols));
    request->protocols[0].name = SPAN("range");
    request->protocols[0].metadata = SPAN("topics");
    request->protocols_count = 1;
    return request;
}

/* Both rounds of a newcomer alone in its group. */
static const struct join_group_response *join(struct client *of, struct span group)
{
    const struct join_group_response *response =
        client_call(of, API_JOIN_GROUP, JOIN, join_of(of, group, SPAN("")));
    ck_assert_int_eq(response->error_code, ERR_MEMBER_ID_REQUIRED);
    client_send(of, API_JOIN_GROUP, JOIN, join_of(of, group, response->member_id));
    world_run(node.world);
    world_advance_ms(node.world, 1);
    world_run(node.world);
    return client_take(of);
}

static struct sync_group_request *sync_of(struct client *of, struct span group,
                                          const struct join_group_response *joined,
                                          struct span assignment)
{
    struct sync_group_request *request = client_request(of, API_SYNC_GROUP);
    request->group_id = group;
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    request->protocol_type = SPAN("consumer");
    request->protocol_name = SPAN("range");
    request->assignments = array(of, 1, sizeof(*request->assignments));
    request->assignments[0].member_id = joined->member_id;
    request->assignments[0].assignment = assignment;
    request->assignments_count = 1;
    return request;
}

/* Somebody who is alone in a group, and STABLE. */
static const struct join_group_response *enter(struct span group)
{
    const struct join_group_response *joined = join(client, group);
    ck_assert_int_eq(joined->error_code, ERR_NONE);
    const struct sync_group_response *synced = client_call(
        client, API_SYNC_GROUP, SYNC, sync_of(client, group, joined, SPAN("partitions")));
    ck_assert_int_eq(synced->error_code, ERR_NONE);
    ck_assert(span_equal(synced->assignment, SPAN("partitions")));
    return joined;
}

static int16_t beat(struct span group, const struct join_group_response *joined)
{
    struct heartbeat_request *request = client_request(client, API_HEARTBEAT);
    request->group_id = group;
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    const struct heartbeat_response *response = client_call(client, API_HEARTBEAT, BEAT, request);
    return response->error_code;
}

static int16_t leave(struct span group, struct span member)
{
    struct leave_group_request *request = client_request(client, API_LEAVE_GROUP);
    request->group_id = group;
    request->members = array(client, 1, sizeof(*request->members));
    request->members[0].member_id = member;
    request->members_count = 1;
    const struct leave_group_response *response =
        client_call(client, API_LEAVE_GROUP, LEAVE, request);
    return response->error_code != ERR_NONE ? response->error_code
                                            : response->members[0].error_code;
}

static struct offset_commit_request *commit_of(struct span group, struct span topic,
                                               int32_t partition, int64_t offset)
{
    struct offset_commit_request *request = client_request(client, API_OFFSET_COMMIT);
    request->group_id = group;
    request->topics = array(client, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = topic;
    request->topics[0].partitions = array(client, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].partition_index = partition;
    request->topics[0].partitions[0].committed_offset = offset;
    request->topics[0].partitions[0].committed_leader_epoch = -1;
    request->topics[0].partitions[0].committed_metadata = SPAN("note");
    return request;
}

static int16_t committed_error(const struct offset_commit_response *response)
{
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics_count, 1);
    ck_assert_int_eq(response->topics[0].partitions_count, 1);
    return response->topics[0].partitions[0].error_code;
}

static int16_t commit(struct span group, struct span topic, int32_t partition, int64_t offset)
{
    return committed_error(
        client_call(client, API_OFFSET_COMMIT, COMMIT, commit_of(group, topic, partition, offset)));
}

static struct offset_fetch_request *fetch_of(struct span group, struct span topic,
                                             int32_t partition)
{
    struct offset_fetch_request *request = client_request(client, API_OFFSET_FETCH);
    request->groups = array(client, 1, sizeof(*request->groups));
    request->groups_count = 1;
    request->groups[0].group_id = group;
    request->groups[0].member_epoch = -1;
    request->groups[0].topics_count = -1;
    if (span_is_null(topic))
        return request;
    request->groups[0].topics = array(client, 1, sizeof(*request->groups[0].topics));
    request->groups[0].topics_count = 1;
    request->groups[0].topics[0].name = topic;
    request->groups[0].topics[0].partition_indexes = array(client, 1, sizeof(int32_t));
    request->groups[0].topics[0].partition_indexes[0] = partition;
    request->groups[0].topics[0].partition_indexes_count = 1;
    return request;
}

static const struct offset_fetch_response_group_topic_partition *
fetch(struct span group, struct span topic, int32_t partition)
{
    const struct offset_fetch_response *response =
        client_call(client, API_OFFSET_FETCH, FETCH, fetch_of(group, topic, partition));
    ck_assert_int_eq(response->groups_count, 1);
    ck_assert_int_eq(response->groups[0].error_code, ERR_NONE);
    ck_assert_int_eq(response->groups[0].topics_count, 1);
    return &response->groups[0].topics[0].partitions[0];
}

START_TEST(the_first_one_that_asks_has_the_topic_made)
{
    ck_assert_int_eq(find(SPAN("g")), ERR_NONE);
    struct find_coordinator_request *request = client_request(client, API_FIND_COORDINATOR);
    request->key = SPAN("g");
    const struct find_coordinator_response *response =
        client_call(client, API_FIND_COORDINATOR, 0, request);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    ck_assert(response->host.length > 0 && response->port > 0);
    struct metadata_request *metadata = client_request(client, API_METADATA);
    metadata->topics = array(client, 1, sizeof(*metadata->topics));
    metadata->topics[0].name = SPAN("__consumer_offsets");
    metadata->topics_count = 1;
    const struct metadata_response *answer = client_call(client, API_METADATA, 5, metadata);
    ck_assert_int_eq(answer->topics_count, 1);
    ck_assert(span_equal(answer->topics[0].name, SPAN("__consumer_offsets")));
    ck_assert(answer->topics[0].is_internal);
    ck_assert_int_eq(answer->topics[0].partitions_count, 3);
}
END_TEST

START_TEST(two_that_ask_at_once_are_both_answered)
{
    struct client *other = client_new(node.world);
    struct find_coordinator_request *request = client_request(client, API_FIND_COORDINATOR);
    request->key = SPAN("g");
    client_send(client, API_FIND_COORDINATOR, 3, request);
    client_send(other, API_FIND_COORDINATOR, 3, request);
    world_run(node.world);
    const struct find_coordinator_response *one = client_take(client);
    const struct find_coordinator_response *two = client_take(other);
    ck_assert_int_eq(one->error_code, ERR_NONE);
    ck_assert_int_eq(two->error_code, ERR_NONE);
    client_free(other);
}
END_TEST

START_TEST(transactions_have_no_coordinator)
{
    struct find_coordinator_request *request = client_request(client, API_FIND_COORDINATOR);
    request->key = SPAN("t");
    request->key_type = 1;
    const struct find_coordinator_response *response =
        client_call(client, API_FIND_COORDINATOR, 3, request);
    ck_assert_int_eq(response->error_code, ERR_INVALID_REQUEST);
    ck_assert_int_eq(response->node_id, -1);
}
END_TEST

/* What every API answers in every version that it has, for a group that is not there. */
static void *request_in(int16_t key, int16_t version)
{
    switch (key) {
    case API_JOIN_GROUP:
        return join_of(client, SPAN("g"), SPAN("nobody"));
    case API_SYNC_GROUP: {
        const struct join_group_response joined = {.member_id = SPAN("nobody")};
        return sync_of(client, SPAN("g"), &joined, SPAN("x"));
    }
    case API_OFFSET_COMMIT:
        return commit_of(SPAN("g"), SPAN("t"), 0, version);
    case API_OFFSET_FETCH:
        return fetch_of(SPAN("g"), SPAN("t"), 0);
    default:
        return client_request(client, key);
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
            ck_assert_ptr_nonnull(client_call(client, keys[i], version, request));
        }
    }
}
END_TEST

START_TEST(who_comes_before_the_group_is_loaded_comes_again)
{
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 1), ERR_UNKNOWN_TOPIC_OR_PARTITION);
    node_create_topic(&node, SPAN("t"), 1);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 1), ERR_COORDINATOR_NOT_AVAILABLE);
    ck_assert_int_eq(find(SPAN("other")), ERR_NONE);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 1), ERR_COORDINATOR_LOAD_IN_PROGRESS);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 1), ERR_NONE);
}
END_TEST

START_TEST(a_group_of_two_goes_from_generation_to_generation)
{
    struct client *other = client_new(node.world);
    find(SPAN("g"));
    const struct join_group_response *one = enter(SPAN("g"));
    ck_assert_int_eq(one->generation_id, 1);
    ck_assert(span_equal(one->leader, one->member_id));
    ck_assert_int_eq(one->members_count, 1);
    ck_assert(span_equal(one->members[0].metadata, SPAN("topics")));
    ck_assert_int_eq(beat(SPAN("g"), one), ERR_NONE);

    const struct join_group_response *round =
        client_call(other, API_JOIN_GROUP, JOIN, join_of(other, SPAN("g"), SPAN("")));
    ck_assert_int_eq(round->error_code, ERR_MEMBER_ID_REQUIRED);
    ck_assert_ptr_null(
        client_call(other, API_JOIN_GROUP, JOIN, join_of(other, SPAN("g"), round->member_id)));
    ck_assert_int_eq(beat(SPAN("g"), one), ERR_REBALANCE_IN_PROGRESS);
    one = client_call(client, API_JOIN_GROUP, JOIN, join_of(client, SPAN("g"), one->member_id));
    const struct join_group_response *two = client_take(other);
    ck_assert_int_eq(one->generation_id, 2);
    ck_assert_int_eq(one->members_count, 2);
    ck_assert_int_eq(two->generation_id, 2);
    ck_assert_int_eq(two->members_count, 0);
    ck_assert(span_equal(two->leader, one->member_id));

    ck_assert_ptr_null(client_call(other, API_SYNC_GROUP, SYNC,
                                   sync_of(other, SPAN("g"), two, SPAN("not the leader's"))));
    const struct sync_group_response *synced = client_call(
        client, API_SYNC_GROUP, SYNC, sync_of(client, SPAN("g"), one, SPAN("everything")));
    ck_assert(span_equal(synced->assignment, SPAN("everything")));
    synced = client_take(other);
    ck_assert_int_eq(synced->error_code, ERR_NONE);
    ck_assert_uint_eq(synced->assignment.length, 0);

    world_client_close(node.world, client_connection(other));
    world_advance_ms(node.world, 5000);
    ck_assert_int_eq(beat(SPAN("g"), one), ERR_NONE);
    world_advance_ms(node.world, 5000);
    ck_assert_int_eq(beat(SPAN("g"), one), ERR_REBALANCE_IN_PROGRESS);
    ck_assert_int_eq(leave(SPAN("g"), one->member_id), ERR_NONE);
    ck_assert_int_eq(leave(SPAN("g"), one->member_id), ERR_UNKNOWN_MEMBER_ID);
    client_free(other);
}
END_TEST

/* A client of JoinGroup 0 to 3 that goes while it waits can never come back. */
START_TEST(a_connection_that_goes_takes_its_newcomer_along)
{
    struct client *other = client_new(node.world);
    find(SPAN("g"));
    const struct join_group_response *one = enter(SPAN("g"));
    ck_assert_ptr_null(client_call(other, API_JOIN_GROUP, 3, join_of(other, SPAN("g"), SPAN(""))));
    world_client_close(node.world, client_connection(other));
    world_run(node.world);
    world_advance_ms(node.world, 1);
    one = client_call(client, API_JOIN_GROUP, JOIN, join_of(client, SPAN("g"), one->member_id));
    ck_assert_int_eq(one->members_count, 1);
    client_free(other);
}
END_TEST

START_TEST(a_commit_is_fetched_as_it_was)
{
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 2);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 1, 42), ERR_NONE);
    const struct offset_fetch_response_group_topic_partition *got = fetch(SPAN("g"), SPAN("t"), 1);
    ck_assert_int_eq(got->committed_offset, 42);
    ck_assert_int_eq(got->committed_leader_epoch, -1);
    ck_assert(span_equal(got->metadata, SPAN("note")));
    ck_assert_int_eq(got->error_code, ERR_NONE);
    got = fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert(got->committed_offset == -1 && got->error_code == ERR_NONE);
    got = fetch(SPAN("g"), SPAN("no such topic"), 5);
    ck_assert(got->committed_offset == -1 && got->error_code == ERR_NONE);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 2, 1), ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), -1, 1), ERR_UNKNOWN_TOPIC_OR_PARTITION);
    struct offset_commit_request *long_note = commit_of(SPAN("g"), SPAN("t"), 1, 43);
    long_note->topics[0].partitions[0].committed_metadata = SPAN("123456789");
    ck_assert_int_eq(committed_error(client_call(client, API_OFFSET_COMMIT, COMMIT, long_note)),
                     ERR_OFFSET_METADATA_TOO_LARGE);
    long_note->topics[0].partitions[0].committed_metadata = SPAN_NULL;
    ck_assert_int_eq(committed_error(client_call(client, API_OFFSET_COMMIT, COMMIT, long_note)),
                     ERR_NONE);
    got = fetch(SPAN("g"), SPAN("t"), 1);
    ck_assert(got->committed_offset == 43 && got->metadata.length == 0);
}
END_TEST

START_TEST(all_offsets_of_a_group_in_every_version)
{
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 2);
    node_create_topic(&node, SPAN("u"), 1);
    fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 1, 42), ERR_NONE);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("u"), 0, 43), ERR_NONE);
    struct offset_fetch_request *request = fetch_of(SPAN("g"), SPAN_NULL, 0);
    request->group_id = SPAN("g");
    request->topics_count = -1;
    for (int16_t version = 2; version <= 10; version++) {
        const struct offset_fetch_response *response =
            client_call(client, API_OFFSET_FETCH, version, request);
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
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 42), ERR_NONE);
    struct offset_fetch_request *request = fetch_of(SPAN("g"), SPAN_NULL, 0);
    request->group_id = SPAN("g");
    request->groups[0].topics_count = 0;
    for (int16_t version = 1; version <= 10; version++) {
        const struct offset_fetch_response *response =
            client_call(client, API_OFFSET_FETCH, version, request);
        ck_assert_int_eq(response->topics_count, 0);
        ck_assert_int_eq(response->groups_count, version < 8 ? 0 : 1);
        ck_assert(version < 8 || response->groups[0].topics_count == 0);
    }
}
END_TEST

static struct uuid topic_id_of(struct span topic)
{
    struct metadata_request *request = client_request(client, API_METADATA);
    request->topics = array(client, 1, sizeof(*request->topics));
    request->topics[0].name = topic;
    request->topics_count = 1;
    const struct metadata_response *response = client_call(client, API_METADATA, 12, request);
    ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
    return response->topics[0].topic_id;
}

START_TEST(offsets_by_topic_id)
{
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    fetch(SPAN("g"), SPAN("t"), 0);
    struct offset_commit_request *commit10 = commit_of(SPAN("g"), SPAN_NULL, 0, 7);
    commit10->topics[0].topic_id = topic_id_of(SPAN("t"));
    ck_assert_int_eq(committed_error(client_call(client, API_OFFSET_COMMIT, 10, commit10)),
                     ERR_NONE);
    struct offset_fetch_request *fetch10 = fetch_of(SPAN("g"), SPAN("t"), 0);
    fetch10->groups[0].topics[0].topic_id = topic_id_of(SPAN("t"));
    const struct offset_fetch_response *response =
        client_call(client, API_OFFSET_FETCH, 10, fetch10);
    ck_assert_int_eq(response->groups[0].topics[0].partitions[0].committed_offset, 7);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 7);
    commit10->topics[0].topic_id.bytes[0] ^= 1;
    ck_assert_int_eq(committed_error(client_call(client, API_OFFSET_COMMIT, 10, commit10)),
                     ERR_UNKNOWN_TOPIC_ID);
    fetch10->groups[0].topics[0].topic_id.bytes[0] ^= 1;
    response = client_call(client, API_OFFSET_FETCH, 10, fetch10);
    ck_assert_int_eq(response->groups[0].topics[0].partitions[0].error_code, ERR_UNKNOWN_TOPIC_ID);
}
END_TEST

START_TEST(a_commit_is_answered_only_after_the_sync)
{
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 1), ERR_NONE);
    struct client *other = client_new(node.world);
    world_hold(node.world, EFFECT_SYNC, "__consumer_offsets");
    client_send(other, API_OFFSET_COMMIT, COMMIT, commit_of(SPAN("g"), SPAN("t"), 0, 2));
    world_run(node.world);
    ck_assert_ptr_null(client_take(other));
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 1);
    struct offset_fetch_request *stable = fetch_of(SPAN("g"), SPAN("t"), 0);
    stable->require_stable = true;
    const struct offset_fetch_response *response =
        client_call(client, API_OFFSET_FETCH, FETCH, stable);
    ck_assert_int_eq(response->groups[0].topics[0].partitions[0].error_code,
                     ERR_UNSTABLE_OFFSET_COMMIT);
    world_release(node.world);
    world_run(node.world);
    ck_assert_int_eq(committed_error(client_take(other)), ERR_NONE);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 2);
    client_free(other);
}
END_TEST

static void (*const deaths[])(struct node *node) = {node_stop, node_kill, node_power_loss};

START_TEST(groups_and_offsets_survive)
{
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    const struct join_group_response *joined = enter(SPAN("g"));
    struct join_group_response kept = *joined;
    char member[128];
    ck_assert_uint_le(joined->member_id.length, sizeof(member));
    memcpy(member, joined->member_id.data, joined->member_id.length);
    kept.member_id = span_of(member, joined->member_id.length);
    struct offset_commit_request *request = commit_of(SPAN("g"), SPAN("t"), 0, 42);
    request->generation_id_or_member_epoch = kept.generation_id;
    request->member_id = kept.member_id;
    ck_assert_int_eq(committed_error(client_call(client, API_OFFSET_COMMIT, COMMIT, request)),
                     ERR_NONE);
    deaths[_i](&node);
    start_again();
    ck_assert_int_eq(find(SPAN("g")), ERR_NONE);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 42);
    ck_assert_int_eq(beat(SPAN("g"), &kept), ERR_NONE);
    const struct sync_group_response *synced =
        client_call(client, API_SYNC_GROUP, SYNC, sync_of(client, SPAN("g"), &kept, SPAN("")));
    ck_assert(span_equal(synced->assignment, SPAN("partitions")));
    world_advance_ms(node.world, 10000);
    ck_assert_int_eq(beat(SPAN("g"), &kept), ERR_UNKNOWN_MEMBER_ID);
}
END_TEST

START_TEST(a_lost_append_sends_clients_to_find_the_coordinator_again)
{
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 1), ERR_NONE);
    world_fail(node.world, EFFECT_WRITE, "__consumer_offsets", 0, 1, ERR_NO_SPACE, 10);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 2), ERR_NOT_COORDINATOR);
    ck_assert_int_eq(find(SPAN("g")), ERR_NONE);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 1);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 3), ERR_NONE);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, 3);
}
END_TEST

static const struct describe_groups_response_group *describe(struct span group, int16_t version)
{
    struct describe_groups_request *request = client_request(client, API_DESCRIBE_GROUPS);
    request->groups = array(client, 1, sizeof(struct span));
    request->groups[0] = group;
    request->groups_count = 1;
    const struct describe_groups_response *response =
        client_call(client, API_DESCRIBE_GROUPS, version, request);
    ck_assert_int_eq(response->groups_count, 1);
    return &response->groups[0];
}

START_TEST(groups_are_described)
{
    find(SPAN("g"));
    find(SPAN("nobody's"));
    const struct join_group_response *joined = join(client, SPAN("g"));
    const struct describe_groups_response_group *group = describe(SPAN("g"), 5);
    ck_assert(span_equal(group->group_state, SPAN("CompletingRebalance")));
    ck_assert_uint_eq(group->protocol_data.length, 0);
    ck_assert_int_eq(group->members_count, 1);
    ck_assert_uint_eq(group->members[0].member_metadata.length, 0);
    client_call(client, API_SYNC_GROUP, SYNC, sync_of(client, SPAN("g"), joined, SPAN("all")));
    group = describe(SPAN("g"), 5);
    ck_assert(span_equal(group->group_state, SPAN("Stable")));
    ck_assert(span_equal(group->protocol_type, SPAN("consumer")));
    ck_assert(span_equal(group->protocol_data, SPAN("range")));
    ck_assert(span_equal(group->members[0].client_id, SPAN("story")));
    ck_assert_uint_eq(group->members[0].client_host.data[0], '/');
    ck_assert_ptr_null(
        memchr(group->members[0].client_host.data, ':', group->members[0].client_host.length));
    ck_assert(span_equal(group->members[0].member_metadata, SPAN("topics")));
    ck_assert(span_equal(group->members[0].member_assignment, SPAN("all")));
    for (int16_t version = 0; version <= 6; version++) {
        group = describe(SPAN("nobody's"), version);
        ck_assert(span_equal(group->group_state, SPAN("Dead")));
        ck_assert_int_eq(group->error_code, version < 6 ? ERR_NONE : ERR_GROUP_ID_NOT_FOUND);
    }
}
END_TEST

static int32_t listed(struct span state, struct span type)
{
    struct list_groups_request *request = client_request(client, API_LIST_GROUPS);
    request->states_filter = &state;
    request->states_filter_count = state.length > 0;
    request->types_filter = &type;
    request->types_filter_count = type.length > 0;
    const struct list_groups_response *response = client_call(client, API_LIST_GROUPS, 5, request);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    return response->groups_count;
}

START_TEST(groups_are_listed_by_state_and_type)
{
    node_create_topic(&node, SPAN("t"), 1);
    find(SPAN("g"));
    enter(SPAN("g"));
    find(SPAN("h"));
    fetch(SPAN("h"), SPAN("t"), 0);
    ck_assert_int_eq(commit(SPAN("h"), SPAN("t"), 0, 1), ERR_NONE);
    ck_assert_int_eq(listed(SPAN(""), SPAN("")), 2);
    ck_assert_int_eq(listed(SPAN(" STABLE "), SPAN("")), 1);
    ck_assert_int_eq(listed(SPAN("empty"), SPAN("Classic")), 1);
    ck_assert_int_eq(listed(SPAN("Dead"), SPAN("")), 0);
    ck_assert_int_eq(listed(SPAN("stable"), SPAN("consumer")), 0);
    node_kill(&node);
    start_again();
    ck_assert_int_eq(listed(SPAN(""), SPAN("")), 2);
}
END_TEST

static int16_t delete_group(struct span group)
{
    struct delete_groups_request *request = client_request(client, API_DELETE_GROUPS);
    request->groups_names = array(client, 2, sizeof(struct span));
    request->groups_names[0] = SPAN("nobody's");
    request->groups_names[1] = group;
    request->groups_names_count = 2;
    const struct delete_groups_response *response =
        client_call(client, API_DELETE_GROUPS, 2, request);
    ck_assert_int_eq(response->results[0].error_code, ERR_GROUP_ID_NOT_FOUND);
    ck_assert(span_equal(response->results[1].group_id, group));
    return response->results[1].error_code;
}

START_TEST(groups_are_deleted)
{
    find(SPAN("nobody's"));
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    fetch(SPAN("g"), SPAN("t"), 0);
    commit(SPAN("g"), SPAN("t"), 0, 1);
    const struct join_group_response *joined = enter(SPAN("g"));
    ck_assert_int_eq(delete_group(SPAN("g")), ERR_NON_EMPTY_GROUP);
    ck_assert_int_eq(leave(SPAN("g"), joined->member_id), ERR_NONE);
    ck_assert_int_eq(delete_group(SPAN("g")), ERR_NONE);
    ck_assert_int_eq(delete_group(SPAN("g")), ERR_GROUP_ID_NOT_FOUND);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
    node_kill(&node);
    start_again();
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
}
END_TEST

START_TEST(a_deleted_topic_takes_its_offsets_along)
{
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    fetch(SPAN("g"), SPAN("t"), 0);
    ck_assert_int_eq(commit(SPAN("g"), SPAN("t"), 0, 9), ERR_NONE);
    struct delete_topics_request *request = client_request(client, API_DELETE_TOPICS);
    request->topic_names = array(client, 1, sizeof(struct span));
    request->topic_names[0] = SPAN("t");
    request->topic_names_count = 1;
    request->timeout_ms = 1000;
    const struct delete_topics_response *response =
        client_call(client, API_DELETE_TOPICS, 3, request);
    ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
    ck_assert_int_eq(fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
}
END_TEST

/* What is parked holds little: others are heard while more wait than receive buffers fit into
 * memory. */
START_TEST(many_that_wait_leave_room_for_others)
{
    enum { WAITERS = 40 }; /* of 64 KiB each they would be more than queued.max.request.bytes */
    struct client *waiters[WAITERS];
    find(SPAN("g"));
    const struct join_group_response *one = enter(SPAN("g"));
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = client_new(node.world);
        ck_assert_ptr_null(
            client_call(waiters[i], API_JOIN_GROUP, 3, join_of(waiters[i], SPAN("g"), SPAN(""))));
        ck_assert_int_eq(beat(SPAN("g"), one), ERR_REBALANCE_IN_PROGRESS);
    }
    one = client_call(client, API_JOIN_GROUP, JOIN, join_of(client, SPAN("g"), one->member_id));
    ck_assert_int_eq(one->members_count, WAITERS + 1);
    for (int i = 0; i < WAITERS; i++)
        client_free(waiters[i]);
}
END_TEST

/* With all memory for receiving taken, nobody is heard until some is free; and nothing spins. */
START_TEST(who_is_not_heard_is_heard_later)
{
    enum { WAITERS = 15 };
    static uint8_t topics[8000];
    struct client *waiters[WAITERS];
    find(SPAN("g"));
    const struct join_group_response *one = enter(SPAN("g"));
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = client_new(node.world);
        struct join_group_request *request = join_of(waiters[i], SPAN("g"), SPAN(""));
        request->protocols[0].metadata = span_of(topics, sizeof(topics));
        ck_assert_ptr_null(client_call(waiters[i], API_JOIN_GROUP, 3, request));
    }
    struct heartbeat_request *request = client_request(client, API_HEARTBEAT);
    request->group_id = SPAN("g");
    request->member_id = one->member_id;
    ck_assert_ptr_null(client_call(client, API_HEARTBEAT, BEAT, request));
    world_advance_ms(node.world, 10000);
    world_run(node.world);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_ptr_nonnull(client_take(waiters[i]));
    ck_assert_ptr_nonnull(client_take(client));
    for (int i = 0; i < WAITERS; i++)
        client_free(waiters[i]);
}
END_TEST

/* The broker's end answers nobody twice and forgets nobody: the world counts what is left. */
START_TEST(an_end_while_everybody_waits)
{
    struct client *other = client_new(node.world);
    find(SPAN("g"));
    node_create_topic(&node, SPAN("t"), 1);
    const struct join_group_response *one = enter(SPAN("g"));
    client_call(other, API_JOIN_GROUP, 3, join_of(other, SPAN("g"), SPAN("")));
    world_hold(node.world, EFFECT_SYNC, "__consumer_offsets");
    struct offset_commit_request *request = commit_of(SPAN("g"), SPAN("t"), 0, 42);
    request->generation_id_or_member_epoch = one->generation_id;
    request->member_id = one->member_id;
    ck_assert_ptr_null(client_call(client, API_OFFSET_COMMIT, COMMIT, request));
    if (_i == 0)
        world_release(node.world);
    deaths[_i](&node);
    client_free(other);
    start_again();
    ck_assert_int_eq(find(SPAN("g")), ERR_NONE);
}
END_TEST

SUITE(groups)
{
    TCase *tcase = tcase_create("groups");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, the_first_one_that_asks_has_the_topic_made);
    tcase_add_test(tcase, two_that_ask_at_once_are_both_answered);
    tcase_add_test(tcase, transactions_have_no_coordinator);
    tcase_add_test(tcase, every_version_is_answered);
    tcase_add_test(tcase, who_comes_before_the_group_is_loaded_comes_again);
    tcase_add_test(tcase, a_group_of_two_goes_from_generation_to_generation);
    tcase_add_test(tcase, a_connection_that_goes_takes_its_newcomer_along);
    tcase_add_test(tcase, a_commit_is_fetched_as_it_was);
    tcase_add_test(tcase, all_offsets_of_a_group_in_every_version);
    tcase_add_test(tcase, no_topics_are_not_all_topics);
    tcase_add_test(tcase, offsets_by_topic_id);
    tcase_add_test(tcase, a_commit_is_answered_only_after_the_sync);
    tcase_add_loop_test(tcase, groups_and_offsets_survive, 0, 3);
    tcase_add_test(tcase, a_lost_append_sends_clients_to_find_the_coordinator_again);
    tcase_add_test(tcase, groups_are_described);
    tcase_add_test(tcase, groups_are_listed_by_state_and_type);
    tcase_add_test(tcase, groups_are_deleted);
    tcase_add_test(tcase, a_deleted_topic_takes_its_offsets_along);
    tcase_add_test(tcase, many_that_wait_leave_room_for_others);
    tcase_add_test(tcase, who_is_not_heard_is_heard_later);
    tcase_add_loop_test(tcase, an_end_while_everybody_waits, 0, 3);
    suite_add_tcase(suite, tcase);
}
