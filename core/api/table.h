/* SPDX-License-Identifier: Apache-2.0 */
/* The APIs that this broker serves: one row each. */
#ifndef CORE_API_TABLE_H
#define CORE_API_TABLE_H

#include "core/request.h"

struct leader_service;

struct api_entry {
    int16_t key;
    request_handler *handler;
};

/* The row of an API key, or NULL. */
const struct api_entry *api_find(int16_t key);

/* All rows in the order of their keys. */
const struct api_entry *api_all(uint32_t *ret_count);

/* The handlers, one file each in core/api/. */
request_handler add_raft_voter_handle;
request_handler api_versions_handle;
request_handler create_partitions_handle;
request_handler create_topics_handle;
request_handler delete_groups_handle;
request_handler delete_records_handle;
request_handler delete_topics_handle;
request_handler describe_cluster_handle;
request_handler describe_configs_handle;
request_handler describe_groups_handle;
request_handler describe_log_dirs_handle;
request_handler describe_quorum_handle;
request_handler describe_topic_partitions_handle;
request_handler elect_leaders_handle;
request_handler fetch_handle;
request_handler find_coordinator_handle;
request_handler heartbeat_handle;
request_handler incremental_alter_configs_handle;
request_handler init_producer_id_handle;
request_handler join_group_handle;
request_handler leave_group_handle;
request_handler list_groups_handle;
request_handler list_offsets_handle;
request_handler metadata_handle;
request_handler offset_commit_handle;
request_handler offset_fetch_handle;
request_handler offset_for_leader_epoch_handle;
request_handler produce_handle;
request_handler remove_raft_voter_handle;
request_handler sync_group_handle;
request_handler unregister_broker_handle;

/* What they do on the leader of the quorum (core/leader_call.h). */
extern const struct leader_service add_raft_voter_service;
extern const struct leader_service describe_quorum_service;
extern const struct leader_service remove_raft_voter_service;

#endif
