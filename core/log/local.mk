# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/log/checkpoint.h \
	core/log/epochs.h \
	core/log/folder.h \
	core/log/index.h \
	core/log/log.h \
	core/log/producers.h
