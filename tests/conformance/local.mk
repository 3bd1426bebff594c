# SPDX-License-Identifier: Apache-2.0
# One suite for the real drivers and their twins. What makes system calls fail is its own library,
# since a broker for tests has it too.
check_LIBRARIES += tests/libfaulty.a
tests_libfaulty_a_SOURCES = \
	tests/faulty/faulty.c \
	tests/faulty/faulty.h \
	tests/faulty/faulty_disk.c \
	tests/faulty/faulty_net.c

UNIT_TESTS += tests/check_conformance
tests_check_conformance_SOURCES = \
	tests/conformance/conformance.c \
	tests/conformance/conformance.h \
	tests/conformance/driver.h \
	tests/conformance/driver_real.c \
	tests/conformance/driver_sim.c \
	tests/conformance/driver_world.c \
	tests/conformance/test_connections.c \
	tests/conformance/test_errors.c \
	tests/conformance/test_files.c \
	tests/conformance/test_folders.c
tests_check_conformance_CFLAGS = $(TEST_CFLAGS)
tests_check_conformance_LDADD = libnet.a libdisk.a tests/libfaulty.a $(TEST_LIBS) $(CORE_LIBS) \
	-lpthread
