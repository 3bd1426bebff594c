# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/wire/api.c \
	core/wire/codec.h \
	core/wire/decode.c \
	core/wire/defaults.c \
	core/wire/encode.c \
	core/wire/error.c \
	core/wire/error.def \
	core/wire/error.h \
	core/wire/print.c \
	core/wire/scalar.h \
	core/wire/schema.h
nodist_libcore_a_SOURCES += \
	core/wire/messages.c \
	core/wire/messages.h

WIRE_SCHEMAS = \
	core/wire/schema/add_raft_voter.kp \
	core/wire/schema/api_versions.kp \
	core/wire/schema/consumer_offsets.kp \
	core/wire/schema/consumer_protocol.kp \
	core/wire/schema/create_partitions.kp \
	core/wire/schema/create_topics.kp \
	core/wire/schema/delete_groups.kp \
	core/wire/schema/delete_records.kp \
	core/wire/schema/delete_topics.kp \
	core/wire/schema/describe_cluster.kp \
	core/wire/schema/describe_configs.kp \
	core/wire/schema/describe_groups.kp \
	core/wire/schema/describe_log_dirs.kp \
	core/wire/schema/describe_quorum.kp \
	core/wire/schema/describe_topic_partitions.kp \
	core/wire/schema/elect_leaders.kp \
	core/wire/schema/fetch.kp \
	core/wire/schema/find_coordinator.kp \
	core/wire/schema/headers.kp \
	core/wire/schema/heartbeat.kp \
	core/wire/schema/incremental_alter_configs.kp \
	core/wire/schema/init_producer_id.kp \
	core/wire/schema/join_group.kp \
	core/wire/schema/leave_group.kp \
	core/wire/schema/list_groups.kp \
	core/wire/schema/list_offsets.kp \
	core/wire/schema/metadata.kp \
	core/wire/schema/metadata_records.kp \
	core/wire/schema/offset_commit.kp \
	core/wire/schema/offset_fetch.kp \
	core/wire/schema/offset_for_leader_epoch.kp \
	core/wire/schema/peer.kp \
	core/wire/schema/produce.kp \
	core/wire/schema/quorum.kp \
	core/wire/schema/raft.kp \
	core/wire/schema/remove_raft_voter.kp \
	core/wire/schema/replica.kp \
	core/wire/schema/sync_group.kp \
	core/wire/schema/unregister_broker.kp

EXTRA_DIST += $(WIRE_SCHEMAS) core/wire/schema/README.md

# The generator runs on the machine that builds.
WIREGEN_FILES = \
	tools/wiregen.c \
	tools/wiregen_emit.c \
	tools/wiregen_parse.c \
	tools/wiregen_plan.c
EXTRA_DIST += $(WIREGEN_FILES) tools/wiregen.h

tools/wiregen: $(WIREGEN_FILES) tools/wiregen.h
	$(AM_V_GEN)$(MKDIR_P) tools && \
	sources=; for file in $(WIREGEN_FILES); do sources="$$sources $(srcdir)/$$file"; done; \
	$(CC_FOR_BUILD) -std=gnu17 -D_GNU_SOURCE $(CFLAGS_FOR_BUILD) -I$(srcdir) -o $@ $$sources

core/wire/messages.c: $(WIRE_SCHEMAS) tools/wiregen
	$(AM_V_GEN)$(MKDIR_P) core/wire && \
	schemas=; for file in $(WIRE_SCHEMAS); do schemas="$$schemas $(srcdir)/$$file"; done; \
	tools/wiregen core/wire/messages $$schemas

# Made along with the .c file; made anew with it when it was lost.
core/wire/messages.h: core/wire/messages.c
	@test -f $@ || { rm -f core/wire/messages.c && $(MAKE) core/wire/messages.c; }

BUILT_SOURCES += core/wire/messages.h
CLEANFILES += core/wire/messages.c core/wire/messages.h tools/wiregen
$(libcore_a_OBJECTS): core/wire/messages.h

# Compares the schemas with Kafka's: those in its jars, which Maven fetches, or those in a folder
# that KAFKA_SCHEMAS names. Needs Python 3.
EXTRA_DIST += tools/check_schemas.py
check-schemas:
	python3 $(srcdir)/tools/check_schemas.py $(srcdir)/core/wire/schema $(KAFKA_SCHEMAS)

# Has Kafka's own classes decode and encode messages of ours, by chance, in every version. Needs
# Maven and a JDK besides.
EXTRA_DIST += tools/CheckBytes.java tools/check_bytes.py
EXTRA_PROGRAMS += tests/message_lines
tests_message_lines_SOURCES = \
	tests/core/wire/message_lines.c \
	tests/core/wire/random.c \
	tests/core/wire/random.h
tests_message_lines_LDADD = $(CORE_LIBS)
$(tests_message_lines_OBJECTS): core/wire/messages.h
check-bytes: tests/message_lines
	PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tools/check_bytes.py tests/message_lines
.PHONY: check-schemas check-bytes
