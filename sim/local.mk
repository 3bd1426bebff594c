# SPDX-License-Identifier: Apache-2.0
# The simulated world: core-like code that needs no library. What tests use of it is here too.
noinst_LIBRARIES += libsim.a
libsim_a_SOURCES = \
	sim/effect_digest.c \
	sim/effect_digest.h \
	sim/file_node.c \
	sim/file_node.h \
	sim/files.c \
	sim/files.h \
	sim/files_power.c \
	sim/memory.c \
	sim/memory.h
