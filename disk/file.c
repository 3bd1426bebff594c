/* SPDX-License-Identifier: Apache-2.0 */
/* Effects on files: opening, reading, writing, syncing. */
#include <errno.h>
#include <limits.h>
#include <linux/falloc.h>
#include <sys/uio.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "disk/state.h"

#define FILE_MODE 0644

/* Pieces handed to the system at a time; the system's own limit is UIO_MAXIOV, 1024. */
#define WRITE_PIECES_MAX 256

static struct file *file_of(const struct disk *disk, uint64_t number)
{
    struct file *file = files_find(&disk->files, number);
    CHECK(file != NULL && file->close_effect == 0);
    return file;
}

static int open_flags(enum open_mode mode)
{
    switch (mode) {
    case OPEN_READ:
        return O_RDONLY;
    case OPEN_EXISTING:
        return O_RDWR;
    case OPEN_CREATE:
        return O_RDWR | O_CREAT;
    case OPEN_CREATE_NEW:
        return O_RDWR | O_CREAT | O_EXCL;
    }
    abort();
}

/* Opens and measures. Returns 0 or an errno. */
static int open_file(const struct disk *disk, const struct effect *effect, int *ret_fd,
                     uint64_t *ret_size_bytes)
{
    const struct disk_calls *calls = disk->options.calls;
    struct path path;
    const int error = disk_path(effect->open.path, &path);
    if (error != 0)
        return error;
    const int folder = disk_folder(disk, effect->open.folder)->fd;
    const int flags = open_flags(effect->open.mode) | O_CLOEXEC;
    const int fd = calls_openat(calls, folder, path.text, flags, FILE_MODE);
    if (fd < 0)
        return errno;
    struct stat status;
    int problem = calls->fstatat(fd, "", &status, AT_EMPTY_PATH) == 0 ? 0 : errno;
    /* For reading, the system opens a folder too. */
    if (problem == 0 && S_ISDIR(status.st_mode))
        problem = EISDIR;
    if (problem != 0) {
        calls->close(fd);
        return problem;
    }
    *ret_fd = fd;
    *ret_size_bytes = (uint64_t)status.st_size;
    return 0;
}

void disk_open(struct disk *disk, const struct effect *effect)
{
    CHECK(files_find(&disk->files, effect->open.file) == NULL);
    int fd = -1;
    uint64_t size_bytes = 0;
    int error = open_file(disk, effect, &fd, &size_bytes);
    if (error == 0 && files_add(&disk->files, effect->open.file, fd) == NULL) {
        disk->options.calls->close(fd);
        error = ENOMEM;
    }
    if (error != 0) {
        disk_report_path(disk, "open", effect->open.folder, effect->open.path, error);
        disk_complete(disk, effect->id, error, 0);
        return;
    }
    disk_complete(disk, effect->id, 0, size_bytes);
}

int disk_forget_file(struct disk *disk, struct file *file)
{
    /* On Linux the descriptor is gone even when close() was interrupted: never a second try. */
    const int closed = disk->options.calls->close(file->fd);
    const int error = closed == 0 || errno == EINTR ? 0 : errno;
    files_remove(&disk->files, file);
    return error;
}

void disk_close_file(struct disk *disk, const struct effect *effect)
{
    struct file *file = file_of(disk, effect->file);
    if (file->jobs > 0) {
        file->close_effect = effect->id;
        return;
    }
    disk_complete(disk, effect->id, disk_forget_file(disk, file), 0);
}

/* Reads on from `*count` until all is there, the file ends, or the system says no (an errno). */
static int read_on(const struct disk_calls *calls, int fd, const struct effect *effect, int flags,
                   uint64_t *count)
{
    while (*count < effect->read.length) {
        const struct iovec rest = {
            .iov_base = effect->read.data + *count,
            .iov_len = effect->read.length - *count,
        };
        const off_t offset = (off_t)(effect->read.offset + *count);
        const ssize_t got = calls->preadv2(fd, &rest, 1, offset, flags);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        *count += (uint64_t)got;
    }
    return 0;
}

static void run_read(struct job *job)
{
    struct disk_job *own = container_of(job, struct disk_job, job);
    own->call = "read";
    own->error = read_on(own->disk->options.calls, own->fd, &own->effect, 0, &own->count);
}

void disk_read(struct disk *disk, const struct effect *effect)
{
    struct file *file = file_of(disk, effect->read.file);
    uint64_t count = 0;
    const int error = read_on(disk->options.calls, file->fd, effect, RWF_NOWAIT, &count);
    /* Not in the page cache, or a file system that cannot tell. */
    if (error == EAGAIN || error == EOPNOTSUPP) {
        disk_submit(disk, effect, file, file->fd, run_read);
        return;
    }
    if (error != 0)
        disk_report_fd(disk, "read", file->fd, error);
    disk_complete(disk, effect->id, error, count);
}

/* Where a gathered write stands. */
struct write_place {
    uint32_t piece;
    size_t within; /* bytes of that piece that are done */
};

static void write_advance(const struct effect *effect, struct write_place *place, size_t length)
{
    while (place->piece < effect->write.pieces_count) {
        const size_t left = effect->write.pieces[place->piece].length - place->within;
        if (length < left) {
            place->within += length;
            return;
        }
        length -= left;
        place->piece++;
        place->within = 0;
    }
    CHECK(length == 0);
}

static int write_gather(const struct effect *effect, const struct write_place *place,
                        struct iovec *pieces)
{
    size_t within = place->within;
    int count = 0;
    for (uint32_t i = place->piece; i < effect->write.pieces_count && count < WRITE_PIECES_MAX;
         i++) {
        const struct piece *piece = &effect->write.pieces[i];
        CHECK(piece->data != NULL || piece->length == 0);
        pieces[count++] = (struct iovec){
            /* An empty piece may have no address to count from. */
            .iov_base = (void *)(uintptr_t)(within > 0 ? piece->data + within : piece->data),
            .iov_len = piece->length - within,
        };
        within = 0;
    }
    return count;
}

/* Writes all pieces. Returns 0 or an errno, after `*ret_count` bytes in either case. */
static int write_all(const struct disk_calls *calls, int fd, const struct effect *effect,
                     uint64_t *ret_count)
{
    struct write_place place = {0};
    uint64_t count = 0;
    int error = 0;
    write_advance(effect, &place, 0);
    while (place.piece < effect->write.pieces_count) {
        struct iovec pieces[WRITE_PIECES_MAX];
        const int pieces_count = write_gather(effect, &place, pieces);
        const off_t offset = (off_t)(effect->write.offset + count);
        const ssize_t put = calls->pwritev(fd, pieces, pieces_count, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            /* A write of nothing, without a reason, would be repeated for ever. */
            error = put < 0 ? errno : EIO;
            break;
        }
        count += (uint64_t)put;
        write_advance(effect, &place, (size_t)put);
    }
    *ret_count = count;
    return error;
}

void disk_write(struct disk *disk, const struct effect *effect)
{
    struct file *file = file_of(disk, effect->write.file);
    uint64_t count;
    const int error = write_all(disk->options.calls, file->fd, effect, &count);
    file->written_end = effect->write.offset + count;
    if (error != 0)
        disk_report_fd(disk, "write", file->fd, error);
    disk_complete(disk, effect->id, error, count);
}

static void run_sync(struct job *job)
{
    struct disk_job *own = container_of(job, struct disk_job, job);
    own->call = "fdatasync";
    int result;
    do {
        result = own->disk->options.calls->fdatasync(own->fd);
    } while (result != 0 && errno == EINTR);
    own->error = result == 0 ? 0 : errno;
}

void disk_sync(struct disk *disk, const struct effect *effect)
{
    struct file *file = file_of(disk, effect->file);
    disk_submit(disk, effect, file, file->fd, run_sync);
}

void disk_truncate(struct disk *disk, const struct effect *effect)
{
    const struct file *file = file_of(disk, effect->range.file);
    int result;
    do {
        result = disk->options.calls->ftruncate(file->fd, (off_t)effect->range.offset);
    } while (result != 0 && errno == EINTR);
    const int error = result == 0 ? 0 : errno;
    if (error != 0)
        disk_report_fd(disk, "truncate", file->fd, error);
    disk_complete(disk, effect->id, error, 0);
}

void disk_reserve(struct disk *disk, const struct effect *effect)
{
    const struct file *file = file_of(disk, effect->range.file);
    int result;
    do {
        result = disk->options.calls->fallocate(file->fd, FALLOC_FL_KEEP_SIZE,
                                                (off_t)effect->range.offset,
                                                (off_t)effect->range.length);
    } while (result != 0 && errno == EINTR);
    const int error = result == 0 ? 0 : errno;
    /* A file system that cannot reserve is nothing to report: the core writes without. */
    if (error != 0 && error != EOPNOTSUPP)
        disk_report_fd(disk, "reserve", file->fd, error);
    disk_complete(disk, effect->id, error, 0);
}
