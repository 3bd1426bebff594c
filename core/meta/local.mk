# SPDX-License-Identifier: Apache-2.0
# libcore_a_SOURCES += core/meta/X.c core/meta/X.h
