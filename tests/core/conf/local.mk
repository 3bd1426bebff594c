# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_conf
tests_check_conf_SOURCES =
tests_check_conf_CFLAGS = $(TEST_CFLAGS)
tests_check_conf_LDADD = $(TEST_LIBS) $(CORE_LIBS)
