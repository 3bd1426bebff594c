/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/messages.h"
#include "tests/support/runner.h"

/* As a Kafka 4.3 broker lists them, with the first flexible version. */
static const struct {
    int16_t key;
    const char *name;
    int16_t version_min;
    int16_t version_max;
    int16_t flexible_min;
} apis[] = {
    {API_PRODUCE, "Produce", 3, 13, 9},
    {API_FETCH, "Fetch", 4, 18, 12},
    {API_LIST_OFFSETS, "ListOffsets", 1, 11, 6},
    {API_METADATA, "Metadata", 0, 13, 9},
    {API_OFFSET_COMMIT, "OffsetCommit", 2, 10, 8},
    {API_OFFSET_FETCH, "OffsetFetch", 1, 10, 6},
    {API_FIND_COORDINATOR, "FindCoordinator", 0, 6, 3},
    {API_JOIN_GROUP, "JoinGroup", 0, 9, 6},
    {API_HEARTBEAT, "Heartbeat", 0, 4, 4},
    {API_LEAVE_GROUP, "LeaveGroup", 0, 5, 4},
    {API_SYNC_GROUP, "SyncGroup", 0, 5, 4},
    {API_DESCRIBE_GROUPS, "DescribeGroups", 0, 6, 5},
    {API_LIST_GROUPS, "ListGroups", 0, 5, 3},
    {API_API_VERSIONS, "ApiVersions", 0, 4, 3},
    {API_CREATE_TOPICS, "CreateTopics", 2, 7, 5},
    {API_DELETE_TOPICS, "DeleteTopics", 1, 6, 4},
    {API_DELETE_RECORDS, "DeleteRecords", 0, 2, 2},
    {API_INIT_PRODUCER_ID, "InitProducerId", 0, 5, 2},
    {API_OFFSET_FOR_LEADER_EPOCH, "OffsetForLeaderEpoch", 2, 4, 4},
    {API_DESCRIBE_CONFIGS, "DescribeConfigs", 1, 4, 4},
    {API_DESCRIBE_LOG_DIRS, "DescribeLogDirs", 1, 5, 2},
    {API_CREATE_PARTITIONS, "CreatePartitions", 0, 3, 2},
    {API_DELETE_GROUPS, "DeleteGroups", 0, 2, 2},
    {API_ELECT_LEADERS, "ElectLeaders", 0, 2, 2},
    {API_INCREMENTAL_ALTER_CONFIGS, "IncrementalAlterConfigs", 0, 1, 1},
    {API_DESCRIBE_CLUSTER, "DescribeCluster", 0, 2, 0},
    {API_DESCRIBE_QUORUM, "DescribeQuorum", 0, 2, 0},
    {API_UNREGISTER_BROKER, "UnregisterBroker", 0, 0, 0},
    {API_DESCRIBE_TOPIC_PARTITIONS, "DescribeTopicPartitions", 0, 0, 0},
    {API_ADD_RAFT_VOTER, "AddRaftVoter", 0, 1, 0},
    {API_REMOVE_RAFT_VOTER, "RemoveRaftVoter", 0, 0, 0},
};

#define APIS_COUNT ((int)(sizeof(apis) / sizeof(apis[0])))

START_TEST(versions_are_those_of_kafka)
{
    const struct wire_api *api = wire_api_find(apis[_i].key);
    ck_assert_ptr_nonnull(api);
    ck_assert_int_eq(api->key, apis[_i].key);
    ck_assert_str_eq(api->name, apis[_i].name);
    ck_assert_int_eq(api->version_min, apis[_i].version_min);
    ck_assert_int_eq(api->version_max, apis[_i].version_max);
    ck_assert_int_eq(api->request->version_max, apis[_i].version_max);
    ck_assert_int_eq(api->response->version_min, apis[_i].version_min);
    for (int16_t version = api->version_min; version <= api->version_max; version++) {
        const bool flexible = version >= apis[_i].flexible_min;
        ck_assert_int_eq(wire_request_header_version(api, version), flexible ? 2 : 1);
        ck_assert_int_eq(wire_response_header_version(api, version),
                         flexible && api->key != API_API_VERSIONS ? 1 : 0);
    }
}
END_TEST

START_TEST(keys_of_nothing_are_not_found)
{
    ck_assert_uint_eq(wire_apis_count, (unsigned)APIS_COUNT);
    int found = 0;
    for (int key = INT16_MIN; key <= INT16_MAX; key++)
        if (wire_api_find((int16_t)key) != NULL)
            found++;
    ck_assert_int_eq(found, APIS_COUNT);
}
END_TEST

SUITE(api)
{
    TCase *tcase = tcase_create("api");
    tcase_add_loop_test(tcase, versions_are_those_of_kafka, 0, APIS_COUNT);
    tcase_add_test(tcase, keys_of_nothing_are_not_found);
    suite_add_tcase(suite, tcase);
}
