# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/trace/digest.c \
	core/trace/digest.h \
	core/trace/fields.h \
	core/trace/header.c \
	core/trace/header.h \
	core/trace/pending.c \
	core/trace/pending.h \
	core/trace/record.c \
	core/trace/record.h
