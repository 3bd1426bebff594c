# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_sim
tests_check_sim_SOURCES = \
	tests/sim/test_chance.c \
	tests/sim/test_file_bytes.c \
	tests/sim/test_files_sweep.c \
	tests/sim/test_queue.c \
	tests/sim/test_replay_messages.c \
	tests/sim/test_stream.c
tests_check_sim_CFLAGS = $(TEST_CFLAGS)
tests_check_sim_LDADD = $(TEST_LIBS) $(CORE_LIBS)
$(tests_check_sim_OBJECTS): core/wire/messages.h

# Clients, in worlds that run.
UNIT_TESTS += tests/check_clients
tests_check_clients_SOURCES = \
	tests/sim/test_client_admin.c \
	tests/sim/test_client_member.c \
	tests/sim/test_client_producer.c \
	tests/sim/test_contacts.c \
	tests/sim/test_faults.c \
	tests/sim/test_replicas.c \
	tests/sim/test_sim.c \
	tests/sim/trial.c \
	tests/sim/trial.h
tests_check_clients_CFLAGS = $(TEST_CFLAGS)
tests_check_clients_LDADD = $(TEST_LIBS) $(CORE_LIBS)
$(tests_check_clients_OBJECTS): core/wire/messages.h

# Judges, told stories by hand.
UNIT_TESTS += tests/check_judges
tests_check_judges_SOURCES = \
	tests/sim/log_inside.c \
	tests/sim/log_inside.h \
	tests/sim/ran.c \
	tests/sim/ran.h \
	tests/sim/story.c \
	tests/sim/story.h \
	tests/sim/test_committed.c \
	tests/sim/test_judge_acked_is_durable.c \
	tests/sim/test_judge_calm.c \
	tests/sim/test_judge_change_is_durable.c \
	tests/sim/test_judge_commit_is_durable.c \
	tests/sim/test_judge_commits.c \
	tests/sim/test_judge_contract.c \
	tests/sim/test_judge_epoch_cache.c \
	tests/sim/test_judge_epochs.c \
	tests/sim/test_judge_expected.c \
	tests/sim/test_judge_fencing.c \
	tests/sim/test_judge_groups.c \
	tests/sim/test_judge_history.c \
	tests/sim/test_judge_idempotence.c \
	tests/sim/test_judge_images.c \
	tests/sim/test_judge_leases.c \
	tests/sim/test_judge_limits.c \
	tests/sim/test_judge_links.c \
	tests/sim/test_judge_liveness.c \
	tests/sim/test_judge_majority.c \
	tests/sim/test_judge_metadata.c \
	tests/sim/test_judge_order.c \
	tests/sim/test_judge_partitions.c \
	tests/sim/test_judge_replicas.c \
	tests/sim/test_judge_voter_changes.c \
	tests/sim/test_judge_votes.c
tests_check_judges_CFLAGS = $(TEST_CFLAGS)
tests_check_judges_LDADD = $(TEST_LIBS) $(CORE_LIBS)
$(tests_check_judges_OBJECTS): core/wire/messages.h

if HAVE_SIM
UNIT_TESTS += tests/check_scenario
else
EXTRA_PROGRAMS += tests/check_scenario
endif
tests_check_scenario_SOURCES = \
	tests/sim/quoted.c \
	tests/sim/quoted.h \
	tests/sim/test_campaign.c \
	tests/sim/test_json_place.c \
	tests/sim/test_scenario.c \
	tests/sim/test_scenario_limits.c \
	tests/sim/test_scenario_refused.c \
	tests/sim/test_scenario_schema.c \
	tests/sim/test_trace.c
tests_check_scenario_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
$(tests_check_scenario_OBJECTS): core/wire/messages.h
tests_check_scenario_LDADD = libscenario.a $(TEST_LIBS) $(CORE_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS)

dist_check_SCRIPTS += tests/sim.sh tests/sim-docs.sh tests/sim-questions.sh tests/sim-scenarios.sh
if HAVE_SIM
TESTS += tests/sim.sh tests/sim-docs.sh tests/sim-questions.sh tests/sim-scenarios.sh
tests/sim.log: chronik chronik-sim
tests/sim-docs.log: tools/simdoc
tests/sim-questions.log: chronik-sim
tests/sim-scenarios.log: chronik-sim
endif

# Every scenario with these seeds.
SIM_SEEDS = 1-20
check-sim: chronik-sim
	./chronik-sim run $(srcdir)/scenarios --seeds $(SIM_SEEDS) --each --no-traces

# The minute under full load, an hour long.
check-full-load: chronik-sim
	sed 's/"load_ms": 60000/"load_ms": 3600000/' $(srcdir)/scenarios/full-cluster.json \
	>tests/full-cluster-hour.json
	./chronik-sim run tests/full-cluster-hour.json --no-traces
.PHONY: check-sim check-full-load
CLEANFILES += tests/full-cluster-hour.json
