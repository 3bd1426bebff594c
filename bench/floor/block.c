/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "bench/floor/pieces.h"

#define ZEROS_BYTES (1 << 16)

/* Fills the file, so that all its pages are there. Returns 0 or an errno. */
static int fill(struct block *block)
{
    static const uint8_t zeros[ZEROS_BYTES];
    for (uint64_t at = 0; at < block->bytes;) {
        const uint64_t left = block->bytes - at;
        const ssize_t done =
            pwrite(block->file, zeros, left < ZEROS_BYTES ? left : ZEROS_BYTES, (off_t)at);
        if (done < 0 && errno != EINTR)
            return errno;
        at += done > 0 ? (uint64_t)done : 0;
    }
    return 0;
}

int block_open(struct block *block, int folder, const char *name, uint64_t bytes, bool durable)
{
    *block = (struct block){.bytes = bytes, .durable = durable};
    block->file = openat(folder, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (block->file < 0)
        return errno;
    const int error = durable ? posix_fallocate(block->file, 0, (off_t)bytes) : fill(block);
    /* What making it costs is nobody's who is measured. */
    return error != 0 ? error : block_sync(block);
}

void block_close(struct block *block)
{
    if (block->file >= 0)
        close(block->file);
    block->file = -1;
}

int block_write(struct block *block, uint64_t position, struct iovec *pieces, int count)
{
    /* Where that cannot be had (tmpfs), what was written is written over. */
    if (position == 0 && block->used && block->durable &&
        fallocate(block->file, FALLOC_FL_ZERO_RANGE, 0, (off_t)block->bytes) != 0 &&
        errno != EOPNOTSUPP)
        return errno;
    block->used = true;
    while (count > 0) {
        const ssize_t done = pwritev(block->file, pieces, count, (off_t)position);
        if (done < 0 && errno != EINTR)
            return errno;
        const size_t written = done > 0 ? (size_t)done : 0;
        position += written;
        pieces_skip(&pieces, &count, written);
    }
    return 0;
}

int block_sync(struct block *block)
{
    return fdatasync(block->file) == 0 ? 0 : errno;
}
