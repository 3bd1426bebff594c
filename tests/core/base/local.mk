# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_base
tests_check_base_SOURCES = \
	tests/core/base/test_crc32c.c \
	tests/core/base/test_format.c \
	tests/core/base/test_map.c \
	tests/core/base/test_memory.c \
	tests/core/base/test_nearest.c \
	tests/core/base/test_rng.c \
	tests/core/base/test_timer.c \
	tests/core/base/test_uuid.c
tests_check_base_CFLAGS = $(TEST_CFLAGS)
tests_check_base_LDADD = $(TEST_LIBS) $(CORE_LIBS)
