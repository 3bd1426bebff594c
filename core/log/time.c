/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding offsets by time: the segment by its latest time, the place in it by its time index, then
 * the first batch whose latest time is late enough is opened.
 */
#include "core/log/folder_internal.h"
#include "core/records/record.h"

#define HEADERS_BYTES ((uint32_t)8 * 1024)

/* What a batch may decompress to. */
#define RECORDS_BYTES_MAX ((size_t)128 * 1024 * 1024)

static void time_end(struct log_time *time, int error)
{
    cursor_close(&time->cursor);
    time->error = error;
    time->done(time);
}

/* Looks through the records of the batch. True when the search is over. */
static bool batch_search(struct log_time *time, struct span batch, const struct batch_info *info)
{
    struct log *log = time->cursor.log;
    struct arena arena;
    struct record_cursor records;
    struct record record;
    arena_init(&arena, log->io->memory, MEMORY_READ, RECORDS_BYTES_MAX);
    int error = record_cursor_open(batch, log->codecs, RECORDS_BYTES_MAX, &arena, &records);
    bool found = false;
    while (error == ERR_NONE && !found && record_next(&records, &record))
        found = record.timestamp_ms >= time->sought_ms && record.offset >= log_start(log);
    if (error == ERR_NONE && !found)
        error = records.error;
    if (found && record.offset < time->end_offset) {
        time->offset = record.offset;
        time->found_ms = record.timestamp_ms;
        time->leader_epoch = info->leader_epoch;
    }
    arena_reset(&arena);
    if (found || error != ERR_NONE)
        time_end(time, error);
    return found || error != ERR_NONE;
}

/* Walks from the cursor to the batch. True when the search is over, or waits. */
static bool time_walk(struct log_time *time)
{
    struct log_cursor *cursor = &time->cursor;
    const struct segment *segment = cursor->segment;
    uint32_t least = BATCH_HEADER_BYTES;
    for (;;) {
        struct span window;
        struct span batch;
        struct batch_info info;
        const enum cursor_state state =
            cursor_want(cursor, least, HEADERS_BYTES, segment->written_bytes, &window);
        if (state == CURSOR_WAITS)
            return true;
        if (state == CURSOR_FAILED) {
            time_end(time, ERR_KAFKA_STORAGE_ERROR);
            return true;
        }
        const enum batch_found found = batch_next(window, segment->written_bytes - cursor->position,
                                                  BATCH_CHECK_HEADER, &batch, &info);
        if (found == BATCH_END)
            return false;
        if (found != BATCH_FOUND) {
            time_end(time, log_damage_met(cursor));
            return true;
        }
        if (info.max_timestamp_ms >= time->sought_ms &&
            batch_last_offset(&info) >= log_start(cursor->log)) {
            if (window.length < batch.length) {
                least = (uint32_t)batch.length;
                continue;
            }
            if (info.base_offset >= time->end_offset) {
                time_end(time, ERR_NONE);
                return true;
            }
            if (batch_search(time, batch, &info))
                return true;
        }
        cursor->position += batch.length;
        least = BATCH_HEADER_BYTES;
    }
}

static bool segment_time(struct log_cursor *cursor, struct segment *segment, int64_t *ret_latest_ms)
{
    if (segment->index == NULL && !segment->time_known) {
        if (!cursor_index(cursor, segment))
            return false;
    }
    *ret_latest_ms =
        segment->index != NULL ? segment->index->max_timestamp_ms : segment->max_timestamp_ms;
    return true;
}

/* Chooses the segment from `at` on; `*ret_at` is segments_count when there is none. False: waits.
 */
static bool time_choose(struct log_time *time, uint32_t at, uint32_t *ret_at)
{
    struct log *log = time->cursor.log;
    int64_t best_ms = -1;
    *ret_at = log->segments_count;
    for (; at < log->segments_count; at++) {
        struct segment *segment = log->segments[at];
        int64_t latest_ms;
        if (segment->written_bytes == 0 || segment->base_offset >= time->end_offset ||
            segment_end(log, at) <= time->from_offset)
            continue;
        if (!segment_time(&time->cursor, segment, &latest_ms))
            return false;
        if (time->timestamp_ms == LOG_TIME_MAX ? latest_ms <= best_ms
                                               : latest_ms < time->timestamp_ms)
            continue;
        best_ms = latest_ms;
        *ret_at = at;
        if (time->timestamp_ms != LOG_TIME_MAX)
            break;
    }
    time->sought_ms = time->timestamp_ms == LOG_TIME_MAX ? best_ms : time->timestamp_ms;
    return true;
}

static void time_step(struct log_cursor *cursor, int error)
{
    struct log_time *time = container_of(cursor, struct log_time, cursor);
    struct log *log = cursor->log;
    while (error == ERR_NONE) {
        if (cursor->placed) {
            if (time_walk(time))
                return;
            /* Only batches below the start were late enough, or the latest time is gone with them.
             */
            cursor->placed = false;
            const uint32_t behind = segment_behind(log, cursor->segment);
            time->from_offset = behind == 0 ? log_start(log) : segment_end(log, behind - 1);
        }
        uint32_t at = segment_find(log, time->from_offset);
        if (!time_choose(time, at, &at))
            return;
        if (at == log->segments_count)
            break;
        struct segment *segment = log->segments[at];
        if (!cursor_index(cursor, segment))
            return;
        int64_t offset = index_offset_by_time(segment->index, time->sought_ms);
        if (offset >= time->end_offset)
            offset = time->end_offset - 1; /* the index knows appends that are not written yet */
        if (offset < log_start(log))
            offset = log_start(log);
        const enum cursor_state state = cursor_seek(cursor, segment, offset);
        if (state == CURSOR_WAITS)
            return;
        if (state == CURSOR_FAILED)
            error = ERR_KAFKA_STORAGE_ERROR;
        cursor->placed = true;
    }
    time_end(time, error);
}

void log_time(struct log *log, struct log_time *time)
{
    time->offset = -1;
    time->found_ms = -1;
    time->leader_epoch = -1;
    time->cursor = (struct log_cursor){.log = log};
    if (log->state != LOG_READY) {
        time_end(time, ERR_KAFKA_STORAGE_ERROR);
        return;
    }
    if (time->end_offset > log->written_end)
        time->end_offset = log->written_end;
    time->from_offset = log_start(log);
    cursor_open(&time->cursor, log, time_step);
    time_step(&time->cursor, ERR_NONE);
}

void log_time_cancel(struct log_time *time)
{
    cursor_close(&time->cursor);
}
