# SPDX-License-Identifier: Apache-2.0
# libcore_a_SOURCES += core/conf/X.c core/conf/X.h
