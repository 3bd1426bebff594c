/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making written batches durable: one sync of a segment is under way at a time, and covers what was
 * written when it was asked for; all that is written meanwhile waits for the next. A batch is
 * durable when a sync covered its bytes, and syncs of the folders covered the way to its file.
 */
#include "core/log/folder_internal.h"

/* When a process without descriptors looks for one again. */
#define SYNC_AGAIN_US ((uint64_t)100 * 1000)

static void sync_want(struct log *log)
{
    log->sync_wanted = true;
    log->unsynced_messages = 0;
    timer_cancel(&log->io->timers, &log->flush_timer);
    log_turn(log);
}

static void flush_due(struct timer *timer)
{
    sync_want(container_of(timer, struct log, flush_timer));
}

void sync_written(struct log *log, int64_t messages)
{
    const struct log_settings *settings = &log->settings;
    const uint64_t due_us =
        settings->flush_ms < 0 ? TIMER_NEVER : timer_after_ms(log->io->now_us, settings->flush_ms);
    log->unsynced_messages += messages;
    if (!settings->write_caching || log->sync_all ||
        (settings->flush_messages > 0 && log->unsynced_messages >= settings->flush_messages))
        sync_want(log);
    else if (due_us != TIMER_NEVER && !timer_is_set(&log->flush_timer))
        timer_set(&log->io->timers, &log->flush_timer, due_us, flush_due);
}

void sync_advance(struct log *log)
{
    int64_t durable_end = log->durable_end;
    for (;;) {
        const struct segment *segment = log->segments[log->durable_segment];
        const bool found = log->folder_durable && segment->entry_durable;
        const int64_t end = found ? segment->durable_end : segment->base_offset;
        if (end > durable_end)
            durable_end = end;
        if (!found || segment->durable_bytes < segment->size_bytes ||
            log->durable_segment + 1 == log->segments_count)
            break;
        log->durable_segment++;
    }
    if (durable_end == log->durable_end)
        return;
    log->durable_end = durable_end;
    log_turn(log); /* whoever waits for the durable end goes on there */
    log_advanced(log);
}

/* Without a descriptor nothing was synced, and nothing lost: it is tried again after a while. Any
 * other failure is believed once and for all. */
static bool sync_failed(struct log *log, int error, const char *what)
{
    if (error == ERR_LIMIT && log->state == LOG_READY && !timer_is_set(&log->flush_timer))
        timer_set(&log->io->timers, &log->flush_timer, log->io->now_us + SYNC_AGAIN_US, flush_due);
    else if (error != ERR_NONE && error != ERR_LIMIT)
        folder_fail(log->folder, what, log->name);
    return error != ERR_NONE;
}

/* The entries of the partition's folder. */
static void entries_synced(struct op *op, const struct completion *completion)
{
    struct log *log = container_of(op, struct log, entries_op);
    if (!sync_failed(log, completion->error, "cannot sync the folder")) {
        for (uint32_t i = log->durable_segment; i < log->segments_count; i++) {
            struct segment *segment = log->segments[i];
            if (segment->base_offset <= log->entries_base && segment->exists)
                segment->entry_durable = true;
        }
        if (log->state == LOG_READY)
            sync_advance(log);
    }
    log_goes_on(log);
}

/* False when one is under way that began before the last segment was made. */
static bool entries_sync(struct log *log)
{
    int64_t last = -1; /* base offset of the last one that needs it */
    for (uint32_t i = log->durable_segment; i < log->segments_count; i++) {
        const struct segment *segment = log->segments[i];
        if (segment->exists && !segment->entry_durable)
            last = segment->base_offset;
    }
    if (op_busy(&log->entries_op))
        return last <= log->entries_base;
    if (last < 0)
        return true;
    log->entries_base = last;
    log_hold(log);
    io_sync_folder(log->io, &log->entries_op, entries_synced, folder_number(log->folder),
                   log->name);
    return true;
}

/* The partition's folder itself. */
static void root_synced(struct wait *wait, int error)
{
    struct log *log = container_of(wait, struct log, root_wait);
    if (!sync_failed(log, error, "cannot sync the data folder for")) {
        log->folder_durable = true;
        if (log->state == LOG_READY)
            sync_advance(log);
    }
    log_goes_on(log);
}

static void root_sync(struct log *log)
{
    if (log->folder_durable || !log->has_folder || wait_is_set(&log->root_wait))
        return;
    log_hold(log);
    folder_sync_root(log->folder, &log->root_wait, root_synced);
}

static void data_synced(struct op *op, const struct completion *completion)
{
    struct log *log = container_of(op, struct log, sync_op);
    struct segment *segment = log->sync_segment;
    if (!sync_failed(log, completion->error, "cannot sync a segment of")) {
        segment->durable_bytes = log->sync_bytes;
        segment->durable_end = log->sync_end;
        if (log->state == LOG_READY)
            sync_advance(log);
    }
    log_hold(log);
    segment_release(segment);
    log_goes_on(log);
}

static void sync_file_ready(struct wait *wait, int error)
{
    struct log *log = container_of(wait, struct log, sync_wait);
    log_hold(log);
    if (!sync_failed(log, error, "cannot open a segment of")) {
        segment_release(log->sync_segment); /* sync_start() takes its own use */
        log->sync_wanted = true;
    }
    log_goes_on(log);
}

void sync_start(struct log *log)
{
    if (!log->sync_wanted)
        return;
    const bool entries_asked = entries_sync(log);
    root_sync(log);
    if (op_busy(&log->sync_op) || wait_is_set(&log->sync_wait))
        return;
    uint32_t at = log->durable_segment;
    while (at + 1 < log->segments_count &&
           log->segments[at]->durable_bytes == log->segments[at]->size_bytes)
        at++;
    struct segment *segment = log->segments[at];
    const bool last = segment_end(log, at) >= log->written_end;
    log->sync_wanted = !last || !entries_asked;
    if (segment->durable_bytes == segment->written_bytes)
        return;
    log->sync_segment = segment;
    if (!segment_use(segment, &log->sync_wait, sync_file_ready))
        return;
    log->sync_bytes = segment->written_bytes;
    log->sync_end = last ? log->written_end : segment_end(log, at);
    io_sync(log->io, &log->sync_op, data_synced, segment->file);
}
