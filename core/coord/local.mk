# SPDX-License-Identifier: Apache-2.0
# libcore_a_SOURCES += core/coord/X.c core/coord/X.h
