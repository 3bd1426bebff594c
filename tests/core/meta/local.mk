# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_meta
tests_check_meta_SOURCES =
tests_check_meta_CFLAGS = $(TEST_CFLAGS)
tests_check_meta_LDADD = $(TEST_LIBS) $(CORE_LIBS)
