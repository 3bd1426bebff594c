# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/api/api_versions.c \
	core/api/authorized.h \
	core/api/change.c \
	core/api/change.h \
	core/api/create_partitions.c \
	core/api/create_topics.c \
	core/api/delete_groups.c \
	core/api/delete_records.c \
	core/api/delete_topics.c \
	core/api/describe_cluster.c \
	core/api/describe_configs.c \
	core/api/describe_groups.c \
	core/api/describe_topic_partitions.c \
	core/api/elect_leaders.c \
	core/api/fetch.c \
	core/api/find_coordinator.c \
	core/api/heartbeat.c \
	core/api/incremental_alter_configs.c \
	core/api/init_producer_id.c \
	core/api/join_group.c \
	core/api/leaders.c \
	core/api/leaders.h \
	core/api/leave_group.c \
	core/api/list_groups.c \
	core/api/list_offsets.c \
	core/api/metadata.c \
	core/api/offset_commit.c \
	core/api/offset_fetch.c \
	core/api/offset_for_leader_epoch.c \
	core/api/produce.c \
	core/api/resource.h \
	core/api/sync_group.c \
	core/api/table.c \
	core/api/table.h \
	core/api/unregister_broker.c
