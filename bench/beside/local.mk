# SPDX-License-Identifier: Apache-2.0
noinst_PROGRAMS += bench/beside/beside
bench_beside_beside_SOURCES = bench/beside/main.c
bench_beside_beside_LDADD = libcli.a $(CORE_LIBS)
