# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/conf/conf.c \
	core/conf/conf.h \
	core/conf/describe.c \
	core/conf/ignored.def \
	core/conf/keys.c \
	core/conf/keys.def \
	core/conf/keys.h \
	core/conf/listeners.c \
	core/conf/listeners.h \
	core/conf/topic_conf.c \
	core/conf/topic_conf.h \
	core/conf/value.c \
	core/conf/value.h
