/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/calls.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The C library's openat is variadic, which a pointer of a fixed type may not call. */
static int call_openat(int folder, const char *path, int flags, mode_t mode)
{
    return openat(folder, path, flags, mode);
}

static int call_lock(int fd, struct flock *lock)
{
    return fcntl(fd, F_OFD_SETLK, lock);
}

const struct disk_calls disk_calls_system = {
    .openat = call_openat,
    .close = close,
    .pwritev = pwritev,
    .preadv2 = preadv2,
    .readahead = readahead,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .ftruncate = ftruncate,
    .fallocate = fallocate,
    .fstatat = fstatat,
    .mkdirat = mkdirat,
    .renameat = renameat,
    .unlinkat = unlinkat,
    .readlinkat = readlinkat,
    .lock = call_lock,
    .fdopendir = fdopendir,
    .readdir = readdir,
    .closedir = closedir,
    .eventfd = eventfd,
    .read = read,
    .write = write,
};
