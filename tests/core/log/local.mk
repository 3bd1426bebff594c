# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_log
tests_check_log_SOURCES = \
	tests/core/log/story.c \
	tests/core/log/story.h \
	tests/core/log/test_append.c \
	tests/core/log/test_delete.c \
	tests/core/log/test_power_loss.c \
	tests/core/log/test_recover.c \
	tests/core/log/test_retain.c \
	tests/core/log/test_segments.c \
	tests/core/log/test_time.c \
	tests/core/log/test_truncate.c \
	tests/core/log/test_truncate_crash.c \
	tests/core/log/model.c \
	tests/core/log/model.h \
	tests/core/log/test_world.c \
	tests/core/log/test_checkpoint.c \
	tests/core/log/test_damage.c \
	tests/core/log/test_epochs.c \
	tests/core/log/test_failures.c \
	tests/core/log/test_folder.c \
	tests/core/log/test_index.c \
	tests/core/log/test_producers.c
tests_check_log_CFLAGS = $(TEST_CFLAGS)
tests_check_log_LDADD = $(TEST_LIBS) $(CORE_LIBS)
