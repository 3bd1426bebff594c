# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/raft/barrier.c \
	core/raft/change.c \
	core/raft/control.c \
	core/raft/control.h \
	core/raft/election.c \
	core/raft/follower.c \
	core/raft/formation.c \
	core/raft/internal.h \
	core/raft/leader.c \
	core/raft/message.c \
	core/raft/message.h \
	core/raft/peer.c \
	core/raft/raft.c \
	core/raft/raft.h \
	core/raft/snapshot.c \
	core/raft/transfer.c \
	core/raft/voters.c \
	core/raft/voters.h \
	core/raft/voters_history.c
