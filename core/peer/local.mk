# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/peer/frames.c \
	core/peer/frames.h \
	core/peer/inbound.c \
	core/peer/inbound.h \
	core/peer/message.h \
	core/peer/outbound.c \
	core/peer/outbound.h \
	core/peer/outbound_send.c \
	core/peer/peers.c \
	core/peer/peers.h \
	core/peer/state.h
