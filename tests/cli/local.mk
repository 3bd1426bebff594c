# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_cli
tests_check_cli_SOURCES =
tests_check_cli_CFLAGS = $(TEST_CFLAGS)
tests_check_cli_LDADD = libnet.a libdisk.a $(TEST_LIBS) $(CORE_LIBS)
