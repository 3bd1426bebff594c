# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_base
tests_check_base_SOURCES =
tests_check_base_CFLAGS = $(TEST_CFLAGS)
tests_check_base_LDADD = $(TEST_LIBS) $(CORE_LIBS)
