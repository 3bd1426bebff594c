# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/coord/group.c \
	core/coord/group.h \
	core/coord/join.c \
	core/coord/member.c \
	core/coord/offsets.c \
	core/coord/offsets.h \
	core/coord/rebalance.c \
	core/coord/rebalance.h \
	core/coord/sync.c \
	core/coord/write.h
