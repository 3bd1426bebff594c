/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping sendfile off the device: it would wait on the loop's thread for pages that are not
 * cached. A consumer that reads what was just written never comes here but for one comparison.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "disk/state.h"

/* Bytes before the end of the last write that are taken for cached without asking the system. */
#define WARM_TAIL_BYTES ((uint64_t)16 * 1024 * 1024)

/* One byte is read for each of these: what lies between comes along by the system's own reading
 * ahead, or a thread waits for it. */
#define WARM_STEP_BYTES ((uint64_t)64 * 1024)

struct warm_job {
    struct job job;
    struct disk *disk;
    struct file *file;
    int fd;
    uint64_t offset;
    size_t length;
    uint64_t token;
};

/* Reads one byte. Returns 0 or an errno. */
static int touch(const struct disk_calls *calls, int fd, uint64_t offset, int flags)
{
    uint8_t byte;
    const struct iovec piece = {.iov_base = &byte, .iov_len = sizeof(byte)};
    ssize_t got;
    do {
        got = calls->preadv2(fd, &piece, 1, (off_t)offset, flags);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? errno : 0;
}

bool disk_is_warm(const struct disk *disk, uint64_t number, uint64_t offset, size_t length)
{
    const struct file *file = files_find(&disk->files, number);
    CHECK(file != NULL && length > 0);
    const uint64_t end = offset + length;
    if (end <= file->written_end && file->written_end - offset <= WARM_TAIL_BYTES)
        return true;
    /* The last byte speaks for all: what is read is read from the front. Any other error than
     * "not cached" is sendfile's to find. */
    return touch(disk->options.calls, file->fd, end - 1, RWF_NOWAIT) != EAGAIN;
}

static void run_warm(struct job *job)
{
    const struct warm_job *own = container_of(job, struct warm_job, job);
    const struct disk_calls *calls = own->disk->options.calls;
    const uint64_t end = own->offset + own->length;
    /* A range that cannot be read is sendfile's to find, too. */
    calls->readahead(own->fd, (off_t)own->offset, own->length);
    for (uint64_t offset = own->offset; offset < end; offset += WARM_STEP_BYTES)
        touch(calls, own->fd, offset, 0);
    touch(calls, own->fd, end - 1, 0);
}

static void warm_done(struct job *job)
{
    struct warm_job *own = container_of(job, struct warm_job, job);
    own->disk->options.warmed(own->disk->options.context, own->token);
    disk_file_release(own->disk, own->file);
    free(own);
}

bool disk_warm(struct disk *disk, uint64_t number, uint64_t offset, size_t length, uint64_t token)
{
    struct file *file = files_find(&disk->files, number);
    CHECK(file != NULL && length > 0);
    struct warm_job *own = calloc(1, sizeof(*own));
    if (own == NULL)
        return false;
    own->job.run = run_warm;
    own->job.done = warm_done;
    own->disk = disk;
    own->file = file;
    own->fd = file->fd;
    own->offset = offset;
    own->length = length;
    own->token = token;
    file->jobs++;
    pool_submit(disk->pool, &own->job);
    return true;
}
