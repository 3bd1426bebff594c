# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_conf
tests_check_conf_SOURCES = \
	tests/core/conf/settings.c \
	tests/core/conf/settings.h \
	tests/core/conf/test_conf.c \
	tests/core/conf/test_keys.c \
	tests/core/conf/test_listeners.c \
	tests/core/conf/test_topic_conf.c \
	tests/core/conf/test_voters.c
tests_check_conf_CFLAGS = $(TEST_CFLAGS)
tests_check_conf_LDADD = $(TEST_LIBS) $(CORE_LIBS)
