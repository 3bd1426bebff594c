# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_records
tests_check_records_SOURCES =
tests_check_records_CFLAGS = $(TEST_CFLAGS)
tests_check_records_LDADD = $(TEST_LIBS) $(CORE_LIBS)
