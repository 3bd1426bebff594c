# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_peer
tests_check_peer_SOURCES = \
	tests/core/peer/rig.c \
	tests/core/peer/rig.h \
	tests/core/peer/test_handshake.c \
	tests/core/peer/test_life.c \
	tests/core/peer/test_links.c
tests_check_peer_CFLAGS = $(TEST_CFLAGS)
tests_check_peer_LDADD = $(TEST_LIBS) $(CORE_LIBS)
$(tests_check_peer_OBJECTS): core/wire/messages.h
