# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_coord
tests_check_coord_SOURCES =
tests_check_coord_CFLAGS = $(TEST_CFLAGS)
tests_check_coord_LDADD = $(TEST_LIBS) $(CORE_LIBS)
