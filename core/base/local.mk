# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/base/arena.c \
	core/base/arena.h \
	core/base/buffer.c \
	core/base/buffer.h \
	core/base/check.h \
	core/base/crc32c.c \
	core/base/crc32c.h \
	core/base/endian.h \
	core/base/format.c \
	core/base/format.h \
	core/base/list.h \
	core/base/map.c \
	core/base/map.h \
	core/base/memory.c \
	core/base/memory.h \
	core/base/nearest.c \
	core/base/nearest.h \
	core/base/rng.c \
	core/base/rng.h \
	core/base/span.h \
	core/base/timer.c \
	core/base/timer.h \
	core/base/uuid.c \
	core/base/uuid.h
