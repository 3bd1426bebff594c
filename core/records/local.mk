# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/records/batch.c \
	core/records/batch.h \
	core/records/builder.c \
	core/records/builder.h \
	core/records/codec.h \
	core/records/record.c \
	core/records/record.h \
	core/records/validate.c \
	core/records/validate.h \
	core/records/varint.c \
	core/records/varint.h
