# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_disk
tests_check_disk_SOURCES =
tests_check_disk_CFLAGS = $(TEST_CFLAGS)
tests_check_disk_LDADD = libdisk.a $(TEST_LIBS) $(CORE_LIBS)
