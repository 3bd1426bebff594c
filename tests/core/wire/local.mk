# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_wire
tests_check_wire_SOURCES = \
	tests/core/wire/hex.h \
	tests/core/wire/random.c \
	tests/core/wire/random.h \
	tests/core/wire/test_api.c \
	tests/core/wire/test_encode.c \
	tests/core/wire/test_error.c \
	tests/core/wire/test_golden.c \
	tests/core/wire/test_hostile.c \
	tests/core/wire/test_kafka_answers.c \
	tests/core/wire/test_print.c \
	tests/core/wire/test_round_trip.c
nodist_tests_check_wire_SOURCES = \
	tests/core/wire/sample.c \
	tests/core/wire/sample.h
tests_check_wire_CFLAGS = $(TEST_CFLAGS)
tests_check_wire_LDADD = $(TEST_LIBS) $(CORE_LIBS)

# A schema of our own, with every type in every place.
EXTRA_DIST += tests/core/wire/sample.kp
tests/core/wire/sample.c: tests/core/wire/sample.kp tools/wiregen
	$(AM_V_GEN)$(MKDIR_P) tests/core/wire && \
	tools/wiregen tests/core/wire/sample $(srcdir)/tests/core/wire/sample.kp
tests/core/wire/sample.h: tests/core/wire/sample.c
	@test -f $@ || { rm -f tests/core/wire/sample.c && $(MAKE) tests/core/wire/sample.c; }
CLEANFILES += tests/core/wire/sample.c tests/core/wire/sample.h
$(tests_check_wire_OBJECTS): core/wire/messages.h tests/core/wire/sample.h

SCRIPT_TESTS += tests/core/wire/wiregen.sh
tests/core/wire/wiregen.log: tools/wiregen
