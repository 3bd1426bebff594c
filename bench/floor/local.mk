# SPDX-License-Identifier: Apache-2.0
# The least that "chronik bench" can be pointed at. Not installed.
noinst_PROGRAMS += bench/floor/floor
bench_floor_floor_SOURCES = \
	bench/floor/admin.c \
	bench/floor/admin.h \
	bench/floor/block.c \
	bench/floor/block.h \
	bench/floor/data.c \
	bench/floor/data.h \
	bench/floor/floor.h \
	bench/floor/follower.c \
	bench/floor/follower.h \
	bench/floor/leader.c \
	bench/floor/leader.h \
	bench/floor/link.c \
	bench/floor/link.h \
	bench/floor/main.c \
	bench/floor/options.c \
	bench/floor/options.h \
	bench/floor/pieces.c \
	bench/floor/pieces.h \
	bench/floor/server.c \
	bench/floor/server.h \
	bench/floor/socket.c \
	bench/floor/socket.h \
	bench/floor/topics.c \
	bench/floor/topics.h \
	bench/floor/turn.c \
	bench/floor/turn.h
bench_floor_floor_LDADD = libcli.a libnet.a libdisk.a $(CORE_LIBS) -lpthread
$(bench_floor_floor_OBJECTS): core/wire/messages.h
