# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_net
tests_check_net_SOURCES =
tests_check_net_CFLAGS = $(TEST_CFLAGS)
tests_check_net_LDADD = libnet.a $(TEST_LIBS) $(CORE_LIBS)
