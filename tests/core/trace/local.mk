# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_trace
tests_check_trace_SOURCES = \
	tests/core/trace/test_digest.c \
	tests/core/trace/test_pending.c \
	tests/core/trace/test_record.c
tests_check_trace_CFLAGS = $(TEST_CFLAGS)
tests_check_trace_LDADD = $(TEST_LIBS) $(CORE_LIBS)
