# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_coord
tests_check_coord_SOURCES = \
	tests/core/coord/fake_log.c \
	tests/core/coord/fake_log.h \
	tests/core/coord/story.c \
	tests/core/coord/story.h \
	tests/core/coord/story_internal.h \
	tests/core/coord/story_log.c \
	tests/core/coord/story_members.c \
	tests/core/coord/test_join.c \
	tests/core/coord/test_limits.c \
	tests/core/coord/test_member.c \
	tests/core/coord/test_random.c \
	tests/core/coord/test_record.c \
	tests/core/coord/test_shard.c \
	tests/core/coord/test_static.c
tests_check_coord_CFLAGS = $(TEST_CFLAGS)
tests_check_coord_LDADD = $(TEST_LIBS) $(CORE_LIBS)
