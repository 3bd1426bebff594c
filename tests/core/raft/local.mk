# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_raft
tests_check_raft_SOURCES = \
	tests/core/raft/story.c \
	tests/core/raft/story.h \
	tests/core/raft/test_election.c \
	tests/core/raft/test_hostile.c \
	tests/core/raft/test_random.c \
	tests/core/raft/test_replication.c \
	tests/core/raft/test_voters.c \
	tests/core/raft/world.c \
	tests/core/raft/world.h \
	tests/core/raft/world_disk.c \
	tests/core/raft/world_judge.c \
	tests/core/raft/world_message.c \
	tests/core/raft/world_snapshot.c
tests_check_raft_CFLAGS = $(TEST_CFLAGS)
tests_check_raft_LDADD = $(TEST_LIBS) $(CORE_LIBS)
$(tests_check_raft_OBJECTS): core/wire/messages.h
