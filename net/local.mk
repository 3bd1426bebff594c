# SPDX-License-Identifier: Apache-2.0
libnet_a_SOURCES += \
	net/address.c \
	net/address.h \
	net/calls.c \
	net/calls.h \
	net/connect.c \
	net/connection.c \
	net/listen.c \
	net/net.c \
	net/net.h \
	net/resolver.c \
	net/resolver.h \
	net/send.c \
	net/state.h
