# SPDX-License-Identifier: Apache-2.0
# Instructions for each request, compared with those of another commit: gate.py tells how. Not
# installed.
noinst_PROGRAMS += bench/instructions/tape
bench_instructions_tape_SOURCES = \
	bench/instructions/arms.h \
	bench/instructions/arms_fetch.c \
	bench/instructions/arms_other.c \
	bench/instructions/arms_produce.c \
	bench/instructions/main.c \
	bench/instructions/rig.c \
	bench/instructions/rig.h
bench_instructions_tape_LDADD = tests/libworld.a libsim.a $(CORE_LIBS)
$(bench_instructions_tape_OBJECTS): core/wire/messages.h
EXTRA_DIST += bench/instructions/base.py bench/instructions/gate.py

.PHONY: bench-instructions
bench-instructions: bench/instructions/tape
	INSTRUMENTED='$(INSTRUMENTED)' PYTHONDONTWRITEBYTECODE=1 \
	python3 $(srcdir)/bench/instructions/gate.py $(srcdir)
