/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a write that failed or fell short: nothing later in that file counts until it is cut to its
 * last good byte. What memory took from the lost batches (producers, epochs, indexes) is forgotten
 * and found again from the disk, as after a restart.
 */
#include "core/log/recover.h"

/* No index is being read or built. */
static bool indexes_are_quiet(const struct log *log)
{
    for (uint32_t i = 0; i < log->segments_count; i++) {
        if (log->segments[i]->index_load != NULL)
            return false;
    }
    return true;
}

/* Nothing of the log's own is under way; reads may be, of bytes that stay. */
static bool log_is_quiet(const struct log *log)
{
    if (log->recovery->truncating && !indexes_are_quiet(log))
        return false;
    return !op_busy(&log->write_op) && !op_busy(&log->sync_op) && !op_busy(&log->entries_op) &&
           !op_busy(&log->reserve_op) && !wait_is_set(&log->write_wait) &&
           !wait_is_set(&log->sync_wait) && !wait_is_set(&log->reserve_wait) &&
           !wait_is_set(&log->root_wait) && log->create == NULL && log->settle == NULL;
}

void recover_rewound(struct log *log)
{
    producers_clear(&log->producers);
    epochs_truncate_end(&log->epochs, log->end);
    recover_load_producers(log);
}

static void rewind_start(struct log *log)
{
    struct recovery *recovery = log->recovery;
    recovery->quieting = false;
    if (recover_stopped(log))
        return;
    if (recovery->truncating) {
        truncate_begin(log);
        return;
    }
    uint32_t last = segment_find(log, log->written_end);
    /* A segment that was to begin at the written end has nothing in it, and no file, or an empty
     * one. */
    if (last > 0 && log->segments[last]->written_bytes == 0)
        last--;
    recover_drop_after(log, last);
    struct segment *segment = log->segments[last];
    log->end = log->written_end;
    log->recent_count = 0;
    segment->size_bytes = segment->written_bytes;
    recovery->segment = last;
    if (log->durable_segment > last)
        log->durable_segment = last;
    if (segment->exists) {
        recover_truncate(log);
        return;
    }
    segment_index_new(segment);
    producers_clear(&log->producers);
    epochs_truncate_end(&log->epochs, log->end);
    recover_ready(log);
}

void recover_continue(struct log *log)
{
    struct recovery *recovery = log->recovery;
    if (recovery == NULL)
        return;
    if (recovery->quieting && log_is_quiet(log))
        rewind_start(log);
    else if (recovery->truncating && !recovery->quieting)
        truncate_unpinned(log);
    else if (recovery->is_empty && recovery->start_waiter.wake == NULL)
        recover_stopped(log); /* nothing is under way that could end it */
}

void recover_rewind(struct log *log)
{
    struct recovery *recovery = recovery_new(log);
    recovery->rewinding = true;
    recovery->quieting = true;
    settle_cancel(log);
    timer_cancel(&log->io->timers, &log->flush_timer);
    log->epochs_changed = true;
    log_turn(log);
}
