# SPDX-License-Identifier: Apache-2.0
# What is measured, as opposed to tested: nothing here passes or fails but what was lost.

EXTRA_DIST += bench/arms.py bench/beside.py bench/cluster.json bench/compare.py \
	bench/connection.py bench/failover.py bench/kafka_cluster.py bench/load.json \
	bench/nodes.py bench/record.py bench/report.py bench/retention.py bench/sim.py \
	bench/start.py bench/syscalls.py bench/systems.py bench/topics.py

.PHONY: bench-compare bench-failover bench-record bench-records bench-sim bench-start bench-topics
bench-start: chronik
	CHRONIK=./chronik PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/start.py
bench-compare: chronik bench/beside/beside bench/floor/floor
	CHRONIK=./chronik PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/compare.py
bench-failover: chronik
	CHRONIK=./chronik PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/failover.py
bench-record: chronik
	CHRONIK=./chronik PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/record.py
bench-sim: chronik-sim
	CHRONIK_SIM=./chronik-sim PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/sim.py
bench-topics: chronik
	CHRONIK=./chronik PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/topics.py

# What record batches cost to judge.
noinst_PROGRAMS += bench/records
bench_records_SOURCES = bench/records.c
bench_records_LDADD = $(CORE_LIBS)
bench-records: bench/records
	bench/records

# Debian's, which has the client library.
PYTHON_WITH_CLIENTS = /usr/bin/python3
