/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/groups.h"

#include "core/wire/error.h"
#include "tests/support/runner.h"

struct groups groups;

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

void groups_start(void)
{
    node_init(&groups.node, 7, settings);
    ck_assert(node_start(&groups.node));
    groups.client = client_new(groups.node.world);
}

void groups_end(void)
{
    client_free(groups.client);
    node_free(&groups.node);
}

void groups_start_again(void)
{
    client_free(groups.client);
    ck_assert(node_start(&groups.node));
    groups.client = client_new(groups.node.world);
}

void *groups_array(struct client *of, size_t count, size_t size)
{
    void *items = arena_array(client_arena(of), count, size);
    ck_assert_ptr_nonnull(items);
    return items;
}

int16_t groups_find(struct span group)
{
    struct find_coordinator_request *request = client_request(groups.client, API_FIND_COORDINATOR);
    request->coordinator_keys = groups_array(groups.client, 1, sizeof(struct span));
    request->coordinator_keys[0] = group;
    request->coordinator_keys_count = 1;
    const struct find_coordinator_response *response =
        client_call(groups.client, API_FIND_COORDINATOR, GROUPS_FIND, request);
    ck_assert_int_eq(response->coordinators_count, 1);
    ck_assert(span_equal(response->coordinators[0].key, group));
    return response->coordinators[0].error_code;
}

struct join_group_request *groups_join_of(struct client *of, struct span group, struct span member)
{
    struct join_group_request *request = client_request(of, API_JOIN_GROUP);
    request->group_id = group;
    request->session_timeout_ms = 10000;
    request->rebalance_timeout_ms = 60000;
    request->member_id = member;
    request->protocol_type = SPAN("consumer");
    request->protocols = groups_array(of, 1, sizeof(*request->protocols));
    request->protocols[0].name = SPAN("range");
    request->protocols[0].metadata = SPAN("topics");
    request->protocols_count = 1;
    return request;
}

const struct join_group_response *groups_join(struct client *of, struct span group)
{
    const struct join_group_response *response =
        client_call(of, API_JOIN_GROUP, GROUPS_JOIN, groups_join_of(of, group, SPAN("")));
    ck_assert_int_eq(response->error_code, ERR_MEMBER_ID_REQUIRED);
    client_send(of, API_JOIN_GROUP, GROUPS_JOIN, groups_join_of(of, group, response->member_id));
    world_run(groups.node.world);
    world_advance_ms(groups.node.world, 1);
    world_run(groups.node.world);
    return client_take(of);
}

struct sync_group_request *groups_sync_of(struct client *of, struct span group,
                                          const struct join_group_response *joined,
                                          struct span assignment)
{
    struct sync_group_request *request = client_request(of, API_SYNC_GROUP);
    request->group_id = group;
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    request->protocol_type = SPAN("consumer");
    request->protocol_name = SPAN("range");
    request->assignments = groups_array(of, 1, sizeof(*request->assignments));
    request->assignments[0].member_id = joined->member_id;
    request->assignments[0].assignment = assignment;
    request->assignments_count = 1;
    return request;
}

const struct join_group_response *groups_enter(struct span group)
{
    const struct join_group_response *joined = groups_join(groups.client, group);
    ck_assert_int_eq(joined->error_code, ERR_NONE);
    const struct sync_group_response *synced =
        client_call(groups.client, API_SYNC_GROUP, GROUPS_SYNC,
                    groups_sync_of(groups.client, group, joined, SPAN("partitions")));
    ck_assert_int_eq(synced->error_code, ERR_NONE);
    ck_assert(span_equal(synced->assignment, SPAN("partitions")));
    return joined;
}

int16_t groups_beat(struct span group, const struct join_group_response *joined)
{
    struct heartbeat_request *request = client_request(groups.client, API_HEARTBEAT);
    request->group_id = group;
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    const struct heartbeat_response *response =
        client_call(groups.client, API_HEARTBEAT, GROUPS_BEAT, request);
    return response->error_code;
}

int16_t groups_leave(struct span group, struct span member)
{
    struct leave_group_request *request = client_request(groups.client, API_LEAVE_GROUP);
    request->group_id = group;
    request->members = groups_array(groups.client, 1, sizeof(*request->members));
    request->members[0].member_id = member;
    request->members_count = 1;
    const struct leave_group_response *response =
        client_call(groups.client, API_LEAVE_GROUP, GROUPS_LEAVE, request);
    return response->error_code != ERR_NONE ? response->error_code
                                            : response->members[0].error_code;
}

struct offset_commit_request *groups_commit_of(struct span group, struct span topic,
                                               int32_t partition, int64_t offset)
{
    struct offset_commit_request *request = client_request(groups.client, API_OFFSET_COMMIT);
    request->group_id = group;
    request->topics = groups_array(groups.client, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = topic;
    request->topics[0].partitions =
        groups_array(groups.client, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].partition_index = partition;
    request->topics[0].partitions[0].committed_offset = offset;
    request->topics[0].partitions[0].committed_leader_epoch = -1;
    request->topics[0].partitions[0].committed_metadata = SPAN("note");
    return request;
}

int16_t groups_committed_error(const struct offset_commit_response *response)
{
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics_count, 1);
    ck_assert_int_eq(response->topics[0].partitions_count, 1);
    return response->topics[0].partitions[0].error_code;
}

int16_t groups_commit(struct span group, struct span topic, int32_t partition, int64_t offset)
{
    return groups_committed_error(client_call(groups.client, API_OFFSET_COMMIT, GROUPS_COMMIT,
                                              groups_commit_of(group, topic, partition, offset)));
}

struct offset_fetch_request *groups_fetch_of(struct span group, struct span topic,
                                             int32_t partition)
{
    struct offset_fetch_request *request = client_request(groups.client, API_OFFSET_FETCH);
    request->groups = groups_array(groups.client, 1, sizeof(*request->groups));
    request->groups_count = 1;
    request->groups[0].group_id = group;
    request->groups[0].member_epoch = -1;
    request->groups[0].topics_count = -1;
    if (span_is_null(topic))
        return request;
    request->groups[0].topics = groups_array(groups.client, 1, sizeof(*request->groups[0].topics));
    request->groups[0].topics_count = 1;
    request->groups[0].topics[0].name = topic;
    request->groups[0].topics[0].partition_indexes =
        groups_array(groups.client, 1, sizeof(int32_t));
    request->groups[0].topics[0].partition_indexes[0] = partition;
    request->groups[0].topics[0].partition_indexes_count = 1;
    return request;
}

const struct offset_fetch_response_group_topic_partition *
groups_fetch(struct span group, struct span topic, int32_t partition)
{
    const struct offset_fetch_response *response = client_call(
        groups.client, API_OFFSET_FETCH, GROUPS_FETCH, groups_fetch_of(group, topic, partition));
    ck_assert_int_eq(response->groups_count, 1);
    ck_assert_int_eq(response->groups[0].error_code, ERR_NONE);
    ck_assert_int_eq(response->groups[0].topics_count, 1);
    return &response->groups[0].topics[0].partitions[0];
}
