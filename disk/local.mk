# SPDX-License-Identifier: Apache-2.0
libdisk_a_SOURCES += \
	disk/calls.c \
	disk/calls.h \
	disk/data_folder.c \
	disk/disk.c \
	disk/disk.h \
	disk/file.c \
	disk/files.c \
	disk/files.h \
	disk/folder.c \
	disk/pool.c \
	disk/pool.h \
	disk/remove.c \
	disk/state.h \
	disk/warm.c
