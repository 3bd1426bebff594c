# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_net
tests_check_net_SOURCES = \
	tests/net/test_connect.c \
	tests/net/test_connection.c \
	tests/net/test_listen.c \
	tests/net/test_send.c \
	tests/net/rig.c \
	tests/net/rig.h
tests_check_net_CFLAGS = $(TEST_CFLAGS)
tests_check_net_LDADD = libnet.a $(TEST_LIBS) $(CORE_LIBS)
