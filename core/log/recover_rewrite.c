/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the tail of a log again before it is synced.
 *
 * When a sync fails, the kernel takes the pages for clean: a process that starts later reads them
 * as they should be, and its syncs succeed without writing them, though they never reached the
 * device (Rebello and others, Can Applications Recover from fsync Failures?, ATC 2020). Whether the
 * process before met a failed sync is not known, so what no checkpoint has proven is written once
 * more: at most FOLDER_UNSETTLED_BYTES_MAX a data folder.
 */
#include "core/log/recover.h"

#define REWRITE_BYTES ((uint32_t)1024 * 1024)

static void rewrite_next(struct log *log);

static void rewrite_end(struct log *log, const char *failed)
{
    struct recovery *recovery = log->recovery;
    buffer_release(recovery->rewrite);
    recovery->rewrite = NULL;
    if (failed != NULL) {
        segment_release(log->segments[recovery->syncing]);
        recover_folder_failed(log, failed);
    } else {
        recover_sync(log);
    }
}

static void written_again(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    if (completion->error != ERR_NONE) {
        rewrite_end(recovery->log, "cannot write a segment's tail again in");
        return;
    }
    recovery->rewrite_position += recovery->rewrite_piece.length;
    rewrite_next(recovery->log);
}

static void read_again(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    struct piece *piece = &recovery->rewrite_piece;
    if (completion->error != ERR_NONE || completion->count < piece->length) {
        rewrite_end(log, "cannot read a segment's tail again in");
        return;
    }
    io_write(log->io, &recovery->op, written_again, log->segments[recovery->syncing]->file,
             recovery->rewrite_position, piece, 1);
}

static void rewrite_next(struct log *log)
{
    struct recovery *recovery = log->recovery;
    const struct segment *segment = log->segments[recovery->syncing];
    const uint64_t left = segment->size_bytes - recovery->rewrite_position;
    if (left == 0) {
        rewrite_end(log, NULL);
        return;
    }
    if (recovery->rewrite == NULL)
        recovery->rewrite = buffer_new(log->io->memory, MEMORY_READ,
                                       left < REWRITE_BYTES ? (uint32_t)left : REWRITE_BYTES);
    if (recovery->rewrite == NULL) {
        segment_release(log->segments[recovery->syncing]);
        recover_refuse(log, "there is not enough memory to write its tail again",
                       log->segments[recovery->syncing], recovery->rewrite_position);
        return;
    }
    const uint32_t room = recovery->rewrite->capacity;
    recovery->rewrite_piece = (struct piece){.data = recovery->rewrite->data,
                                             .length = left < room ? (size_t)left : room};
    io_read(log->io, &recovery->op, read_again, segment->file, recovery->rewrite_position,
            recovery->rewrite->data, recovery->rewrite_piece.length);
}

void recover_rewrite(struct log *log)
{
    struct recovery *recovery = log->recovery;
    const struct segment *segment = log->segments[recovery->syncing];
    recovery->rewrite_position =
        recovery->syncing == recovery->tail_segment ? recovery->tail_position : 0;
    /* A process that cuts its own log after a failed write knows that no sync of it failed. */
    if (recovery->rewinding || !recovery->has_tail || recovery->tail_segment > recovery->syncing)
        recovery->rewrite_position = segment->size_bytes;
    rewrite_next(log);
}
