/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the scan: the log is cut where its sound part ends, what is of no use is removed, and all
 * that lies beyond the recovery point is written again and synced before anybody may see it, since
 * the process that wrote it may have died before it could, or have failed to.
 */
#include "core/log/recover.h"

static void sync_next(struct log *log);

static void trash_removed(struct op *op, const struct completion *completion);

void recover_clean(struct log *log)
{
    struct recovery *recovery = log->recovery;
    log_path_free(log, recovery->path);
    recovery->path = SPAN_NULL;
    if (recovery->trash_done == recovery->trash_count) {
        sync_next(log);
        return;
    }
    recovery->path = log_path(log, recovery->trash[recovery->trash_done++]);
    io_remove(log->io, &recovery->op, trash_removed, folder_number(log->folder), recovery->path);
}

static void trash_removed(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    if (completion->error != ERR_NONE && completion->error != ERR_NOT_FOUND)
        recover_folder_failed(recovery->log, "cannot remove a file of");
    else
        recover_clean(recovery->log);
}

static void truncated(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    segment_release(log->segments[recovery->segment]);
    if (completion->error != ERR_NONE)
        recover_folder_failed(log, "cannot cut a segment of");
    else if (recovery->rewinding && !recovery->scanned)
        recover_rewound(log);
    else
        recover_clean(log);
}

static void truncate_file_ready(struct wait *wait, int error)
{
    struct recovery *recovery = container_of(wait, struct recovery, wait);
    struct log *log = recovery->log;
    if (error_passes(error)) {
        recover_again(log, recover_truncate);
        return;
    }
    if (error != ERR_NONE) {
        recover_folder_failed(log, "cannot open a segment of");
        return;
    }
    recover_truncate(log);
    segment_release(log->segments[recovery->segment]);
}

void recover_truncate(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct segment *segment = log->segments[recovery->segment];
    if (!segment_use(segment, &recovery->wait, truncate_file_ready))
        return;
    segment->reserved_bytes = 0;
    io_truncate(log->io, &recovery->op, truncated, segment->file, segment->size_bytes);
}

void recover_drop(struct log *log, struct segment *segment)
{
    struct recovery *recovery = log->recovery;
    if (segment->exists)
        recover_trash_offset(recovery, segment->base_offset, ".log");
    if (segment->has_offsets_file)
        recover_trash_offset(recovery, segment->base_offset, ".index");
    if (segment->has_times_file)
        recover_trash_offset(recovery, segment->base_offset, ".timeindex");
    segment_drop(segment);
}

void recover_drop_after(struct log *log, uint32_t last)
{
    while (log->segments_count > last + 1)
        recover_drop(log, log->segments[--log->segments_count]);
}

/* Snapshots tell of records before their offset that are not there, or, where the log begins again,
 * soon are not: the next process would take one at the new start for what was deleted. */
static void drop_snapshots(struct log *log)
{
    const struct truncation *truncation = log->truncation;
    int64_t last = log->end;
    if (truncation != NULL && truncation->begins_again && truncation->begin <= last)
        last = truncation->begin - 1;
    while (log->snapshots_count > 0 && log->snapshots[log->snapshots_count - 1] > last)
        recover_trash_offset(log->recovery, log->snapshots[--log->snapshots_count], ".snapshot");
}

void recover_cut(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct segment *segment = log->segments[recovery->segment];
    const uint64_t position = recovery->cursor.position;
    cursor_close(&recovery->cursor);
    recovery->scanned = true;
    if (recovery->next_offset < log->recovery_point) {
        recover_refuse(log, "records that were durable are lost", segment, segment->size_bytes);
        return;
    }
    log->end = recovery->next_offset;
    if (log->start < log->segments[0]->base_offset)
        log->start = log->segments[0]->base_offset;
    if (log->start >= log->end && recovery->truncating) {
        truncate_to_start(log);
    } else if (log->start > log->end) {
        io_log(log->io, LOG_WARN, "the log ends before its start log=%.*s start=%lld end=%lld",
               SPAN_ARGS(log->name), (long long)log->start, (long long)log->end);
        log->start = log->end;
    }
    log->epochs_changed |= epochs_truncate_end(&log->epochs, log->end);
    drop_snapshots(log);
    recovery->syncing = recovery->first;
    if (!recovery->cut) {
        recover_clean(log);
        return;
    }
    io_log(log->io, LOG_WARN, "a torn tail is cut log=%.*s segment=%020lld.log from=%llu to=%llu",
           SPAN_ARGS(log->name), (long long)segment->base_offset,
           (unsigned long long)segment->size_bytes, (unsigned long long)position);
    recover_drop_after(log, recovery->segment);
    segment->size_bytes = position;
    segment->written_bytes = position;
    recover_truncate(log);
}

static void root_synced(struct wait *wait, int error)
{
    struct recovery *recovery = container_of(wait, struct recovery, wait);
    struct log *log = recovery->log;
    if (error_passes(error)) {
        recover_again(log, sync_next);
        return;
    }
    if (error != ERR_NONE) {
        recover_folder_failed(log, "cannot sync the data folder for");
        return;
    }
    log->folder_durable = true;
    recover_ready(log);
}

static void entries_synced(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    for (uint32_t i = 0; i < log->segments_count && completion->error == ERR_NONE; i++)
        log->segments[i]->entry_durable = log->segments[i]->exists;
    if (error_passes(completion->error))
        recover_again(log, sync_next);
    else if (completion->error != ERR_NONE)
        recover_folder_failed(log, "cannot sync the folder of");
    else if (log->folder_durable)
        recover_ready(log);
    else
        folder_sync_root(log->folder, &recovery->wait, root_synced);
}

static void segment_synced(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    segment_release(log->segments[recovery->syncing]);
    if (completion->error != ERR_NONE) {
        recover_folder_failed(log, "cannot sync a segment of");
        return;
    }
    recovery->syncing++;
    sync_next(log);
}

static void sync_file_ready(struct wait *wait, int error)
{
    struct recovery *recovery = container_of(wait, struct recovery, wait);
    struct log *log = recovery->log;
    if (error_passes(error)) {
        recover_again(log, sync_next);
        return;
    }
    if (error != ERR_NONE) {
        recover_folder_failed(log, "cannot open a segment of");
        return;
    }
    recover_rewrite(log);
}

void recover_sync(struct log *log)
{
    struct recovery *recovery = log->recovery;
    io_sync(log->io, &recovery->op, segment_synced, log->segments[recovery->syncing]->file);
}

static void sync_next(struct log *log)
{
    if (recover_stopped(log))
        return;
    struct recovery *recovery = log->recovery;
    /* Nothing was written since the recovery point, and so nothing waits to be synced; unless a
     * process that did not end in order had cut what was: the files that it removed, and what it
     * cut off the last one, come back when the power goes, as long as nobody has synced them. */
    const bool cut = recovery->cut || recovery->rewinding || !folder_was_clean(log->folder);
    if (log->end == log->recovery_point && !cut && recovery->trash_count == 0) {
        recover_ready(log);
        return;
    }
    while (recovery->syncing < log->segments_count) {
        struct segment *segment = log->segments[recovery->syncing];
        if (segment->exists && (segment_end(log, recovery->syncing) > log->recovery_point ||
                                (cut && recovery->syncing == recovery->segment))) {
            if (segment_use(segment, &recovery->wait, sync_file_ready))
                sync_file_ready(&recovery->wait, ERR_NONE);
            return;
        }
        recovery->syncing++;
    }
    io_sync_folder(log->io, &recovery->op, entries_synced, folder_number(log->folder), log->name);
}
