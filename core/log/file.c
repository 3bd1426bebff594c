/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/file.h"

#include "core/base/buffer.h"
#include "core/base/check.h"
#include "core/wire/error.h"

struct file_job {
    struct io *io;
    struct op op;
    uint32_t folder;
    uint64_t file;
    file_done *done; /* NULL: forgotten */
    void *context;
    int error;
    enum file_put_mode mode;
    uint64_t limit_bytes;  /* reading */
    struct buffer *buffer; /* reading */
    uint64_t offset;       /* writing */
    struct piece piece;    /* writing: its bytes lie behind the paths */
    size_t size;           /* of this allocation */
    struct span path;
    struct span path_written; /* `path`, or the one beside it */
    uint8_t text[];
};

static struct file_job *job_new(struct io *io, uint32_t folder, struct span path, struct span bytes,
                                file_done *done, void *context)
{
    const struct span beside = SPAN(".tmp");
    const size_t paths = path.length + path.length + beside.length;
    const size_t size = sizeof(struct file_job) + paths + bytes.length;
    struct file_job *job = memory_take(io->memory, MEMORY_STATE, size);
    uint8_t *at = job->text;
    job->io = io;
    job->folder = folder;
    job->done = done;
    job->context = context;
    job->size = size;
    job->path = span_of(at, path.length);
    memcpy(at, path.data, path.length);
    at += path.length;
    job->path_written = span_of(at, path.length + beside.length);
    memcpy(at, path.data, path.length);
    memcpy(at + path.length, beside.data, beside.length);
    at += path.length + beside.length;
    job->piece = (struct piece){.data = at, .length = bytes.length};
    if (bytes.length > 0)
        memcpy(at, bytes.data, bytes.length);
    return job;
}

static void job_end(struct file_job *job)
{
    struct span bytes = SPAN_NULL;
    if (job->buffer != NULL && job->error == ERR_NONE)
        bytes = span_of(job->buffer->data, job->buffer->capacity);
    if (job->done != NULL)
        job->done(job->context, job->error, bytes);
    buffer_release(job->buffer);
    memory_give(job->io->memory, MEMORY_STATE, job, job->size);
}

static void renamed(struct op *op, const struct completion *completion)
{
    struct file_job *job = container_of(op, struct file_job, op);
    job->error = completion->error;
    job_end(job);
}

static void closed(struct op *op, const struct completion *completion)
{
    struct file_job *job = container_of(op, struct file_job, op);
    (void)completion; /* what was to be known about the bytes is known by now */
    if (job->error == ERR_NONE && job->piece.data != NULL && job->mode == FILE_REPLACE)
        io_rename(job->io, op, renamed, job->folder, job->path_written, job->path);
    else
        job_end(job);
}

static void job_close(struct file_job *job, int error)
{
    job->error = error;
    io_close_file(job->io, &job->op, closed, job->file);
}

static void was_read(struct op *op, const struct completion *completion)
{
    struct file_job *job = container_of(op, struct file_job, op);
    int error = completion->error;
    if (error == ERR_NONE && completion->count < job->buffer->capacity)
        error = ERR_IO; /* it shrank while it was read */
    job_close(job, error);
}

static void opened_to_read(struct op *op, const struct completion *completion)
{
    struct file_job *job = container_of(op, struct file_job, op);
    if (completion->error != ERR_NONE) {
        job->error = completion->error;
        job_end(job);
        return;
    }
    if (completion->count > job->limit_bytes) {
        job_close(job, ERR_MALFORMED);
        return;
    }
    job->buffer = buffer_new(job->io->memory, MEMORY_READ, (uint32_t)completion->count);
    if (job->buffer == NULL)
        job_close(job, ERR_LIMIT);
    else if (completion->count == 0)
        job_close(job, ERR_NONE);
    else
        io_read(job->io, op, was_read, job->file, 0, job->buffer->data, completion->count);
}

struct file_job *file_get(struct io *io, uint32_t folder, struct span path, uint64_t limit_bytes,
                          file_done *done, void *context)
{
    CHECK(limit_bytes <= UINT32_MAX);
    struct file_job *job = job_new(io, folder, path, SPAN_NULL, done, context);
    job->piece = (struct piece){0};
    job->limit_bytes = limit_bytes;
    job->file = io_new_file(io);
    io_open(io, &job->op, opened_to_read, job->file, OPEN_READ, folder, job->path);
    return job;
}

static void was_synced(struct op *op, const struct completion *completion)
{
    job_close(container_of(op, struct file_job, op), completion->error);
}

static void was_truncated(struct op *op, const struct completion *completion)
{
    struct file_job *job = container_of(op, struct file_job, op);
    if (completion->error != ERR_NONE)
        job_close(job, completion->error);
    else
        io_sync(job->io, op, was_synced, job->file);
}

static void was_written(struct op *op, const struct completion *completion)
{
    struct file_job *job = container_of(op, struct file_job, op);
    if (completion->error != ERR_NONE)
        job_close(job, completion->error);
    else /* an earlier, longer file may have been there */
        io_truncate(job->io, op, was_truncated, job->file, job->offset + job->piece.length);
}

static void opened_to_write(struct op *op, const struct completion *completion)
{
    struct file_job *job = container_of(op, struct file_job, op);
    if (completion->error != ERR_NONE) {
        job->error = completion->error;
        job_end(job);
        return;
    }
    io_write(job->io, op, was_written, job->file, job->offset, &job->piece, 1);
}

struct file_job *file_put(struct io *io, uint32_t folder, struct span path, enum file_put_mode mode,
                          uint64_t offset, struct span bytes, file_done *done, void *context)
{
    struct file_job *job = job_new(io, folder, path, bytes, done, context);
    job->mode = mode;
    job->offset = offset;
    if (mode == FILE_IN_PLACE)
        job->path_written = job->path;
    job->file = io_new_file(io);
    io_open(io, &job->op, opened_to_write, job->file, OPEN_CREATE, folder, job->path_written);
    return job;
}

void file_forget(struct file_job *job)
{
    if (job != NULL)
        job->done = NULL;
}
