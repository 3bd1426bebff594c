# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/meta/brokers.c \
	core/meta/brokers.h \
	core/meta/controller.c \
	core/meta/controller.h \
	core/meta/election.c \
	core/meta/election.h \
	core/meta/identity.c \
	core/meta/identity.h \
	core/meta/identity_check.c \
	core/meta/image.c \
	core/meta/image.h \
	core/meta/image_batch.c \
	core/meta/image_brokers.c \
	core/meta/image_configs.c \
	core/meta/image_find.c \
	core/meta/image_internal.h \
	core/meta/image_partitions.c \
	core/meta/image_save.c \
	core/meta/producer_ids.c \
	core/meta/producer_ids.h \
	core/meta/record.c \
	core/meta/record.h \
	core/meta/snapshot.c \
	core/meta/snapshot.h \
	core/meta/snapshot_load.c \
	core/meta/snapshot_load.h \
	core/meta/snapshot_store.c \
	core/meta/snapshot_store.h \
	core/meta/topics.c \
	core/meta/topics_alter.c \
	core/meta/topics.h \
	core/meta/wal.c \
	core/meta/wal.h \
	core/meta/writer.c \
	core/meta/writer.h
