/* SPDX-License-Identifier: Apache-2.0 */
/* The files' table; its calls come from the loop and from the pool's threads. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/faulty/faulty.h"

#define PIECES_MAX      1024
#define PATH_BYTES_MAX  4096
#define SLOW_US_MAX     5000
#define HELD_US         1000
#define ST_BLOCKS_BYTES 512 /* the unit of st_blocks, whatever the file system's blocks are */

/* True when a harmful fault of this kind has to happen to what is at `path`, seen from `folder`. */
static bool breaks_path(enum fault_kind kind, int folder, const char *path)
{
    const char *part = faulty_control()->part;
    char link[64];
    char whole[PATH_BYTES_MAX];
    if (atomic_load(&faulty_control()->per_mille[kind]) == 0)
        return false;
    if (part[0] != '\0' && strstr(path, part) == NULL) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
        const ssize_t length = readlink(link, whole, sizeof(whole) - 1);
        if (length < 0)
            return false;
        snprintf(whole + length, sizeof(whole) - (size_t)length, "/%s", path);
        if (strstr(whole, part) == NULL)
            return false;
    }
    return faulty_happens(kind);
}

/* The same for a descriptor, with the errno that it then means. */
static bool breaks(enum fault_kind kind, int fd, int error)
{
    if (!breaks_path(kind, fd, ""))
        return false;
    errno = error;
    return true;
}

static bool is_interrupted(void)
{
    if (!faulty_happens(FAULT_INTERRUPTED))
        return false;
    errno = EINTR;
    return true;
}

/* A change of a folder's entries: they may lack blocks as well as fail. */
static bool change_breaks(int folder, const char *path)
{
    if (breaks_path(FAULT_WRITE_ERROR, folder, path))
        errno = EIO;
    else if (breaks_path(FAULT_NO_SPACE, folder, path))
        errno = ENOSPC;
    else
        return false;
    return true;
}

static int disk_openat(int folder, const char *path, int flags, mode_t mode)
{
    if (is_interrupted())
        return -1;
    if (breaks_path(FAULT_NO_OPEN, folder, path)) {
        errno = EMFILE;
        return -1;
    }
    if ((flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, 0) != 0 &&
        change_breaks(folder, path))
        return -1;
    return openat(folder, path, flags, mode);
}

/* On Linux the descriptor is gone even then. */
static int disk_close(int fd)
{
    const int result = close(fd);
    return result == 0 && is_interrupted() ? -1 : result;
}

/* How many bytes from `offset` have their blocks already, by writing or by fallocate(). */
static size_t blocks_from(int fd, off_t offset)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return 0;
    const off_t end = (off_t)status.st_blocks * ST_BLOCKS_BYTES;
    return end > offset ? (size_t)(end - offset) : 0;
}

static ssize_t disk_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    struct iovec kept[PIECES_MAX];
    const size_t length = faulty_length(pieces, count);
    size_t most = length;
    if (is_interrupted() || breaks(FAULT_WRITE_ERROR, fd, EIO))
        return -1;
    if (length > blocks_from(fd, offset) && breaks(FAULT_NO_SPACE, fd, ENOSPC)) {
        most = blocks_from(fd, offset);
        if (most == 0)
            return -1;
    } else if (length >= 2 && faulty_happens(FAULT_SHORT)) {
        most = 1 + faulty_below(length - 1);
    }
    return pwritev(fd, kept, faulty_shorten(pieces, count, most, kept), offset);
}

static ssize_t disk_preadv2(int fd, const struct iovec *pieces, int count, off_t offset, int flags)
{
    struct iovec kept[PIECES_MAX];
    size_t length = faulty_length(pieces, count);
    if (is_interrupted() || breaks(FAULT_READ_ERROR, fd, EIO))
        return -1;
    if ((flags & RWF_NOWAIT) != 0 && faulty_happens(FAULT_AGAIN)) {
        errno = EAGAIN;
        return -1;
    }
    if (length >= 2 && faulty_happens(FAULT_SHORT))
        length = 1 + faulty_below(length - 1);
    return preadv2(fd, kept, faulty_shorten(pieces, count, length, kept), offset, flags);
}

static ssize_t disk_readahead(int fd, off_t offset, size_t length)
{
    return is_interrupted() ? -1 : readahead(fd, offset, length);
}

static bool sync_breaks(int fd)
{
    if (faulty_happens(FAULT_SLOW))
        usleep((useconds_t)faulty_below(SLOW_US_MAX));
    return is_interrupted() || breaks(FAULT_SYNC_ERROR, fd, EIO);
}

static int disk_fdatasync(int fd)
{
    while (faulty_happens(FAULT_HELD))
        usleep(HELD_US);
    return sync_breaks(fd) ? -1 : fdatasync(fd);
}

static int disk_fsync(int fd)
{
    return sync_breaks(fd) ? -1 : fsync(fd);
}

static int disk_ftruncate(int fd, off_t length)
{
    return is_interrupted() || breaks(FAULT_WRITE_ERROR, fd, EIO) ? -1 : ftruncate(fd, length);
}

static int disk_fallocate(int fd, int mode, off_t offset, off_t length)
{
    if (is_interrupted() || breaks(FAULT_WRITE_ERROR, fd, EIO) ||
        breaks(FAULT_NO_SPACE, fd, ENOSPC))
        return -1;
    return fallocate(fd, mode, offset, length);
}

static int disk_fstatat(int folder, const char *path, struct stat *ret_stat, int flags)
{
    if (breaks_path(FAULT_READ_ERROR, folder, path)) {
        errno = EIO;
        return -1;
    }
    return fstatat(folder, path, ret_stat, flags);
}

static int disk_mkdirat(int folder, const char *path, mode_t mode)
{
    if (faccessat(folder, path, F_OK, 0) != 0 && change_breaks(folder, path))
        return -1;
    return mkdirat(folder, path, mode);
}

static int disk_renameat(int folder, const char *path, int folder_to, const char *path_to)
{
    return change_breaks(folder, path) ? -1 : renameat(folder, path, folder_to, path_to);
}

/* Needs no blocks. */
static int disk_unlinkat(int folder, const char *path, int flags)
{
    if (breaks_path(FAULT_WRITE_ERROR, folder, path)) {
        errno = EIO;
        return -1;
    }
    return unlinkat(folder, path, flags);
}

static int disk_lock(int fd, struct flock *lock)
{
    return fcntl(fd, F_OFD_SETLK, lock);
}

static struct dirent *disk_readdir(DIR *stream)
{
    return breaks(FAULT_READ_ERROR, dirfd(stream), EIO) ? NULL : readdir(stream);
}

static ssize_t disk_wake_read(int fd, void *data, size_t length)
{
    return is_interrupted() ? -1 : read(fd, data, length);
}

static ssize_t disk_wake_write(int fd, const void *data, size_t length)
{
    return is_interrupted() ? -1 : write(fd, data, length);
}

const struct disk_calls faulty_disk_calls = {
    .openat = disk_openat,
    .close = disk_close,
    .pwritev = disk_pwritev,
    .preadv2 = disk_preadv2,
    .readahead = disk_readahead,
    .fdatasync = disk_fdatasync,
    .fsync = disk_fsync,
    .ftruncate = disk_ftruncate,
    .fallocate = disk_fallocate,
    .fstatat = disk_fstatat,
    .mkdirat = disk_mkdirat,
    .renameat = disk_renameat,
    .unlinkat = disk_unlinkat,
    .readlinkat = readlinkat,
    .lock = disk_lock,
    .fdopendir = fdopendir,
    .readdir = disk_readdir,
    .closedir = closedir,
    .eventfd = eventfd,
    .read = disk_wake_read,
    .write = disk_wake_write,
};
