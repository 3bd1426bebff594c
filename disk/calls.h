/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that disk/ makes, in one table, so that a test can make each of them fail. */
#ifndef DISK_CALLS_H
#define DISK_CALLS_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

struct disk_calls {
    int (*openat)(int folder, const char *path, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*pwritev)(int fd, const struct iovec *pieces, int count, off_t offset);
    ssize_t (*preadv2)(int fd, const struct iovec *pieces, int count, off_t offset, int flags);
    ssize_t (*readahead)(int fd, off_t offset, size_t length);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t length);
    int (*fallocate)(int fd, int mode, off_t offset, off_t length);
    int (*fstatat)(int folder, const char *path, struct stat *ret_stat, int flags);
    int (*mkdirat)(int folder, const char *path, mode_t mode);
    int (*renameat)(int folder, const char *path, int folder_to, const char *path_to);
    int (*unlinkat)(int folder, const char *path, int flags);
};

/* The real ones. */
extern const struct disk_calls disk_calls_system;

#endif
