/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over whole batches, for those who rebuild their state from a log. */
#include "core/log/folder_internal.h"

#define SCAN_BYTES ((uint32_t)256 * 1024)

/* Where the batches before end is not known. */
#define OFFSET_ANY (-1)

static void scan_end(struct log_scan *scan, int error)
{
    cursor_close(&scan->cursor);
    scan->done(scan, error);
}

/* Goes to the segment `at`, or ends behind the last one. False when the scan has to wait, or is
 * over. */
static bool scan_enter(struct log_scan *scan, uint32_t at)
{
    struct log *log = scan->cursor.log;
    if (at == log->segments_count || !log->segments[at]->exists ||
        log->segments[at]->base_offset >= scan->end_offset) {
        scan_end(scan, ERR_NONE);
        return false;
    }
    return cursor_enter(&scan->cursor, log->segments[at], 0);
}

/* The checksum leaves the base offset and the leader epoch out: they have to be what follows from
 * the batches before, and what the log knows of its epochs. */
static bool is_in_place(const struct log_scan *scan, const struct batch_info *info)
{
    const struct log *log = scan->cursor.log;
    const struct segment *segment = scan->cursor.segment;
    const int64_t end = segment_end(log, segment_find(log, segment->base_offset));
    const int32_t epoch = epochs_at(&log->epochs, info->base_offset);
    if (info->base_offset < scan->expected || batch_last_offset(info) >= end ||
        (epoch != EPOCH_NONE && epoch != info->leader_epoch))
        return false;
    /* Where there is no compaction, a gap is damage. */
    return info->base_offset == scan->expected || scan->expected == OFFSET_ANY ||
           !log->settings.delete_old;
}

static int scan_batch(struct log_scan *scan, struct span batch, const struct batch_info *info,
                      bool *ret_over)
{
    const int64_t end = batch_last_offset(info) + 1;
    scan->expected = end;
    *ret_over = end >= scan->end_offset;
    if (end > scan->end_offset || end <= scan->offset)
        return ERR_NONE;
    scan->offset = end;
    return scan->batch(scan, batch);
}

static void scan_step(struct log_cursor *cursor, int error)
{
    struct log_scan *scan = container_of(cursor, struct log_scan, cursor);
    struct log *log = cursor->log;
    uint32_t least = BATCH_HEADER_BYTES;
    while (error == ERR_NONE) {
        if (!cursor->placed) {
            const enum cursor_state placed =
                cursor_seek(cursor, log->segments[segment_find(log, scan->offset)], scan->offset);
            if (placed == CURSOR_WAITS)
                return;
            if (placed == CURSOR_FAILED) {
                error = ERR_KAFKA_STORAGE_ERROR;
                break;
            }
            cursor->placed = true;
            scan->expected = cursor->position == 0 ? cursor->segment->base_offset : OFFSET_ANY;
        }
        const struct segment *segment = cursor->segment;
        struct span window;
        struct span batch;
        struct batch_info info;
        bool over = false;
        const enum cursor_state state =
            cursor_want(cursor, least, SCAN_BYTES, segment->written_bytes, &window);
        if (state == CURSOR_WAITS)
            return;
        if (state == CURSOR_FAILED) {
            error = ERR_KAFKA_STORAGE_ERROR;
            break;
        }
        switch (batch_next(window, segment->written_bytes - cursor->position, BATCH_CHECK_CRC,
                           &batch, &info)) {
        case BATCH_FOUND:
            if (!is_in_place(scan, &info)) {
                error = log_damage_met(cursor);
                break;
            }
            cursor->position += batch.length;
            least = BATCH_HEADER_BYTES;
            error = scan_batch(scan, batch, &info, &over);
            if (error == ERR_NONE && over) {
                scan_end(scan, ERR_NONE);
                return;
            }
            break;
        case BATCH_NEEDS_MORE:
            least = (uint32_t)batch.length;
            break;
        case BATCH_END:
            if (!scan_enter(scan, segment_behind(log, segment)))
                return;
            break;
        default:
            error = log_damage_met(cursor);
            break;
        }
    }
    scan_end(scan, error);
}

void log_scan(struct log *log, struct log_scan *scan)
{
    scan->cursor = (struct log_cursor){.log = log};
    if (log->state != LOG_READY) {
        scan_end(scan, ERR_KAFKA_STORAGE_ERROR);
        return;
    }
    if (scan->offset < log_start(log))
        scan->offset = log_start(log);
    if (scan->end_offset > log->written_end)
        scan->end_offset = log->written_end;
    if (scan->offset >= scan->end_offset) {
        scan_end(scan, ERR_NONE);
        return;
    }
    cursor_open(&scan->cursor, log, scan_step);
    scan_step(&scan->cursor, ERR_NONE);
}

void log_scan_cancel(struct log_scan *scan)
{
    cursor_close(&scan->cursor);
}
