# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_sim
tests_check_sim_SOURCES = \
	tests/sim/test_queue.c \
	tests/sim/test_stream.c
tests_check_sim_CFLAGS = $(TEST_CFLAGS)
tests_check_sim_LDADD = $(TEST_LIBS) $(CORE_LIBS)
