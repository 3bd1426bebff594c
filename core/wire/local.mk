# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/wire/error.c \
	core/wire/error.def \
	core/wire/error.h

WIRE_SCHEMAS = \
	core/wire/schema/api_versions.kp \
	core/wire/schema/consumer_offsets.kp \
	core/wire/schema/consumer_protocol.kp \
	core/wire/schema/create_partitions.kp \
	core/wire/schema/create_topics.kp \
	core/wire/schema/delete_groups.kp \
	core/wire/schema/delete_records.kp \
	core/wire/schema/delete_topics.kp \
	core/wire/schema/describe_cluster.kp \
	core/wire/schema/describe_configs.kp \
	core/wire/schema/describe_groups.kp \
	core/wire/schema/fetch.kp \
	core/wire/schema/find_coordinator.kp \
	core/wire/schema/headers.kp \
	core/wire/schema/heartbeat.kp \
	core/wire/schema/incremental_alter_configs.kp \
	core/wire/schema/init_producer_id.kp \
	core/wire/schema/join_group.kp \
	core/wire/schema/leave_group.kp \
	core/wire/schema/list_groups.kp \
	core/wire/schema/list_offsets.kp \
	core/wire/schema/metadata.kp \
	core/wire/schema/metadata_records.kp \
	core/wire/schema/offset_commit.kp \
	core/wire/schema/offset_fetch.kp \
	core/wire/schema/offset_for_leader_epoch.kp \
	core/wire/schema/produce.kp \
	core/wire/schema/sync_group.kp

EXTRA_DIST += $(WIRE_SCHEMAS) core/wire/schema/README.md
