# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/records/batch.c \
	core/records/batch.h \
	core/records/builder.h \
	core/records/codec.h \
	core/records/record.h \
	core/records/validate.h \
	core/records/varint.h
