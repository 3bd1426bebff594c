# SPDX-License-Identifier: Apache-2.0
# libcore_a_SOURCES += core/api/X.c core/api/X.h
