/* SPDX-License-Identifier: Apache-2.0 */
/* Beginning a log again, empty, after its end was cut: the second half of core/log/truncate.c. */
#include "core/log/recover.h"

/* The segment that the log begins again with, and its index in the log; NULL: it is not there. */
static struct segment *fresh_find(const struct log *log, uint32_t *ret_at)
{
    const uint32_t at = segment_find(log, log->truncation->begin);
    *ret_at = at;
    return log->segments[at]->base_offset == log->truncation->begin ? log->segments[at] : NULL;
}

/* Puts an empty segment at its place among the others. */
static struct segment *fresh_add(struct log *log, uint32_t *ret_at)
{
    struct segment *fresh = segment_new(log, log->truncation->begin);
    segment_index_new(fresh);
    segment_add(log, fresh);
    uint32_t at = log->segments_count - 1;
    for (; at > 0 && log->segments[at - 1]->base_offset > fresh->base_offset; at--)
        log->segments[at] = log->segments[at - 1];
    log->segments[at] = fresh;
    *ret_at = at;
    return fresh;
}

static void reset_sync(struct log *log);

static void above(struct log *log)
{
    struct recovery *recovery = log->recovery;
    fresh_find(log, &recovery->segment);
    log->truncation->phase = TRUNCATION_ABOVE;
    truncate_remove_last(log);
}

static void root_synced(struct wait *wait, int error)
{
    struct log *log = container_of(wait, struct recovery, wait)->log;
    if (recover_stopped(log))
        return;
    if (error_passes(error)) {
        recover_again(log, reset_sync);
    } else if (error != ERR_NONE) {
        recover_folder_failed(log, "cannot sync the data folder for");
    } else {
        log->folder_durable = true;
        above(log);
    }
}

static void entries_synced(struct op *op, const struct completion *completion)
{
    struct log *log = container_of(op, struct recovery, op)->log;
    if (recover_stopped(log))
        return;
    if (error_passes(completion->error))
        recover_again(log, reset_sync);
    else if (completion->error != ERR_NONE)
        recover_folder_failed(log, "cannot sync the folder of");
    else if (log->folder_durable)
        above(log);
    else
        folder_sync_root(log->folder, &log->recovery->wait, root_synced);
}

static void reset_sync(struct log *log)
{
    if (recover_stopped(log))
        return;
    io_sync_folder(log->io, &log->recovery->op, entries_synced, folder_number(log->folder),
                   log->name);
}

void reset_created(struct log *log, int error)
{
    if (recover_stopped(log))
        return;
    if (error_passes(error))
        recover_again(log, reset_create);
    else if (error != ERR_NONE)
        recover_folder_failed(log, "cannot make a segment of");
    else
        reset_sync(log);
}

void reset_create(struct log *log)
{
    if (recover_stopped(log))
        return;
    uint32_t at;
    struct segment *fresh = fresh_find(log, &at);
    log->truncation->phase = TRUNCATION_CREATE;
    if (fresh == NULL)
        fresh = fresh_add(log, &at);
    CHECK(fresh->size_bytes == 0);
    if (fresh->exists)
        reset_sync(log);
    else
        create_segment(log, fresh);
}

/* The start is durable, and recovery drops what lies below it: the files may go in any order. */
static void below(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct segment *fresh = log->segments[log->segments_count - 1];
    log->truncation->phase = TRUNCATION_BELOW;
    for (uint32_t i = 0; i + 1 < log->segments_count; i++) {
        if (log->segments[i]->exists)
            truncate_drop_indexes(recovery, log->segments[i]);
        recover_drop(log, log->segments[i]);
    }
    log->segments[0] = fresh;
    log->segments_count = 1;
    while (log->snapshots_count > 0)
        recover_trash_offset(recovery, log->snapshots[--log->snapshots_count], ".snapshot");
    producers_clear(&log->producers);
    epochs_free(&log->epochs);
    log->epochs_changed = true;
    log->end = log->truncation->begin;
    log->recovery_point = log->end;
    recovery->segment = 0;
    recovery->syncing = 0;
    recover_clean(log);
}

static void started(struct log_waiter *waiter, int error)
{
    struct log *log = container_of(waiter, struct truncation, checkpoint)->log;
    if (recover_stopped(log))
        return;
    if (error_passes(error))
        recover_again(log, reset_start);
    else if (error != ERR_NONE)
        recover_folder_failed(log, "cannot write the checkpoint of the start of");
    else
        below(log);
}

void reset_start(struct log *log)
{
    struct truncation *truncation = log->truncation;
    if (recover_stopped(log))
        return;
    truncation->phase = TRUNCATION_START;
    log->start = truncation->begin;
    truncation->checkpoint.wake = started;
    folder_checkpoint(log->folder, &truncation->checkpoint);
}
