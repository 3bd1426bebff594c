# SPDX-License-Identifier: Apache-2.0
# Tests of handlers; their runner is that of tests/core/local.mk.
tests_check_broker_SOURCES += \
	tests/core/api/admin.c \
	tests/core/api/admin.h \
	tests/core/api/groups.c \
	tests/core/api/groups.h \
	tests/core/api/test_configs.c \
	tests/core/api/test_create_partitions.c \
	tests/core/api/test_create_topics.c \
	tests/core/api/test_delete_records.c \
	tests/core/api/test_delete_topics.c \
	tests/core/api/test_describe_cluster.c \
	tests/core/api/test_describe_log_dirs.c \
	tests/core/api/test_describe_topic_partitions.c \
	tests/core/api/test_elect_leaders.c \
	tests/core/api/test_group_admin.c \
	tests/core/api/test_group_offsets.c \
	tests/core/api/test_groups.c \
	tests/core/api/test_init_producer_id.c \
	tests/core/api/test_metadata.c
