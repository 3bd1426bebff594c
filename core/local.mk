# SPDX-License-Identifier: Apache-2.0
# The door of the core itself; each folder below has its own fragment.
libcore_a_SOURCES += \
	core/broker.h \
	core/effect.c \
	core/effect.h \
	core/event.h \
	core/io.c \
	core/io.h \
	core/partition.h \
	core/request.h
