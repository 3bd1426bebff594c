# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/log/checkpoint.c \
	core/log/checkpoint.h \
	core/log/epochs.c \
	core/log/epochs.h \
	core/log/folder.h \
	core/log/index.c \
	core/log/index.h \
	core/log/lines.c \
	core/log/lines.h \
	core/log/log.h \
	core/log/producers.c \
	core/log/producers.h
