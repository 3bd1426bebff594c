# SPDX-License-Identifier: Apache-2.0
# The simulated world: code that needs no library. What tests use of it is here too.
noinst_LIBRARIES += libsim.a
libsim_a_SOURCES = \
	sim/admin.h \
	sim/admin_changes.c \
	sim/admin_defaults.c \
	sim/admin_deletions.c \
	sim/admin_elections.c \
	sim/admin_groups.c \
	sim/admin_queries.c \
	sim/assignor.c \
	sim/assignor.h \
	sim/bare.c \
	sim/bare.h \
	sim/blocks.c \
	sim/blocks.h \
	sim/chance.c \
	sim/chance.h \
	sim/client_admin.c \
	sim/client_auditor.c \
	sim/client_consumer.c \
	sim/client_hostile.c \
	sim/client_member.c \
	sim/client_operator.c \
	sim/client_producer.c \
	sim/client_silent.c \
	sim/clients.c \
	sim/clients.h \
	sim/committed.c \
	sim/committed.h \
	sim/contact.c \
	sim/contact.h \
	sim/contacts.c \
	sim/contacts.h \
	sim/durable.c \
	sim/durable.h \
	sim/durable_log.c \
	sim/durable_log.h \
	sim/effect_digest.c \
	sim/effect_digest.h \
	sim/fault_kinds.c \
	sim/fault_kinds.h \
	sim/fault_splits.c \
	sim/fault_splits.h \
	sim/faults.c \
	sim/faults.h \
	sim/fetcher.c \
	sim/fetcher.h \
	sim/file_node.c \
	sim/file_node.h \
	sim/files.c \
	sim/files.h \
	sim/files_clone.c \
	sim/files_durable.c \
	sim/files_power.c \
	sim/files_put.c \
	sim/files_rot.c \
	sim/files_sweep.c \
	sim/floor.c \
	sim/floor.h \
	sim/given_up.c \
	sim/given_up.h \
	sim/gathered.c \
	sim/gathered.h \
	sim/host.c \
	sim/host.h \
	sim/host_clock.c \
	sim/host_disk.c \
	sim/host_files.c \
	sim/host_internal.h \
	sim/host_turn.c \
	sim/judge.c \
	sim/judge.h \
	sim/judge_acked_is_durable.c \
	sim/judge_calm.c \
	sim/judge_change_is_durable.c \
	sim/judge_check_quorum.c \
	sim/judge_commit_is_durable.c \
	sim/judge_commits.c \
	sim/judge_contract.c \
	sim/judge_epoch_cache.c \
	sim/judge_epochs.c \
	sim/judge_expected.c \
	sim/judge_fencing.c \
	sim/judge_groups.c \
	sim/judge_history.c \
	sim/judge_idempotence.c \
	sim/judge_images.c \
	sim/judge_leases.c \
	sim/judge_limits.c \
	sim/judge_links.c \
	sim/judge_liveness.c \
	sim/judge_majority.c \
	sim/judge_metadata.c \
	sim/judge_partitions.c \
	sim/judge_quorum.c \
	sim/judge_replicas.c \
	sim/judge_order.c \
	sim/judge_unclean.c \
	sim/judge_voter_changes.c \
	sim/judge_votes.c \
	sim/knobs.c \
	sim/knobs.h \
	sim/member.h \
	sim/member_offsets.c \
	sim/member_requests.c \
	sim/memory.c \
	sim/memory.h \
	sim/metadata_answers.h \
	sim/metadata_nodes.c \
	sim/metadata_settings.c \
	sim/metadata_topics.c \
	sim/network.c \
	sim/network.h \
	sim/network_host.c \
	sim/network_internal.h \
	sim/node_conf.c \
	sim/node_conf.h \
	sim/node_file.c \
	sim/node_file.h \
	sim/notes.c \
	sim/notes.h \
	sim/parts.c \
	sim/parts.h \
	sim/peer.c \
	sim/peer.h \
	sim/producer.h \
	sim/producer_batches.c \
	sim/queue.c \
	sim/queue.h \
	sim/reader.c \
	sim/reader.h \
	sim/record_value.c \
	sim/record_value.h \
	sim/replay.c \
	sim/replay.h \
	sim/replay_messages.c \
	sim/replay_messages.h \
	sim/reply_errors.c \
	sim/reply_errors.h \
	sim/scenario.c \
	sim/scenario.h \
	sim/scenario_schema.c \
	sim/scenario_schema.h \
	sim/scenario_words.c \
	sim/scenario_words.h \
	sim/setup.c \
	sim/setup.h \
	sim/sim.c \
	sim/sim.h \
	sim/spare.c \
	sim/spare.h \
	sim/stream.c \
	sim/stream.h \
	sim/swarm.c \
	sim/swarm.h \
	sim/tally.c \
	sim/tally.def \
	sim/tally.h \
	sim/trace_names.c \
	sim/trace_names.h
$(libsim_a_OBJECTS): core/wire/messages.h

# What reads scenarios, runs them one after another, and writes traces needs jansson, processes and
# SQLite.
libscenario_a_SOURCES = \
	sim/campaign.c \
	sim/campaign.h \
	sim/json_place.c \
	sim/json_place.h \
	sim/replay_run.c \
	sim/replay_run.h \
	sim/run.c \
	sim/run.h \
	sim/scenario_check.c \
	sim/scenario_parse.c \
	sim/scenario_parse.h \
	sim/scenario_read.c \
	sim/scenario_reader.h \
	sim/scenario_settings.c \
	sim/scenario_write.c \
	sim/scenario_write.h \
	sim/shrink.c \
	sim/shrink.h \
	sim/trace.h \
	sim/trace_open.c \
	sim/trace_salvage.c \
	sim/trace_schema.c \
	sim/trace_store.c \
	sim/trace_store.h \
	sim/trace_tail.c \
	sim/trace_tail.h \
	sim/trace_write.c \
	sim/workers.c \
	sim/workers.h
libscenario_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
$(libscenario_a_OBJECTS): core/wire/messages.h

# What needs more libraries than a broker does is a program of its own.
chronik_sim_SOURCES = \
	sim/cmd.h \
	sim/cmd_replay.c \
	sim/cmd_run.c \
	sim/cmd_run_report.c \
	sim/cmd_run_report.h \
	sim/cmd_schema.c \
	sim/cmd_show.c \
	sim/cmd_shrink.c \
	sim/cmd_why.c \
	sim/main.c
chronik_sim_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
chronik_sim_LDFLAGS = $(COMMON_LINK) $(LTO_LDFLAGS)
chronik_sim_LDADD = libscenario.a libcli.a libsim.a libnet.a libdisk.a $(CORE_LIBS) \
	$(JANSSON_LIBS) $(SQLITE_LIBS) -lpthread

# The pages about scenarios.
tools_simdoc_SOURCES = tools/simdoc.c
tools_simdoc_LDADD = libscenario.a libsim.a $(CORE_LIBS) $(JANSSON_LIBS)
EXTRA_DIST += doc/SIMULATOR.md doc/SCENARIOS.md scenarios
update-sim-docs: tools/simdoc
	tools/simdoc words $(srcdir)/doc/SIMULATOR.md >$(srcdir)/doc/SIMULATOR.md.new
	mv $(srcdir)/doc/SIMULATOR.md.new $(srcdir)/doc/SIMULATOR.md
	tools/simdoc scenarios $(srcdir)/scenarios >$(srcdir)/doc/SCENARIOS.md.new
	mv $(srcdir)/doc/SCENARIOS.md.new $(srcdir)/doc/SCENARIOS.md
.PHONY: update-sim-docs

if HAVE_SIM
noinst_LIBRARIES += libscenario.a
bin_PROGRAMS += chronik-sim
check_PROGRAMS += tools/simdoc
SIM_PROGRAM = chronik-sim
else
SIM_PROGRAM =
EXTRA_LIBRARIES += libscenario.a
EXTRA_PROGRAMS += chronik-sim tools/simdoc
endif
