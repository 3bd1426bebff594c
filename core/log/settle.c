/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving a log's recovery point: everything below it is durable, and what the log needs to know of
 * it after a restart lies in small files that are durable too, so that recovery begins there. In
 * turn:
 *
 *     log durable up to `offset` ─▶ leader epochs ─▶ indexes ─▶ producer snapshot ─▶ folder synced
 *
 * The folder's checkpoint with the new recovery point is written afterwards, for all its logs at
 * once.
 */
#include "core/log/folder_internal.h"

/* Producer snapshots that are kept: the newest, and one for the case that it cannot be read. */
#define SNAPSHOTS_KEPT 2

struct settle {
    struct log *log;
    int64_t offset;
    bool writing;
    bool epochs_written;
    uint32_t segment; /* whose index is next */
    uint8_t *snapshot;
    size_t snapshot_size;
    struct op op;
    struct span path;
};

static void settle_indexes(struct log *log);

void settle_want(struct log *log)
{
    log->settle_wanted = true;
    log_turn(log);
}

void settle_must(struct log *log)
{
    log->settle_due = true;
    settle_want(log);
}

void settle_free(struct log *log)
{
    struct settle *settle = log->settle;
    if (settle == NULL)
        return;
    struct memory *memory = log->io->memory;
    memory_give(memory, MEMORY_STATE, settle->snapshot, settle->snapshot_size);
    log_path_free(log, settle->path);
    memory_give(memory, MEMORY_STATE, settle, sizeof(*settle));
    log->settle = NULL;
    log->sync_all = false;
}

void settle_cancel(struct log *log)
{
    if (log->settle == NULL || log->settle->writing)
        return;
    settle_free(log);
    log->settle_wanted = true;
    log->settle_due = true;
    log_release(log);
}

static void settle_end(struct log *log, int error)
{
    const bool serving = log->state == LOG_READY;
    if (error == ERR_NONE && serving) {
        log->recovery_point = log->settle->offset;
        folder_settled(log->folder);
    } else {
        log->epochs_changed = true;
        log->settle_due = true;
        log->settle_wanted = !serving; /* by the log as it is read again */
    }
    settle_free(log);
    if (error != ERR_NONE && serving && !error_passes(error))
        folder_fail(log->folder, "cannot write a checkpoint of", log->name);
    if (error_passes(error) && serving) {
        io_log(log->io, LOG_WARN, "%s: recovery would take longer log=%.*s", error_reason(error),
               SPAN_ARGS(log->name));
        folder_unsettled(log->folder, log, 1); /* in time it is tried again */
    }
    log_goes_on(log);
}

/* True when it is of no use to go on. */
static bool settle_stopped(struct log *log, int error)
{
    if (error == ERR_NONE && log->state == LOG_READY)
        return false;
    settle_end(log, error);
    return true;
}

static void old_snapshot_removed(struct op *op, const struct completion *completion)
{
    struct settle *settle = container_of(op, struct settle, op);
    struct log *log = settle->log;
    (void)completion; /* a later recovery removes what is left */
    log_path_free(log, settle->path);
    settle->path = SPAN_NULL;
    if (log->snapshots_count <= SNAPSHOTS_KEPT) {
        settle_end(log, ERR_NONE);
        return;
    }
    settle->path = log_path_of(log, log->snapshots[0], ".snapshot");
    log->snapshots_count--;
    memmove(log->snapshots, log->snapshots + 1, log->snapshots_count * sizeof(int64_t));
    io_remove(log->io, op, old_snapshot_removed, folder_number(log->folder), settle->path);
}

static void folder_synced(struct op *op, const struct completion *completion)
{
    struct settle *settle = container_of(op, struct settle, op);
    if (!settle_stopped(settle->log, completion->error))
        old_snapshot_removed(op, completion);
}

static void snapshot_put(void *context, int error, struct span bytes)
{
    struct log *log = context;
    struct settle *settle = log->settle;
    (void)bytes;
    if (settle_stopped(log, error))
        return;
    if (log->snapshots_count == 0 || log->snapshots[log->snapshots_count - 1] < settle->offset) {
        log->snapshots = memory_grow(log->io->memory, log->snapshots, &log->snapshots_capacity,
                                     log->snapshots_count + 1, sizeof(int64_t));
        log->snapshots[log->snapshots_count++] = settle->offset;
    }
    io_sync_folder(log->io, &settle->op, folder_synced, folder_number(log->folder), log->name);
}

static void settle_snapshot(struct log *log)
{
    struct settle *settle = log->settle;
    const struct span path = log_path_of(log, settle->offset, ".snapshot");
    file_put(log->io, folder_number(log->folder), path, FILE_IN_PLACE, 0,
             span_of(settle->snapshot, settle->snapshot_size), snapshot_put, log);
    log_path_free(log, path);
}

static void times_put(void *context, int error, struct span bytes)
{
    struct log *log = context;
    (void)bytes;
    if (settle_stopped(log, error))
        return;
    struct segment *segment = log->segments[log->settle->segment];
    if (segment->settling) {
        segment->offsets_saved = segment->offsets_settling;
        segment->times_saved = segment->times_settling;
        segment->index_saved = true;
        segment->settling = false;
    }
    log->settle->segment++;
    settle_indexes(log);
}

/* Appends what the file lacks; an index whose file is not known to be right is written anew. */
static void index_put(struct log *log, const struct segment *segment, const char *suffix,
                      struct span bytes, uint64_t saved_bytes, file_done *done)
{
    const uint64_t offset = segment->index_saved ? saved_bytes : 0;
    const struct span path = log_path_of(log, segment->base_offset, suffix);
    /* An empty index has no bytes to point into. */
    const struct span rest =
        offset == 0 ? bytes : span_of(bytes.data + offset, bytes.length - offset);
    file_put(log->io, folder_number(log->folder), path, FILE_IN_PLACE, offset, rest, done, log);
    log_path_free(log, path);
}

static void offsets_put(void *context, int error, struct span bytes)
{
    struct log *log = context;
    (void)bytes;
    if (settle_stopped(log, error))
        return;
    const struct segment *segment = log->segments[log->settle->segment];
    if (!segment->settling) { /* the index was given up meanwhile */
        log->settle->segment++;
        settle_indexes(log);
        return;
    }
    struct span times = index_time_bytes(segment->index);
    times.length = (size_t)segment->times_settling * TIME_ENTRY_BYTES;
    index_put(log, segment, ".timeindex", times, segment->times_saved * TIME_ENTRY_BYTES,
              times_put);
}

static void settle_indexes(struct log *log)
{
    struct settle *settle = log->settle;
    for (; settle->segment < log->segments_count; settle->segment++) {
        const struct segment *segment = log->segments[settle->segment];
        if (!segment->settling)
            continue;
        struct span offsets = index_offset_bytes(segment->index);
        offsets.length = (size_t)segment->offsets_settling * OFFSET_ENTRY_BYTES;
        index_put(log, segment, ".index", offsets, segment->offsets_saved * OFFSET_ENTRY_BYTES,
                  offsets_put);
        return;
    }
    settle_snapshot(log);
}

static void epochs_put(void *context, int error, struct span bytes)
{
    struct log *log = context;
    (void)bytes;
    if (!settle_stopped(log, error))
        settle_indexes(log);
}

static void settle_write(struct log *log)
{
    log->settle->writing = true;
    log->sync_all = false; /* what is written from now on is the next one's */
    reserve_release(log, true);
    if (!log->epochs_changed) {
        settle_indexes(log);
        return;
    }
    /* Epochs beyond `offset` may be among them: recovery cuts them to the log's end. */
    log->epochs_changed = false;
    const size_t size = epochs_encode(&log->epochs, NULL, 0);
    uint8_t *text = memory_take(log->io->memory, MEMORY_STATE, size);
    epochs_encode(&log->epochs, text, size);
    const struct span path = log_path(log, "leader-epoch-checkpoint");
    file_put(log->io, folder_number(log->folder), path, FILE_REPLACE, 0, span_of(text, size),
             epochs_put, log);
    log_path_free(log, path);
    memory_give(log->io->memory, MEMORY_STATE, text, size);
}

/* What the files will say is the state now; it goes to disk when the log is durable up to here. */
static void settle_capture(struct log *log)
{
    struct settle *settle = memory_new(log->io->memory, struct settle);
    log->settle = settle;
    log_hold(log);
    settle->log = log;
    settle->offset = log->end;
    settle->snapshot_size = producers_snapshot_size(&log->producers);
    settle->snapshot = memory_take(log->io->memory, MEMORY_STATE, settle->snapshot_size);
    producers_snapshot_write(&log->producers, settle->snapshot);
    for (uint32_t i = 0; i < log->segments_count; i++) {
        struct segment *segment = log->segments[i];
        segment->settling = false;
        if (segment->index == NULL || (segment->size_bytes == 0 && !segment->exists))
            continue;
        segment->offsets_settling = segment->index->offsets.count;
        segment->times_settling = segment->index->times.count;
        segment->settling = !segment->index_saved ||
                            segment->offsets_settling != segment->offsets_saved ||
                            segment->times_settling != segment->times_saved;
    }
    folder_settling(log->folder, log);
}

/* A recovery point says that what lies below it can be read: it needs a file. */
static bool has_segment(const struct log *log)
{
    return log->has_folder && (log->segments_count > 1 || log_active(log)->exists);
}

void settle_start(struct log *log)
{
    if (log->settle == NULL) {
        if (!log->settle_wanted)
            return;
        log->settle_wanted = false;
        if ((log->end == log->recovery_point && !log->settle_due) || !has_segment(log))
            return;
        log->settle_due = false;
        settle_capture(log);
    }
    if (log->settle->writing)
        return;
    if (log->durable_end >= log->settle->offset) {
        settle_write(log);
    } else if (!log->sync_all) {
        log->sync_all = true;
        log->sync_wanted = true;
        sync_start(log);
    }
}
