# SPDX-License-Identifier: Apache-2.0
# Power loss of the real broker, and of three: tests/power/power.py and cluster.py tell how.

# Preloaded into a broker, sanitized or not: as plain as can be.
check_PROGRAMS += tests/calls.so
tests_calls_so_SOURCES = \
	tests/power/calls.c \
	tests/power/calls.h
tests_calls_so_CPPFLAGS = -I$(top_srcdir) -U_FORTIFY_SOURCE
tests_calls_so_CFLAGS = $(STANDARD_CFLAGS) $(WARNING_CFLAGS) -fPIC
tests_calls_so_LDFLAGS = -shared

SCRIPT_TESTS += tests/power/power.sh
dist_check_SCRIPTS += tests/power/cluster.sh
EXTRA_DIST += tests/power/cluster.py tests/power/cluster_judge.py tests/power/cluster_load.py \
	tests/power/cluster_promises.py
EXTRA_DIST += tests/power/calls.py tests/power/files.py tests/power/judge.py \
	tests/power/load.py tests/power/power.py tests/power/promises.py tests/power/wire.py \
	tests/power/missing.sh tests/power/missing.list

# 10,000 images.
check-power: chronik tests/calls.so
	CHRONIK_POWER_IMAGES="$${CHRONIK_POWER_IMAGES-10000}" $(SHELL) $(srcdir)/tests/power/power.sh

# The same of three brokers at once, by 1,000 images.
check-power-cluster: chronik tests/calls.so
	CHRONIK_POWER_IMAGES="$${CHRONIK_POWER_IMAGES-1000}" $(SHELL) $(srcdir)/tests/power/cluster.sh

# That builds which lack one sync fail.
check-power-missing: tests/calls.so
	CC='$(CC)' srcdir='$(srcdir)' $(SHELL) $(srcdir)/tests/power/missing.sh
.PHONY: check-power check-power-cluster check-power-missing
