# SPDX-License-Identifier: Apache-2.0
# libcore_a_SOURCES += core/records/X.c core/records/X.h
