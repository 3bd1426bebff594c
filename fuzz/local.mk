# SPDX-License-Identifier: Apache-2.0
#
# A target is fuzz/fuzz_X.c, which defines LLVMFuzzerTestOneInput (fuzz/fuzz.h); its seeds are the
# files of fuzz/corpus/X, and its dictionary, if it has one, is fuzz/X.dict. To add one:
#
#     FUZZ_TARGETS += fuzz/fuzz_X
#     fuzz_fuzz_X_SOURCES = fuzz/fuzz_X.c fuzz/fuzz.h $(FUZZ_MAIN)
#     fuzz_fuzz_X_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
#     fuzz_fuzz_X_LDADD = $(CORE_LIBS)
#
# Without --enable-fuzz "make check" replays the corpus. With it each target is a libFuzzer program,
# and "make fuzz FUZZ_SECONDS=60 FUZZ_JOBS=2" runs all of them. What a target is for stands in
# fuzz/covers; "make fuzz-coverage" (configure --enable-coverage) checks that its corpus reaches it.

FUZZ_TARGETS =
FUZZ_SECONDS = 60
FUZZ_JOBS = 1
EXTRA_DIST += fuzz/run.sh fuzz/coverage.sh fuzz/covers $(FUZZ_REPLAY)
FUZZ_REPLAY = fuzz/corpus.c fuzz/corpus.h fuzz/replay.c

FUZZ_TARGETS += fuzz/fuzz_recovery
fuzz_fuzz_recovery_SOURCES = \
	fuzz/faults.c \
	fuzz/faults.h \
	fuzz/fuzz.h \
	fuzz/fuzz_recovery.c \
	fuzz/mend.c \
	fuzz/mend.h \
	$(FUZZ_MAIN)
fuzz_fuzz_recovery_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_recovery_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
EXTRA_DIST += fuzz/corpus/recovery

FUZZ_TARGETS += fuzz/fuzz_metadata
fuzz_fuzz_metadata_SOURCES = \
	fuzz/faults.c \
	fuzz/faults.h \
	fuzz/fuzz.h \
	fuzz/fuzz_metadata.c \
	fuzz/mend.c \
	fuzz/mend.h \
	fuzz/metadata_files.c \
	fuzz/metadata_files.h \
	$(FUZZ_MAIN)
fuzz_fuzz_metadata_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_metadata_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_fuzz_metadata_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/metadata

# "make fuzz/seed_metadata && fuzz/seed_metadata FOLDER" writes the seeds that are files of folders.
EXTRA_PROGRAMS += fuzz/seed_metadata
fuzz_seed_metadata_SOURCES = fuzz/seed_metadata.c
fuzz_seed_metadata_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_seed_metadata_OBJECTS): core/wire/messages.h

FUZZ_TARGETS += fuzz/fuzz_dump
fuzz_fuzz_dump_SOURCES = fuzz/fuzz.h fuzz/fuzz_dump.c $(FUZZ_MAIN)
fuzz_fuzz_dump_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_dump_LDADD = libcli.a $(CORE_LIBS)
EXTRA_DIST += fuzz/corpus/dump

FUZZ_TARGETS += fuzz/fuzz_properties
fuzz_fuzz_properties_SOURCES = \
	cli/properties.c \
	cli/properties.h \
	fuzz/fuzz.h \
	fuzz/fuzz_properties.c \
	$(FUZZ_MAIN)
fuzz_fuzz_properties_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_properties_LDADD = $(CORE_LIBS)
EXTRA_DIST += fuzz/properties.dict fuzz/corpus/properties

FUZZ_TARGETS += fuzz/fuzz_logfiles
fuzz_fuzz_logfiles_SOURCES = fuzz/fuzz.h fuzz/fuzz_logfiles.c $(FUZZ_MAIN)
fuzz_fuzz_logfiles_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_logfiles_LDADD = $(CORE_LIBS)
EXTRA_DIST += fuzz/corpus/logfiles

FUZZ_TARGETS += fuzz/fuzz_records
fuzz_fuzz_records_SOURCES = \
	cli/codec.c \
	cli/codec.h \
	cli/library.c \
	cli/library.h \
	fuzz/fuzz.h \
	fuzz/fuzz_records.c \
	$(FUZZ_MAIN)
fuzz_fuzz_records_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_records_LDADD = $(CORE_LIBS)
EXTRA_DIST += fuzz/corpus/records

FUZZ_TARGETS += fuzz/fuzz_wire
fuzz_fuzz_wire_SOURCES = \
	fuzz/fuzz.h \
	fuzz/fuzz_wire.c \
	fuzz/wire_choice.c \
	fuzz/wire_choice.h \
	tests/core/wire/random.c \
	tests/core/wire/random.h \
	$(FUZZ_MAIN)
fuzz_fuzz_wire_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_wire_LDADD = $(CORE_LIBS)
nodist_fuzz_fuzz_wire_SOURCES = tests/core/wire/sample.c tests/core/wire/sample.h
$(fuzz_fuzz_wire_OBJECTS): core/wire/messages.h tests/core/wire/sample.h
EXTRA_DIST += fuzz/wire.dict fuzz/corpus/wire

# "make fuzz/seed_wire && fuzz/seed_wire FOLDER" writes the seeds anew when schemas have changed.
EXTRA_PROGRAMS += fuzz/seed_wire
fuzz_seed_wire_SOURCES = \
	fuzz/seed_wire.c \
	fuzz/wire_choice.c \
	fuzz/wire_choice.h \
	tests/core/wire/random.c \
	tests/core/wire/random.h
nodist_fuzz_seed_wire_SOURCES = tests/core/wire/sample.c tests/core/wire/sample.h
fuzz_seed_wire_LDADD = $(CORE_LIBS)
$(fuzz_seed_wire_OBJECTS): core/wire/messages.h tests/core/wire/sample.h

FUZZ_TAPE = fuzz/faults.c fuzz/faults.h fuzz/tape.c fuzz/tape.h

FUZZ_TARGETS += fuzz/fuzz_step
fuzz_fuzz_step_SOURCES = \
	fuzz/fuzz.h \
	fuzz/fuzz_step.c \
	$(FUZZ_TAPE) \
	$(FUZZ_MAIN)
fuzz_fuzz_step_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_step_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_fuzz_step_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/step

FUZZ_TARGETS += fuzz/fuzz_links
fuzz_fuzz_links_SOURCES = fuzz/fuzz.h fuzz/fuzz_links.c $(FUZZ_MAIN)
fuzz_fuzz_links_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_links_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_fuzz_links_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/links

FUZZ_TARGETS += fuzz/fuzz_replica
fuzz_fuzz_replica_SOURCES = \
	fuzz/fuzz.h \
	fuzz/fuzz_replica.c \
	fuzz/nodes.c \
	fuzz/nodes.h \
	$(FUZZ_MAIN)
fuzz_fuzz_replica_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_replica_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_fuzz_replica_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/replica

FUZZ_TARGETS += fuzz/fuzz_voters
fuzz_fuzz_voters_SOURCES = \
	fuzz/fuzz.h \
	fuzz/fuzz_voters.c \
	fuzz/nodes.c \
	fuzz/nodes.h \
	$(FUZZ_MAIN)
fuzz_fuzz_voters_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_voters_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_fuzz_voters_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/voters

fuzz_fuzz_scenario_SOURCES = fuzz/fuzz.h fuzz/fuzz_scenario.c $(FUZZ_MAIN)
fuzz_fuzz_scenario_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_scenario_LDADD = libscenario.a libsim.a $(CORE_LIBS) $(JANSSON_LIBS)
EXTRA_DIST += fuzz/scenario.dict fuzz/corpus/scenario
if HAVE_SIM
FUZZ_TARGETS += fuzz/fuzz_scenario
else
EXTRA_PROGRAMS += fuzz/fuzz_scenario
endif

FUZZ_TARGETS += fuzz/fuzz_flight
fuzz_fuzz_flight_SOURCES = \
	fuzz/flight_again.c \
	fuzz/flight_again.h \
	fuzz/fuzz.h \
	fuzz/fuzz_flight.c \
	$(FUZZ_MAIN)
fuzz_fuzz_flight_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_flight_LDADD = libsim.a $(CORE_LIBS)
$(fuzz_fuzz_flight_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/flight

FUZZ_TARGETS += fuzz/fuzz_tape
fuzz_fuzz_tape_SOURCES = \
	fuzz/fuzz.h \
	fuzz/fuzz_tape.c \
	fuzz/tape_world.c \
	fuzz/tape_world.h \
	$(FUZZ_MAIN)
fuzz_fuzz_tape_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_tape_LDADD = libsim.a $(CORE_LIBS)
$(fuzz_fuzz_tape_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/tape

# "make fuzz/seed_tape && fuzz/seed_tape FOLDER" writes the first decisions of some worlds.
EXTRA_PROGRAMS += fuzz/seed_tape
fuzz_seed_tape_SOURCES = fuzz/seed_tape.c fuzz/tape_world.c fuzz/tape_world.h
fuzz_seed_tape_LDADD = libsim.a $(CORE_LIBS)
$(fuzz_seed_tape_OBJECTS): core/wire/messages.h

# "make fuzz/seed_step && fuzz/seed_step FOLDER" likewise.
EXTRA_PROGRAMS += fuzz/seed_step
fuzz_seed_step_SOURCES = \
	fuzz/recording.c \
	fuzz/recording.h \
	fuzz/seed_cluster.c \
	fuzz/seed_groups.c \
	fuzz/seed_logs.c \
	fuzz/seed_step.c \
	fuzz/seed_stories.h \
	fuzz/seed_topics.c \
	$(FUZZ_TAPE) \
	tests/e2e/story.c \
	tests/e2e/story.h
fuzz_seed_step_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_seed_step_OBJECTS): core/wire/messages.h

# Whether the corpus of fuzz_step reaches each handler in each version.
fuzz_handlers_SOURCES = \
	fuzz/corpus.c \
	fuzz/corpus.h \
	fuzz/fuzz.h \
	fuzz/fuzz_step.c \
	fuzz/handlers.c \
	$(FUZZ_TAPE)
fuzz_handlers_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=api_find
fuzz_handlers_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_handlers_OBJECTS): core/wire/messages.h

if ENABLE_FUZZ
FUZZ_MAIN =
noinst_PROGRAMS += $(FUZZ_TARGETS)

fuzz: $(FUZZ_TARGETS)
	srcdir='$(srcdir)' $(SHELL) $(srcdir)/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_JOBS) \
	    $(FUZZ_TARGETS:%=./%)
else
FUZZ_MAIN = $(FUZZ_REPLAY)
check_PROGRAMS += $(FUZZ_TARGETS) fuzz/handlers
TESTS += $(FUZZ_TARGETS) fuzz/handlers

# fuzz/handlers says in TAP which handlers the corpus of fuzz_step misses.
if ENABLE_COVERAGE
fuzz-coverage: $(FUZZ_TARGETS) fuzz/handlers
	srcdir='$(srcdir)' $(SHELL) $(srcdir)/fuzz/coverage.sh $(FUZZ_TARGETS:%=./%)
	srcdir='$(srcdir)' fuzz/handlers
else
fuzz-coverage:
	@echo "Coverage needs a build folder of its own: ../configure --enable-coverage" >&2; false
endif

fuzz:
	@echo "Fuzzing needs a build folder of its own: ../configure --enable-fuzz CC=clang" >&2; false
endif
