# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/log/folder.h \
	core/log/log.h
