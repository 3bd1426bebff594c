# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/coord/commit.c \
	core/coord/commit.h \
	core/coord/coordinator.c \
	core/coord/coordinator.h \
	core/coord/expiry.c \
	core/coord/expiry.h \
	core/coord/group.c \
	core/coord/group.h \
	core/coord/java_hash.c \
	core/coord/java_hash.h \
	core/coord/join.c \
	core/coord/member.c \
	core/coord/offsets.c \
	core/coord/offsets.h \
	core/coord/rebalance.c \
	core/coord/rebalance.h \
	core/coord/record.c \
	core/coord/record.h \
	core/coord/replay.c \
	core/coord/shard.c \
	core/coord/shard.h \
	core/coord/sync.c \
	core/coord/write.h
