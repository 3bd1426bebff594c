# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += chronik
chronik_SOURCES = \
	cli/main.c
chronik_LDADD = libnet.a libdisk.a $(CORE_LIBS) -lpthread
