# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_meta
tests_check_meta_SOURCES = \
	tests/core/conf/settings.c \
	tests/core/conf/settings.h \
	tests/core/meta/cluster.c \
	tests/core/meta/cluster.h \
	tests/core/meta/lone_wal.c \
	tests/core/meta/lone_wal.h \
	tests/core/meta/site.c \
	tests/core/meta/site.h \
	tests/core/meta/test_durable_files.c \
	tests/core/meta/test_identity.c \
	tests/core/meta/test_election.c \
	tests/core/meta/test_image.c \
	tests/core/meta/test_placement.c \
	tests/core/meta/test_record.c \
	tests/core/meta/test_replay.c \
	tests/core/meta/test_snapshot.c \
	tests/core/meta/test_topics.c \
	tests/core/meta/test_topics_elect.c \
	tests/core/meta/test_wal.c \
	tests/core/meta/test_wal_anew.c \
	tests/core/meta/test_wal_lost.c
tests_check_meta_CFLAGS = $(TEST_CFLAGS)
tests_check_meta_LDADD = $(TEST_LIBS) $(CORE_LIBS)
