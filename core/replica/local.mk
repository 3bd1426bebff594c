# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/replica/follower.c \
	core/replica/internal.h \
	core/replica/isr.c \
	core/replica/leader.c \
	core/replica/offline.c \
	core/replica/outbox.c \
	core/replica/replicas.c \
	core/replica/replicas.h \
	core/replica/status.c \
	core/replica/stream.c \
	core/replica/tail.c
