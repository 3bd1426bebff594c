/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks reserved ahead of a segment's end, in steps that grow while the log grows fast: writing
 * into fresh pages costs more than everything else on the way. The file's visible size stays what
 * was written. A refusal is harmless; what was not needed is given back when the log rests.
 */
#include "core/log/folder_internal.h"

#define RESERVE_LEAST_BYTES ((uint64_t)64 * 1024)
#define RESERVE_MOST_BYTES  ((uint64_t)64 * 1024 * 1024)

/* A step that lasted longer than this is followed by the smallest one. */
#define RESERVE_FAST_US ((uint64_t)1000 * 1000)

/* How long a log rests before its blocks are given back. */
#define RESERVE_REST_US ((uint64_t)10 * 1000 * 1000)

static void reserve_ended(struct log *log)
{
    log_hold(log);
    segment_release(log->reserve_segment);
    log_goes_on(log);
}

static void released(struct op *op, const struct completion *completion)
{
    struct log *log = container_of(op, struct log, reserve_op);
    (void)completion; /* the size was right before */
    log->truncating = false;
    reserve_ended(log);
}

static void release_segment(struct log *log, struct segment *segment)
{
    segment_hold(segment);
    segment->reserved_bytes = 0;
    log->truncating = true;
    io_truncate(log->io, &log->reserve_op, released, segment->file, segment->written_bytes);
}

static void release_file_ready(struct wait *wait, int error)
{
    struct log *log = container_of(wait, struct log, reserve_wait);
    log_hold(log);
    if (error == ERR_NONE) {
        if (log->state == LOG_READY)
            release_segment(log, log->reserve_segment);
        segment_release(log->reserve_segment);
    } else {
        log->reserve_segment->reserved_bytes = 0;
    }
    log_goes_on(log);
}

bool reserve_release(struct log *log, bool closed_only)
{
    if (op_busy(&log->reserve_op) || wait_is_set(&log->reserve_wait))
        return false;
    for (uint32_t i = log->segments_count; i > 0; i--) {
        struct segment *segment = log->segments[i - 1];
        if (segment->reserved_bytes == 0 || (closed_only && segment == log_active(log)))
            continue;
        if (segment->size_bytes > segment->written_bytes)
            return false;
        log->reserve_segment = segment;
        if (segment_use(segment, &log->reserve_wait, release_file_ready)) {
            release_segment(log, segment);
            segment_release(segment);
        }
        return false;
    }
    return true;
}

static void rested(struct timer *timer)
{
    struct log *log = container_of(timer, struct log, reserve_timer);
    if (log->state != LOG_READY)
        return;
    if (log->io->now_us - log->reserve_us < RESERVE_REST_US || log->pending_count > 0)
        timer_set(&log->io->timers, timer, log->io->now_us + RESERVE_REST_US, rested);
    else
        reserve_release(log, false);
}

static void reserved(struct op *op, const struct completion *completion)
{
    struct log *log = container_of(op, struct log, reserve_op);
    struct segment *segment = log->reserve_segment;
    if (completion->error == ERR_NONE)
        segment->reserved_bytes += log->reserve_step;
    reserve_ended(log);
}

void reserve_ahead(struct log *log, struct segment *segment)
{
    const uint64_t now_us = log->io->now_us;
    if (segment->reserved_bytes >= segment->written_bytes + log->reserve_step / 2 &&
        segment->reserved_bytes > 0) {
        log->reserve_us = now_us;
        return;
    }
    if (op_busy(&log->reserve_op) || wait_is_set(&log->reserve_wait) || log->truncating)
        return;
    const bool fast = log->reserve_step > 0 && now_us - log->reserve_step_us < RESERVE_FAST_US;
    log->reserve_step = fast ? log->reserve_step * 2 : RESERVE_LEAST_BYTES;
    if (log->reserve_step > RESERVE_MOST_BYTES)
        log->reserve_step = RESERVE_MOST_BYTES;
    if (segment->reserved_bytes < segment->written_bytes)
        segment->reserved_bytes = segment->written_bytes;
    const uint64_t limit = (uint64_t)log->settings.segment_bytes;
    if (segment->reserved_bytes >= limit)
        return;
    if (log->reserve_step > limit - segment->reserved_bytes)
        log->reserve_step = limit - segment->reserved_bytes;
    log->reserve_us = now_us;
    log->reserve_step_us = now_us;
    log->reserve_segment = segment;
    segment_hold(segment);
    io_reserve(log->io, &log->reserve_op, reserved, segment->file, segment->reserved_bytes,
               log->reserve_step);
    if (!timer_is_set(&log->reserve_timer))
        timer_set(&log->io->timers, &log->reserve_timer, now_us + RESERVE_REST_US, rested);
}
