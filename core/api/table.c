/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/table.h"

#include "core/wire/messages.h"

/* In the order of their keys; a handler joins by its row here. */
static const struct api_entry entries[] = {
    {API_PRODUCE, produce_handle},
    {API_FETCH, fetch_handle},
    {API_LIST_OFFSETS, list_offsets_handle},
    {API_METADATA, metadata_handle},
    {API_OFFSET_COMMIT, offset_commit_handle},
    {API_OFFSET_FETCH, offset_fetch_handle},
    {API_FIND_COORDINATOR, find_coordinator_handle},
    {API_JOIN_GROUP, join_group_handle},
    {API_HEARTBEAT, heartbeat_handle},
    {API_LEAVE_GROUP, leave_group_handle},
    {API_SYNC_GROUP, sync_group_handle},
    {API_DESCRIBE_GROUPS, describe_groups_handle},
    {API_LIST_GROUPS, list_groups_handle},
    {API_API_VERSIONS, api_versions_handle},
    {API_CREATE_TOPICS, create_topics_handle},
    {API_DELETE_TOPICS, delete_topics_handle},
    {API_DELETE_RECORDS, delete_records_handle},
    {API_INIT_PRODUCER_ID, init_producer_id_handle},
    {API_OFFSET_FOR_LEADER_EPOCH, offset_for_leader_epoch_handle},
    {API_DESCRIBE_CONFIGS, describe_configs_handle},
    {API_DESCRIBE_LOG_DIRS, describe_log_dirs_handle},
    {API_CREATE_PARTITIONS, create_partitions_handle},
    {API_DELETE_GROUPS, delete_groups_handle},
    {API_ELECT_LEADERS, elect_leaders_handle},
    {API_INCREMENTAL_ALTER_CONFIGS, incremental_alter_configs_handle},
    {API_DESCRIBE_CLUSTER, describe_cluster_handle},
    {API_DESCRIBE_QUORUM, describe_quorum_handle},
    {API_UNREGISTER_BROKER, unregister_broker_handle},
    {API_DESCRIBE_TOPIC_PARTITIONS, describe_topic_partitions_handle},
    {API_ADD_RAFT_VOTER, add_raft_voter_handle},
    {API_REMOVE_RAFT_VOTER, remove_raft_voter_handle},
};

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

const struct api_entry *api_find(int16_t key)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (entries[i].key == key)
            return &entries[i];
    }
    return NULL;
}

const struct api_entry *api_all(uint32_t *ret_count)
{
    *ret_count = ENTRIES;
    return entries;
}
