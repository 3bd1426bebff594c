# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/api/api_versions.c \
	core/api/delete_records.c \
	core/api/fetch.c \
	core/api/list_offsets.c \
	core/api/offset_for_leader_epoch.c \
	core/api/produce.c \
	core/api/table.c \
	core/api/table.h
