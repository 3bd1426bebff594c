# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/conf/conf.h \
	core/conf/keys.def \
	core/conf/keys.h \
	core/conf/topic_conf.h
