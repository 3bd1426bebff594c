# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_disk
tests_check_disk_SOURCES = \
	tests/disk/test_file.c \
	tests/disk/test_folder.c \
	tests/disk/rig.c \
	tests/disk/rig.h
tests_check_disk_CFLAGS = $(TEST_CFLAGS)
tests_check_disk_LDADD = libdisk.a $(TEST_LIBS) $(CORE_LIBS) -lpthread
