/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files read and written as a whole: checkpoints, snapshots, indexes, partition.metadata.
 * Each call is a job of several effects, each asked for after the one before it completed.
 */
#ifndef CORE_LOG_FILE_H
#define CORE_LOG_FILE_H

#include "core/io.h"

struct file_job;

/* How a job ended; `bytes` (of a file that was read) are borrowed for the call. */
typedef void file_done(void *context, int error, struct span bytes);

/* Reads the file at `path` of data folder `folder`, which is copied. ERR_NOT_FOUND, ERR_IO,
 * ERR_MALFORMED for one longer than `limit_bytes`, ERR_LIMIT for now without a descriptor or within
 * the budget for reads. */
struct file_job *file_get(struct io *io, uint32_t folder, struct span path, uint64_t limit_bytes,
                          file_done *done, void *context);

enum file_put_mode {
    FILE_REPLACE,  /* written beside, synced, renamed into place: all or nothing */
    FILE_IN_PLACE, /* for a file that is of no use before the job ended, or checks itself */
};

/* Writes `bytes` (copied) from `offset` on (0 with FILE_REPLACE) as the end of the file at `path`,
 * and syncs it. Its folder's entry is durable only after a sync of the folder, which is not done
 * here. */
struct file_job *file_put(struct io *io, uint32_t folder, struct span path, enum file_put_mode mode,
                          uint64_t offset, struct span bytes, file_done *done, void *context);

/* `done` will not be called; the job still runs to its end. NULL is a no-op. */
void file_forget(struct file_job *job);

#endif
