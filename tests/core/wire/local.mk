# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_wire
tests_check_wire_SOURCES = \
	tests/core/wire/hex.h \
	tests/core/wire/test_error.c \
	tests/core/wire/test_golden.c
tests_check_wire_CFLAGS = $(TEST_CFLAGS)
tests_check_wire_LDADD = $(TEST_LIBS) $(CORE_LIBS)
