# SPDX-License-Identifier: Apache-2.0
# libcore_a_SOURCES += core/wire/X.c core/wire/X.h
