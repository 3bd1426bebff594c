/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     log:       in memory ──▶ told at once        else scan ──▶ told
 *     snapshot:  open ──▶ read ──▶ close ──▶ told
 */
#include "core/meta/quorum_read.h"

#include "core/base/format.h"
#include "core/meta/snapshot_load.h"
#include "core/wire/error.h"

struct quorum_read {
    struct list place;
    struct quorum_reads *reads;
    struct raft_read *read; /* NULL: cancelled */
    struct log_scan scan;
    bool is_scanning;
    struct op op;
    uint64_t file;
    uint64_t size; /* of the snapshot */
    int error;
    struct buffer *buffer;
    uint32_t length; /* of what is in it */
    char name[SNAPSHOT_PATH_BYTES];
};

static void read_free(struct quorum_read *job)
{
    list_remove(&job->place);
    buffer_release(job->buffer);
    if (job->read != NULL)
        job->read->host_use = NULL;
    memory_give(job->reads->io->memory, MEMORY_STATE, job, sizeof(*job));
}

static void read_end(struct quorum_read *job, int error)
{
    struct quorum_reads *reads = job->reads;
    struct raft *raft = reads->raft;
    struct raft_read *read = job->read;
    struct buffer *buffer = job->buffer;
    const struct span bytes = job->length == 0 ? SPAN_NULL : span_of(buffer->data, job->length);
    const uint64_t size = job->size;
    job->buffer = NULL;
    read_free(job);
    if (read != NULL)
        raft_read_done(raft, read, error, buffer, bytes, size);
    buffer_release(buffer);
    if (list_empty(&reads->reads))
        reads->idle(reads);
}

/* ---- Of the log. ---- */

/* Enough was gathered. */
#define SCAN_ENOUGH ERR_LIMIT

static int scan_batch(struct log_scan *scan, struct span batch)
{
    struct quorum_read *job = container_of(scan, struct quorum_read, scan);
    if (job->length > 0 && job->length + batch.length > job->buffer->capacity)
        return SCAN_ENOUGH;
    if (job->buffer == NULL) {
        const size_t room =
            batch.length > job->read->max_bytes ? batch.length : job->read->max_bytes;
        job->buffer = buffer_new(job->reads->io->memory, MEMORY_READ, (uint32_t)room);
        if (job->buffer == NULL)
            return ERR_ARENA_FULL; /* it is tried again later */
    }
    memcpy(job->buffer->data + job->length, batch.data, batch.length);
    job->length += (uint32_t)batch.length;
    return ERR_NONE;
}

static void scan_done(struct log_scan *scan, int error)
{
    struct quorum_read *job = container_of(scan, struct quorum_read, scan);
    job->is_scanning = false;
    read_end(job, error == SCAN_ENOUGH ? ERR_NONE : error);
}

static void log_start_read(struct quorum_read *job)
{
    struct wal *wal = job->reads->wal;
    struct buffer *buffer;
    const struct span batch = wal_recent_batch(wal, job->read->offset, &buffer);
    if (!span_is_null(batch)) {
        struct raft_read *read = job->read;
        struct raft *raft = job->reads->raft;
        read_free(job);
        raft_read_done(raft, read, ERR_NONE, buffer, batch, 0);
        return;
    }
    job->is_scanning = true;
    job->scan = (struct log_scan){
        .offset = job->read->offset,
        .end_offset = log_written_end(wal_log(wal)),
        .batch = scan_batch,
        .done = scan_done,
    };
    wal_scan(wal, &job->scan);
}

/* ---- Of a snapshot. ---- */

static void file_closed(struct op *op, const struct completion *completion)
{
    (void)completion; /* nothing was written */
    struct quorum_read *job = container_of(op, struct quorum_read, op);
    read_end(job, job->error);
}

static void file_read(struct op *op, const struct completion *completion)
{
    struct quorum_read *job = container_of(op, struct quorum_read, op);
    job->error = completion->error;
    job->length = completion->error == ERR_NONE ? (uint32_t)completion->count : 0;
    io_close_file(job->reads->io, op, file_closed, job->file);
}

static void file_opened(struct op *op, const struct completion *completion)
{
    struct quorum_read *job = container_of(op, struct quorum_read, op);
    struct io *io = job->reads->io;
    if (completion->error != ERR_NONE) {
        read_end(job, completion->error);
        return;
    }
    const struct raft_read *read = job->read;
    job->size = completion->count;
    if (read != NULL && read->position < job->size)
        job->buffer = buffer_new(io->memory, MEMORY_READ, read->max_bytes);
    if (read == NULL || job->buffer == NULL) {
        job->error = ERR_ARENA_FULL;
        io_close_file(io, op, file_closed, job->file);
        return;
    }
    io_read(io, op, file_read, job->file, read->position, job->buffer->data, job->buffer->capacity);
}

static void snapshot_start_read(struct quorum_read *job)
{
    struct io *io = job->reads->io;
    char name[SNAPSHOT_NAME_BYTES];
    snapshot_name((struct snapshot_id){job->read->snapshot.offset, job->read->snapshot.epoch},
                  name);
    format_text(job->name, sizeof(job->name), WAL_LOG_NAME "/%s", name);
    job->file = io_new_file(io);
    io_open(io, &job->op, file_opened, job->file, OPEN_READ, job->reads->folder,
            span_text(job->name));
}

void quorum_read_start(struct quorum_reads *reads, struct raft_read *read)
{
    struct quorum_read *job = memory_new(reads->io->memory, struct quorum_read);
    job->reads = reads;
    job->read = read;
    read->host_use = job;
    list_append(&reads->reads, &job->place);
    if (read->of_snapshot)
        snapshot_start_read(job);
    else
        log_start_read(job);
}

void quorum_read_cancel(struct raft_read *read)
{
    struct quorum_read *job = read->host_use;
    read->host_use = NULL;
    job->read = NULL;
    if (job->is_scanning) {
        log_scan_cancel(&job->scan);
        read_free(job);
    }
    /* A file that is open is closed first, see file_closed(). */
}

void quorum_reads_free(struct quorum_reads *reads)
{
    while (!list_empty(&reads->reads))
        read_free(container_of(reads->reads.next, struct quorum_read, place));
}
