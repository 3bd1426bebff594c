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
# and "make fuzz FUZZ_SECONDS=60 FUZZ_JOBS=2" runs all of them.

FUZZ_TARGETS =
FUZZ_SECONDS = 60
FUZZ_JOBS = 1
EXTRA_DIST += fuzz/run.sh fuzz/replay.c

FUZZ_TARGETS += fuzz/fuzz_recovery
fuzz_fuzz_recovery_SOURCES = fuzz/fuzz.h fuzz/fuzz_recovery.c $(FUZZ_MAIN)
fuzz_fuzz_recovery_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_recovery_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
EXTRA_DIST += fuzz/corpus/recovery

FUZZ_TARGETS += fuzz/fuzz_metadata
fuzz_fuzz_metadata_SOURCES = fuzz/fuzz.h fuzz/fuzz_metadata.c $(FUZZ_MAIN)
fuzz_fuzz_metadata_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_metadata_LDADD = $(CORE_LIBS)
EXTRA_DIST += fuzz/corpus/metadata

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
	tests/core/wire/random.c \
	tests/core/wire/random.h \
	$(FUZZ_MAIN)
fuzz_fuzz_wire_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_wire_LDADD = $(CORE_LIBS)
$(fuzz_fuzz_wire_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/wire.dict fuzz/corpus/wire

# "make fuzz/seed_wire && fuzz/seed_wire FOLDER" writes the seeds anew when schemas have changed.
EXTRA_PROGRAMS += fuzz/seed_wire
fuzz_seed_wire_SOURCES = fuzz/seed_wire.c tests/core/wire/random.c tests/core/wire/random.h
fuzz_seed_wire_LDADD = $(CORE_LIBS)
$(fuzz_seed_wire_OBJECTS): core/wire/messages.h

FUZZ_TARGETS += fuzz/fuzz_step
fuzz_fuzz_step_SOURCES = fuzz/fuzz.h fuzz/fuzz_step.c $(FUZZ_MAIN)
fuzz_fuzz_step_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_step_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(fuzz_fuzz_step_OBJECTS): core/wire/messages.h
EXTRA_DIST += fuzz/corpus/step

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
fuzz_fuzz_flight_SOURCES = fuzz/fuzz.h fuzz/fuzz_flight.c $(FUZZ_MAIN)
fuzz_fuzz_flight_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_fuzz_flight_LDADD = libsim.a $(CORE_LIBS)
EXTRA_DIST += fuzz/corpus/flight

if ENABLE_FUZZ
FUZZ_MAIN =
noinst_PROGRAMS += $(FUZZ_TARGETS)

fuzz: $(FUZZ_TARGETS)
	srcdir='$(srcdir)' $(SHELL) $(srcdir)/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_JOBS) \
	    $(FUZZ_TARGETS:%=./%)
else
FUZZ_MAIN = fuzz/replay.c
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)

fuzz:
	@echo "Fuzzing needs a build folder of its own: ../configure --enable-fuzz CC=clang" >&2; false
endif
