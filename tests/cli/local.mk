# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_cli
tests_check_cli_SOURCES = \
	tests/cli/test_bench_histogram.c \
	tests/cli/test_client.c \
	tests/cli/test_cluster_brokers.c \
	tests/cli/test_cluster_print.c \
	tests/cli/test_dump.c \
	tests/cli/test_codec.c \
	tests/cli/test_logger.c \
	tests/cli/test_loop.c \
	tests/cli/test_metrics_print.c \
	tests/cli/test_metrics_server.c \
	tests/cli/test_options.c \
	tests/cli/test_plain.c \
	tests/cli/test_properties.c \
	tests/cli/test_settings.c \
	tests/cli/test_topic_print.c
tests_check_cli_CFLAGS = $(TEST_CFLAGS)
tests_check_cli_LDADD = libcli.a libnet.a libdisk.a $(TEST_LIBS) $(CORE_LIBS) -lpthread

# Apart from the rest, since the world of memory has a net and clients of its own.
UNIT_TESTS += tests/check_recorder
tests_check_recorder_SOURCES = tests/cli/test_recorder.c
tests_check_recorder_CFLAGS = $(TEST_CFLAGS)
tests_check_recorder_LDADD = $(TEST_LIBS) libcli.a $(CORE_LIBS)

dist_check_SCRIPTS += tests/command.sh
TESTS += tests/command.sh
tests/command.log: chronik $(SIM_PROGRAM) contrib/installed/chronik

dist_check_SCRIPTS += tests/topic.sh
TESTS += tests/topic.sh
tests/topic.log: chronik
