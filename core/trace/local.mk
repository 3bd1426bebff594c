# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/trace/digest.c \
	core/trace/digest.h
