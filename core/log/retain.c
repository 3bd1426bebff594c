/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retention: segments whose records are all too old, too many, or below the log's start go, oldest
 * first, and never one that reaches beyond the high watermark. One timer a log is set, for the time
 * at which its oldest segment expires; a log in which nothing can expire has none.
 */
#include "core/log/folder_internal.h"
#include "core/log/removal.h"

/* When a start is written again that found the disk full, or no descriptor. */
#define RETAIN_AGAIN_US ((uint64_t)1000 * 1000)

static void retain_due(struct timer *timer)
{
    retain_start(container_of(timer, struct log, retention_timer));
}

static void index_ready(struct wait *wait, int error)
{
    struct log *log = container_of(wait, struct log, retain_wait);
    if (log->state == LOG_READY) {
        /* Without an index, the segment counts from when it was found: late, but not for ever. */
        if (error != ERR_NONE)
            log->segments[0]->time_known = true;
        retain_start(log);
    }
    log_release(log);
}

/* The latest time in the segment is known; else it will be, and retain_start() runs again. */
static bool time_is_known(struct log *log, struct segment *segment)
{
    if (segment->index != NULL) {
        segment->max_timestamp_ms = segment->index->max_timestamp_ms;
        segment->max_timestamp_offset = segment->index->max_timestamp_offset;
        segment->time_known = true;
    }
    if (!segment->time_known && !wait_is_set(&log->retain_wait)) {
        log_hold(log);
        if (segment_index_use(segment, &log->retain_wait, index_ready))
            log_release(log);
    }
    return segment->time_known;
}

/* When the segment's last record expires, by the wall clock. */
static int64_t expires_ms(const struct log *log, const struct segment *segment)
{
    const int64_t last_ms =
        segment->max_timestamp_ms >= 0 ? segment->max_timestamp_ms : segment->created_ms;
    return last_ms > INT64_MAX - log->settings.retention_ms - 1
               ? INT64_MAX
               : last_ms + log->settings.retention_ms + 1;
}

/* The closed segment at `at` lies below the start, or the log is too large with it. */
static bool is_beyond(const struct log *log, uint32_t at, uint64_t size_bytes)
{
    if (at + 1 == log->segments_count || segment_end(log, at) > log->high_watermark)
        return false;
    return segment_end(log, at) <= log->start ||
           (log->settings.delete_old && log->settings.retention_bytes >= 0 &&
            size_bytes - log->segments[at]->size_bytes >= (uint64_t)log->settings.retention_bytes);
}

static bool is_expired(struct log *log, uint32_t at)
{
    struct segment *segment = log->segments[at];
    return log->settings.delete_old && segment_end(log, at) <= log->high_watermark &&
           log->settings.retention_ms >= 0 && segment->size_bytes > 0 &&
           time_is_known(log, segment) && expires_ms(log, segment) <= log->io->wall_ms;
}

static void file_remove(struct log *log, int64_t offset, const char *suffix)
{
    char aside[32];
    const size_t length = strlen(suffix);
    CHECK(length + sizeof(".deleted") <= sizeof(aside));
    memcpy(aside, suffix, length);
    memcpy(aside + length, ".deleted", sizeof(".deleted"));
    const struct span path = log_path_of(log, offset, suffix);
    const struct span path_aside = log_path_of(log, offset, aside);
    removal_start(log->folder, path, path_aside, log->settings.file_delete_delay_ms);
    log_path_free(log, path);
    log_path_free(log, path_aside);
}

static void segments_remove(struct log *log, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct segment *segment = log->segments[i];
        log->size_bytes -= segment->size_bytes;
        file_remove(log, segment->base_offset, ".log");
        file_remove(log, segment->base_offset, ".index");
        file_remove(log, segment->base_offset, ".timeindex");
        segment_drop(segment);
    }
    log->segments_count -= count;
    memmove(log->segments, log->segments + count, log->segments_count * sizeof(struct segment *));
    log->durable_segment = log->durable_segment > count ? log->durable_segment - count : 0;
    io_log(log->io, LOG_INFO, "old segments are removed log=%.*s segments=%u start=%lld",
           SPAN_ARGS(log->name), count, (long long)log->segments[0]->base_offset);
}

void retain_start_written(struct log *log)
{
    if (log->start_written == log->start_durable)
        return;
    log->start_durable = log->start_written;
    log->epochs_changed |= epochs_truncate_start(&log->epochs, log->start_durable);
    retain_start(log); /* whoever asked for that start may have been refused */
    log_advanced(log);
}

static void start_checkpointed(struct log_waiter *waiter, int error)
{
    struct log *log = container_of(waiter, struct log, retain_waiter);
    log->retain_waits = false;
    if (error == ERR_NONE)
        retain_start(log);
    else if (error_passes(error) && log->state == LOG_READY && !log->closing)
        timer_set(&log->io->timers, &log->retention_timer, log->io->now_us + RETAIN_AGAIN_US,
                  retain_due); /* nothing else may ever happen to a log nobody writes to */
    log_release(log);
}

/* The log begins at `start` now: durably so before any segment goes, since files may go in any
 * order, and a log must not have holes. True when it is. */
static bool start_moved(struct log *log, int64_t start)
{
    if (log->start < start)
        log->start = start;
    if (log->start_durable >= start)
        return true;
    log->retain_waits = true;
    log->retain_waiter.wake = start_checkpointed;
    log_hold(log);
    folder_checkpoint(log->folder, &log->retain_waiter);
    return false;
}

void retain_schedule(struct log *log)
{
    if (log->state != LOG_READY || log->closing)
        return;
    struct segment *oldest = log->segments[0];
    timer_cancel(&log->io->timers, &log->retention_timer);
    if (!log->settings.delete_old || log->settings.retention_ms < 0 || oldest->size_bytes == 0 ||
        segment_end(log, 0) > log->high_watermark || !time_is_known(log, oldest))
        return;
    const int64_t expires = expires_ms(log, oldest);
    const uint64_t wait_ms =
        expires > log->io->wall_ms ? (uint64_t)expires - (uint64_t)log->io->wall_ms : 0;
    if (wait_ms > (UINT64_MAX - log->io->now_us) / 1000)
        return;
    timer_set(&log->io->timers, &log->retention_timer, log->io->now_us + wait_ms * 1000,
              retain_due);
}

void retain_start(struct log *log)
{
    if (log->state != LOG_READY || log->closing || log->retain_waits || log->truncation != NULL)
        return;
    if (log->settle != NULL) {
        log->retain_wanted = true; /* it has the segments in its hands */
        return;
    }
    log->retain_wanted = false;
    uint32_t count = 0;
    uint64_t size_bytes = log->size_bytes;
    while (count < log->segments_count &&
           (is_beyond(log, count, size_bytes) || is_expired(log, count)))
        size_bytes -= log->segments[count++]->size_bytes;
    if (count == log->segments_count) {
        if (log_active(log)->size_bytes > log_active(log)->written_bytes)
            count--;
        else
            log_roll(log);
    }
    if (count == 0) {
        retain_schedule(log);
        return;
    }
    if (log->durable_segment < count) {
        log->retain_wanted = true; /* a sync is still to come */
        log->sync_wanted = true;
        sync_start(log);
        return;
    }
    /* A log without records still has to know where it ends. */
    struct segment *next = log->segments[count];
    if (next->size_bytes == 0 && !(next->exists && next->entry_durable)) {
        log->retain_wanted = true;
        log->sync_wanted = true;
        if (next->exists)
            sync_start(log);
        else if (log->create == NULL)
            create_segment(log, next);
        return;
    }
    if (!start_moved(log, next->base_offset))
        return;
    segments_remove(log, count);
    retain_schedule(log);
}

void log_set_high_watermark(struct log *log, int64_t high_watermark)
{
    CHECK(high_watermark <= log->end);
    const bool set = timer_is_set(&log->retention_timer);
    log->high_watermark = high_watermark;
    if (log->state != LOG_READY)
        return;
    if (is_beyond(log, 0, log->size_bytes))
        retain_start(log);
    else if (!set)
        retain_schedule(log);
}

int64_t log_delete_before(struct log *log, int64_t offset, struct log_waiter *waiter)
{
    if (offset > log->high_watermark)
        offset = log->high_watermark;
    if (offset > log->start) {
        log->start = offset;
        retain_start(log);
    }
    folder_checkpoint(log->folder, waiter);
    return log->start;
}
