# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_broker
tests_check_broker_SOURCES =
tests_check_broker_CFLAGS = $(TEST_CFLAGS)
tests_check_broker_LDADD = $(TEST_LIBS) $(CORE_LIBS)
