/* SPDX-License-Identifier: Apache-2.0 */
/* Every system call that disk/ makes, in one table, so that a test can make each of them fail.
 * tests/driver-calls.sh finds one that goes past it. */
#ifndef DISK_CALLS_H
#define DISK_CALLS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
    ssize_t (*readlinkat)(int folder, const char *path, char *ret_target, size_t length);
    int (*lock)(int fd, struct flock *lock); /* fcntl() with F_OFD_SETLK */

    /* A folder's entries. */
    DIR *(*fdopendir)(int fd);
    struct dirent *(*readdir)(DIR *stream);
    int (*closedir)(DIR *stream);

    /* What wakes the loop. */
    int (*eventfd)(unsigned start, int flags);
    ssize_t (*read)(int fd, void *data, size_t length);
    ssize_t (*write)(int fd, const void *data, size_t length);
};

/* The real ones. */
extern const struct disk_calls disk_calls_system;

/* Opens, and goes on when it was interrupted. */
static inline int calls_openat(const struct disk_calls *calls, int folder, const char *path,
                               int flags, mode_t mode)
{
    int fd;
    do {
        fd = calls->openat(folder, path, flags, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Syncs with fsync(), and goes on when it was interrupted. */
static inline int calls_fsync(const struct disk_calls *calls, int fd)
{
    int result;
    do {
        result = calls->fsync(fd);
    } while (result != 0 && errno == EINTR);
    return result;
}

#endif
