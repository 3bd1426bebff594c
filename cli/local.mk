# SPDX-License-Identifier: Apache-2.0
# All but main(), so that tests can link it.
noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
	cli/cmd.h \
	cli/logger.c \
	cli/logger.h \
	cli/loop.c \
	cli/loop.h \
	cli/notify.c \
	cli/notify.h \
	cli/options.c \
	cli/options.h \
	cli/properties.c \
	cli/properties.h \
	cli/settings.c \
	cli/settings.h

bin_PROGRAMS += chronik
chronik_SOURCES = \
	cli/main.c
chronik_LDADD = libcli.a libnet.a libdisk.a $(CORE_LIBS) -lpthread
