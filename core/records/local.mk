# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/records/batch.c \
	core/records/batch.h \
	core/records/codec.h \
	core/records/varint.h
