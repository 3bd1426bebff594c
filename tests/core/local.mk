# SPDX-License-Identifier: Apache-2.0
# Tests of the core itself (tests/core/test_X.c), of handlers (tests/core/api/test_X.c) and of all
# that needs a whole broker are in the runner check_broker.
UNIT_TESTS += tests/check_broker
tests_check_broker_SOURCES = \
	tests/core/crew.c \
	tests/core/crew.h \
	tests/core/pair.c \
	tests/core/pair.h \
	tests/core/test_agreement.c \
	tests/core/test_balance.c \
	tests/core/test_cluster.c \
	tests/core/test_cluster_clients.c \
	tests/core/test_cluster_costs.c \
	tests/core/test_cluster_deletes.c \
	tests/core/test_cluster_ends.c \
	tests/core/test_cluster_groups.c \
	tests/core/test_cluster_quorum.c \
	tests/core/test_crowd.c \
	tests/core/test_data_path.c \
	tests/core/test_first_start.c \
	tests/core/test_input.c \
	tests/core/test_leaderless.c \
	tests/core/test_metrics.c \
	tests/core/test_refusals.c \
	tests/core/test_replication.c \
	tests/core/test_shutdown.c \
	tests/core/test_status.c \
	tests/core/test_stopped_leader.c \
	tests/core/test_unfinished.c \
	tests/core/test_waits.c \
	tests/core/trio.c \
	tests/core/trio.h
tests_check_broker_CFLAGS = $(TEST_CFLAGS)
tests_check_broker_LDADD = $(TEST_LIBS) $(CORE_LIBS)
