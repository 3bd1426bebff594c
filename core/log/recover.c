/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a log: which files there are, whose they are, and where the scan of its tail begins. */
#include "core/log/recover.h"

#include "core/base/format.h"
#include "core/log/checkpoint.h"

#define METADATA_BYTES_MAX 4096

/* When a step is tried again for which there was no descriptor, no memory or no space. */
#define AGAIN_US           ((uint64_t)100 * 1000)
#define EPOCHS_BYTES_MAX   ((uint64_t)16 * 1024 * 1024)
#define SNAPSHOT_BYTES_MAX ((uint64_t)64 * 1024 * 1024)

static void next_snapshot(struct log *log);

void recover_free(struct log *log)
{
    struct recovery *recovery = log->recovery;
    if (recovery == NULL)
        return;
    cursor_close(&recovery->cursor);
    timer_cancel(&log->io->timers, &recovery->timer);
    buffer_release(recovery->offsets);
    buffer_release(recovery->rewrite);
    if (recovery->truncating)
        truncation_free(log);
    list_remove(&recovery->place);
    log_path_free(log, recovery->path);
    memory_give(log->io->memory, MEMORY_STATE, recovery->trash,
                recovery->trash_capacity * sizeof(*recovery->trash));
    memory_give(log->io->memory, MEMORY_STATE, recovery, sizeof(*recovery));
    log->recovery = NULL;
}

struct recovery *recovery_new(struct log *log)
{
    CHECK(log->recovery == NULL);
    struct recovery *recovery = memory_new(log->io->memory, struct recovery);
    recovery->log = log;
    list_init(&recovery->place);
    log->recovery = recovery;
    log_hold(log);
    return recovery;
}

bool recovery_keeps_files(const struct recovery *recovery)
{
    return recovery->rewinding && !recovery->truncating;
}

static void recovery_end(struct log *log)
{
    const bool queued = log->recovery->queued;
    recover_free(log);
    delete_continue(log);
    if (queued)
        folder_load_end(log->folder);
    log_release(log);
}

void recover_refuse(struct log *log, const char *what, struct segment *segment, uint64_t position)
{
    const char *mend = log->settings.never_anew
                           ? "" /* whose log it is says it */
                           : ": restore the file from a replica or a backup, or remove the "
                             "partition's folder to lose it";
    io_log(log->io, LOG_ERROR,
           "%s; the log is not served%s log=%.*s segment=%020lld.log position=%llu", what, mend,
           SPAN_ARGS(log->name), segment == NULL ? -1LL : (long long)segment->base_offset,
           (unsigned long long)position);
    log_hold(log);
    recovery_end(log);
    log_go_offline(log);
    log_release(log);
}

void recover_folder_failed(struct log *log, const char *what)
{
    log_hold(log);
    recovery_end(log);
    folder_fail(log->folder, what, log->name);
    log_go_offline(log);
    log_release(log);
}

/* It was to end before what is needed was there. */
static void recover_later(struct log *log)
{
    log_hold(log);
    recovery_end(log);
    log_set_state(log, LOG_COLD);
    log_wake(log, ERR_KAFKA_STORAGE_ERROR);
    log_release(log);
}

/* An orderly end does not wait for what may never come. */
static void again_due(struct timer *timer)
{
    const struct recovery *recovery = container_of(timer, struct recovery, timer);
    struct log *log = recovery->log;
    if (recover_stopped(log))
        return;
    if (!log->closing) {
        recovery->again(log);
        return;
    }
    log_hold(log);
    recover_later(log);
    log_turn(log);
    log_release(log);
}

void recover_again(struct log *log, void (*step)(struct log *log))
{
    struct recovery *recovery = log->recovery;
    recovery->again = step;
    timer_set(&log->io->timers, &recovery->timer, log->io->now_us + AGAIN_US, again_due);
}

/* The log is as its files say, and serves. */
bool recover_stopped(struct log *log)
{
    if (log->state == LOG_LOADING)
        return false;
    recovery_end(log);
    return true;
}

static void start_checkpointed(struct log_waiter *waiter, int error)
{
    struct recovery *recovery = container_of(waiter, struct recovery, start_waiter);
    struct log *log = recovery->log;
    if (error_passes(error))
        recover_again(log, recover_ready);
    else if (error != ERR_NONE)
        recover_folder_failed(log, "cannot write the checkpoint of the start of");
    else
        recover_ready(log);
}

static void cache_mark_removed(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    log_path_free(log, recovery->path);
    recovery->path = SPAN_NULL;
    if (completion->error != ERR_NONE && completion->error != ERR_NOT_FOUND &&
        !error_passes(completion->error)) {
        recover_folder_failed(log, "cannot remove a file of");
        return;
    }
    recovery->keeps_cache_mark = error_passes(completion->error); /* until the next recovery */
    log->has_cache_mark = recovery->keeps_cache_mark;
    recover_ready(log);
}

void recover_ready(struct log *log)
{
    if (recover_stopped(log) || (log->recovery->truncating && !truncate_is_done(log)))
        return;
    if (log->has_cache_mark && !log->recovery->keeps_cache_mark) {
        log->recovery->path = log_path(log, CACHE_MARK);
        io_remove(log->io, &log->recovery->op, cache_mark_removed, folder_number(log->folder),
                  log->recovery->path);
        return;
    }
    /* Records that are lost moved the start: the next process must find it where this one did. */
    if (log->start != log->start_durable) {
        log->recovery->start_waiter.wake = start_checkpointed;
        folder_checkpoint(log->folder, &log->recovery->start_waiter);
        return;
    }
    /* Their file may be older than that of the start. */
    log->epochs_changed |= epochs_truncate_start(&log->epochs, log->start);
    log->written_end = log->end;
    log->durable_end = log->end;
    log->recovered = true;
    log->durable_segment = log->segments_count - 1;
    if (log->high_watermark < log->start)
        log->high_watermark = log->start;
    if (log->high_watermark > log->end)
        log->high_watermark = log->end;
    log->size_bytes = 0;
    for (uint32_t i = 0; i < log->segments_count; i++) {
        struct segment *segment = log->segments[i];
        log->size_bytes += segment->size_bytes;
        segment->durable_bytes = segment->size_bytes;
        segment->durable_end = segment_end(log, i);
    }
    /* The index of a segment that was cut says more than there is, to tools and to what comes after
     * this process. */
    if (log->recovery->truncating || log->recovery->stale_indexes)
        settle_must(log);
    log_hold(log);
    recovery_end(log);
    log_set_state(log, LOG_READY);
    retain_schedule(log);
    log_turn(log);
    log_wake(log, ERR_NONE);
    log_release(log);
}

/* The folder's checkpoints say that it had something durable. */
static bool has_begun(const struct log *log)
{
    return log->recovery_point > 0 || log->start > 0;
}

void recover_empty(struct log *log)
{
    while (log->segments_count > 0)
        segment_drop(log->segments[--log->segments_count]);
    if (has_begun(log))
        folder_forget_lines(log->folder);
    log->has_folder = false;
    log->metadata_durable = false;
    log->folder_durable = false;
    log->has_cache_mark = false;
    log->recovery_point = 0;
    log->start = 0;
    log->start_written = 0;
    log->start_durable = 0;
    log->snapshots_count = 0;
    log->end = log->start;
    struct segment *segment = segment_new(log, log->start);
    segment_index_new(segment);
    segment_add(log, segment);
}

void recover_start(struct log *log)
{
    if (!log->has_folder) {
        if (log->recovery_point > 0)
            io_log(
                log->io, LOG_ERROR,
                "the partition's folder is gone with everything in it log=%.*s lost_offsets=%lld",
                SPAN_ARGS(log->name), (long long)log->recovery_point);
        recovery_new(log)->is_empty = true;
        /* Ready or refused at the turn's end: nobody is woken from inside log_load(). */
        log_turn(log);
        return;
    }
    struct recovery *recovery = recovery_new(log);
    if (folder_load_begin(log->folder, recovery))
        recover_list(log);
}

void recover_turn(struct log *log)
{
    if (log->recovery == NULL || !log->recovery->is_empty || recover_stopped(log))
        return;
    if (log->settings.never_anew && has_begun(log)) {
        recover_refuse(log, "the partition's folder is gone", NULL, 0);
        return;
    }
    recover_empty(log);
    recover_ready(log);
}

/* Its new name is durable when the folder that takes its place is: one sync covers both. */
static void stray_renamed(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    if (completion->error != ERR_NONE) {
        recover_folder_failed(log, "cannot set a folder aside for");
        return;
    }
    recover_empty(log);
    recover_ready(log);
}

/* The folder is not this topic's: it goes out of the way as it is. */
static void set_aside(struct log *log, const char *why)
{
    struct recovery *recovery = log->recovery;
    if (log->settings.never_anew && has_begun(log)) {
        recover_refuse(log, why, NULL, 0);
        return;
    }
    const struct uuid uuid = rng_uuid(&log->io->rng);
    recovery->path = log_path_aside(log, uuid, "-stray");
    io_log(log->io, LOG_WARN, "%s: the folder is set aside log=%.*s as=%.*s", why,
           SPAN_ARGS(log->name), SPAN_ARGS(recovery->path));
    io_rename(log->io, &recovery->op, stray_renamed, folder_number(log->folder), log->name,
              recovery->path);
}

static void epochs_got(void *context, int error, struct span text)
{
    struct log *log = context;
    if (error == ERR_NONE)
        error = epochs_decode(&log->epochs, text);
    if (error != ERR_NONE) {
        io_log(log->io, LOG_WARN, "leader-epoch-checkpoint is found again from the log log=%.*s",
               SPAN_ARGS(log->name));
        log->recovery->epochs_lost = true;
    }
    recover_load_producers(log);
}

static void recover_epochs(struct log *log)
{
    if (!log->recovery->has_epochs) {
        log->recovery->epochs_lost = true;
        recover_load_producers(log);
        return;
    }
    const struct span path = log_path(log, "leader-epoch-checkpoint");
    file_get(log->io, folder_number(log->folder), path, EPOCHS_BYTES_MAX, epochs_got, log);
    log_path_free(log, path);
}

static void metadata_got(void *context, int error, struct span text);

static void metadata_get(struct log *log)
{
    const struct span path = log_path(log, "partition.metadata");
    file_get(log->io, folder_number(log->folder), path, METADATA_BYTES_MAX, metadata_got, log);
    log_path_free(log, path);
}

static void metadata_got(void *context, int error, struct span text)
{
    struct log *log = context;
    struct uuid id;
    uint64_t bytes = 0;
    if (recover_stopped(log))
        return;
    /* Without a descriptor or memory to read it, nothing is known about it. */
    if (error == ERR_LIMIT) {
        recover_again(log, metadata_get);
        return;
    }
    for (uint32_t i = 0; i < log->segments_count; i++)
        bytes += log->segments[i]->size_bytes;
    if (error == ERR_NONE)
        error = partition_metadata_read(text, &id);
    if (error == ERR_NONE && !uuid_equal(id, log->topic_id)) {
        set_aside(log, "partition.metadata names another topic");
    } else if (error == ERR_IO) {
        recover_folder_failed(log, "cannot read partition.metadata of");
    } else if (error != ERR_NONE && log->recovery_point > 0 && bytes > 0) {
        recover_refuse(log, "partition.metadata is lost", NULL, 0);
    } else if (error != ERR_NONE) {
        /* A crash while the folder was made: nothing in it was ever promised. */
        set_aside(log, "partition.metadata was never completed");
    } else {
        recover_epochs(log);
    }
}

static void listed(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    if (recover_stopped(log))
        return;
    if (error_passes(completion->error)) {
        recover_again(log, recover_list);
        return;
    }
    if (completion->error != ERR_NONE) {
        recover_folder_failed(log, "cannot list the folder of");
        return;
    }
    recover_files(recovery, completion->entries, completion->entries_count);
    if (!recovery->has_metadata) {
        metadata_got(log, ERR_NOT_FOUND, SPAN_NULL);
        return;
    }
    metadata_get(log);
}

void recover_list(struct log *log)
{
    if (recover_stopped(log))
        return;
    io_list(log->io, &log->recovery->op, listed, folder_number(log->folder), log->name);
}

static void snapshot_got(void *context, int error, struct span bytes)
{
    struct log *log = context;
    struct recovery *recovery = log->recovery;
    const int64_t offset = log->snapshots[recovery->snapshot];
    if (error == ERR_NONE)
        error = producers_snapshot_read(&log->producers, bytes, log->io->wall_ms);
    if (error != ERR_NONE) {
        io_log(log->io, LOG_WARN, "an older producer snapshot is used log=%.*s unusable=%lld",
               SPAN_ARGS(log->name), (long long)offset);
        next_snapshot(log);
        return;
    }
    recovery->producers_from = offset;
    recover_scan(log);
}

/* The newest snapshot that the durable part of the log contains; none: producers are found from the
 * very first batch. */
static void next_snapshot(struct log *log)
{
    struct recovery *recovery = log->recovery;
    while (recovery->snapshot > 0) {
        const int64_t offset = log->snapshots[--recovery->snapshot];
        if (offset > log->recovery_point || offset < log->segments[0]->base_offset)
            continue;
        const struct span path = log_path_of(log, offset, ".snapshot");
        file_get(log->io, folder_number(log->folder), path, SNAPSHOT_BYTES_MAX, snapshot_got, log);
        log_path_free(log, path);
        return;
    }
    recovery->producers_from = log->segments[0]->base_offset;
    recover_scan(log);
}

/* Segments below the start were on their way out, in any order, when the process ended. */
static void recover_drop_before(struct log *log)
{
    uint32_t count = 0;
    while (count + 1 < log->segments_count && log->segments[count + 1]->base_offset <= log->start)
        recover_drop(log, log->segments[count++]);
    log->segments_count -= count;
    memmove(log->segments, log->segments + count, log->segments_count * sizeof(struct segment *));
}

void recover_load_producers(struct log *log)
{
    if (recover_stopped(log))
        return;
    if (log->segments_count == 0) {
        /* The topic's own folder, without a segment: all of it is gone, or there never was any. */
        if (log->recovery_point > 0) {
            recover_refuse(log, "the segments are lost", NULL, 0);
            return;
        }
        log->end = log->start;
        struct segment *segment = segment_new(log, log->start);
        segment_index_new(segment);
        segment_add(log, segment);
        recover_ready(log);
        return;
    }
    log->metadata_durable = true; /* or there were no segment */
    recover_drop_before(log);
    log->recovery->snapshot = log->snapshots_count;
    next_snapshot(log);
}
