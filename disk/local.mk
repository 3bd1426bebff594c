# SPDX-License-Identifier: Apache-2.0
# libdisk_a_SOURCES += disk/X.c disk/X.h
