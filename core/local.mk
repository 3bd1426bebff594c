# SPDX-License-Identifier: Apache-2.0
# The door of the core itself; each folder below has its own fragment.
libcore_a_SOURCES += \
	core/boot.c \
	core/boot.h \
	core/broker.c \
	core/broker.h \
	core/broker_state.h \
	core/cluster.c \
	core/cluster.h \
	core/departure.c \
	core/departure.h \
	core/effect.c \
	core/effect.h \
	core/event.h \
	core/fetch_sessions.c \
	core/fetch_sessions.h \
	core/frame.c \
	core/frame.h \
	core/hosted_topics.c \
	core/hosted_topics.h \
	core/input.c \
	core/input.h \
	core/io.c \
	core/io.h \
	core/lease.c \
	core/lease.h \
	core/leader_call.c \
	core/leader_call.h \
	core/metrics.c \
	core/metrics.h \
	core/partition.c \
	core/partition.h \
	core/refusals.c \
	core/refusals.h \
	core/request.c \
	core/request.h \
	core/session.c \
	core/session.h \
	core/shutdown.c \
	core/shutdown.h \
	core/unfinished.c \
	core/unfinished.h \
	core/view.c \
	core/view.h
