# SPDX-License-Identifier: Apache-2.0
# libnet_a_SOURCES += net/X.c net/X.h
