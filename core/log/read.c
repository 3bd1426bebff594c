/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the range of a segment that answers a fetch. The newest batches' places are in memory,
 * and so is the end that most readers ask for; older ones are found through the sparse index and
 * the headers behind the entry.
 */
#include "core/log/folder_internal.h"

/* Headers that are read at once: the batches between two entries of the index, as a rule. */
#define HEADERS_BYTES ((uint32_t)8 * 1024)

enum walk { WALK_FOUND, WALK_WAITS, WALK_END, WALK_FAILED, WALK_DAMAGED };

/* Goes on from the cursor to the first batch that ends beyond `offset`. */
static enum walk walk_to(struct log_cursor *cursor, int64_t offset, struct batch_info *ret_info)
{
    const struct segment *segment = cursor->segment;
    for (;;) {
        struct span window;
        struct span batch;
        switch (cursor_want(cursor, BATCH_HEADER_BYTES, HEADERS_BYTES, segment->written_bytes,
                            &window)) {
        case CURSOR_WAITS:
            return WALK_WAITS;
        case CURSOR_FAILED:
            return WALK_FAILED;
        case CURSOR_READY:
            break;
        }
        switch (batch_next(window, segment->written_bytes - cursor->position, BATCH_CHECK_HEADER,
                           &batch, ret_info)) {
        case BATCH_FOUND:
            if (batch_last_offset(ret_info) >= offset)
                return WALK_FOUND;
            cursor->position += batch.length;
            break;
        case BATCH_END:
            return WALK_END;
        default:
            log_damage_met(cursor);
            return WALK_DAMAGED;
        }
    }
}

/* Where the segment's bytes below `end_offset` end, when memory knows. */
static bool limit_known(const struct log *log, uint32_t at, int64_t end_offset, uint64_t *ret_limit)
{
    const struct segment *segment = log->segments[at];
    if (end_offset >= log->written_end || end_offset >= segment_end(log, at)) {
        *ret_limit = segment->written_bytes;
        return true;
    }
    if (end_offset == segment->durable_end) {
        *ret_limit = segment->durable_bytes;
        return true;
    }
    uint64_t position;
    uint64_t end_position;
    if (at + 1 == log->segments_count && recent_find(log, end_offset, &position, &end_position)) {
        /* A batch that holds the end offset in its middle stays out. */
        *ret_limit = position;
        return true;
    }
    return false;
}

static void read_end(struct log_read *read, int error)
{
    cursor_close(&read->cursor);
    read->error = error;
    read->done(read);
}

static void read_found(struct log_read *read, struct segment *segment, uint64_t limit)
{
    uint64_t length = read->max_bytes;
    if (read->whole_first && length < read->first_bytes)
        length = read->first_bytes;
    if (length > limit - read->first_position)
        length = limit - read->first_position;
    if (length > 0) {
        segment_hold(segment);
        if (segment->pins++ == 0)
            segment->pinned_bytes = 0;
        if (segment->pinned_bytes < read->first_position + length)
            segment->pinned_bytes = read->first_position + length;
        read->range = (struct log_range){
            .segment = segment,
            .file = segment->file,
            .position = read->first_position,
            .length = (uint32_t)length,
        };
    }
    read_end(read, ERR_NONE);
}

/* The first batch is found; now the end. True when the read is over. */
static bool read_limit(struct log_read *read)
{
    struct log *log = read->cursor.log;
    struct segment *segment = read->cursor.segment;
    const uint32_t at = segment_find(log, segment->base_offset);
    uint64_t limit;
    if (limit_known(log, at, read->end_offset, &limit)) {
        read_found(read, segment, limit);
        return true;
    }
    const uint64_t floor = segment->index == NULL || segment->index_distrusted
                               ? 0
                               : index_position(segment->index, read->end_offset);
    const uint64_t most = read->max_bytes > read->first_bytes ? read->max_bytes : read->first_bytes;
    if (read->first_position + most <= floor) {
        read_found(read, segment, floor);
        return true;
    }
    if (read->cursor.position < floor)
        read->cursor.position = floor;
    struct batch_info info;
    switch (walk_to(&read->cursor, read->end_offset, &info)) {
    case WALK_WAITS:
        return false;
    case WALK_FAILED:
        read_end(read, ERR_KAFKA_STORAGE_ERROR);
        return true;
    case WALK_DAMAGED:
        read_end(read, ERR_CORRUPT_MESSAGE);
        return true;
    default:
        read_found(read, segment, read->cursor.position);
        return true;
    }
}

static void read_step(struct log_cursor *cursor, int error)
{
    struct log_read *read = container_of(cursor, struct log_read, cursor);
    struct log *log = cursor->log;
    if (error != ERR_NONE) {
        read_end(read, error);
        return;
    }
    /* Its segment may have been removed while it waited. */
    if (read->offset < log_start(log)) {
        read_end(read, ERR_OFFSET_OUT_OF_RANGE);
        return;
    }
    for (;;) {
        if (read->first_bytes > 0) {
            read_limit(read);
            return;
        }
        if (!cursor->placed) {
            const enum cursor_state state =
                cursor_seek(cursor, log->segments[segment_find(log, read->offset)], read->offset);
            if (state == CURSOR_FAILED)
                read_end(read, ERR_KAFKA_STORAGE_ERROR);
            if (state != CURSOR_READY)
                return;
            cursor->placed = true;
        }
        const uint32_t at = segment_find(log, cursor->segment->base_offset);
        struct batch_info info;
        switch (walk_to(cursor, read->offset, &info)) {
        case WALK_FOUND:
            read->first_position = cursor->position;
            read->first_bytes = info.size_bytes;
            break;
        case WALK_WAITS:
            return;
        case WALK_END:
            /* Compaction took the segment's last batches: the next segment's first one follows. */
            if (at + 1 < log->segments_count &&
                log->segments[at + 1]->base_offset < read->end_offset) {
                if (!cursor_enter(cursor, log->segments[at + 1], 0))
                    return;
                break;
            }
            read_end(read, ERR_NONE);
            return;
        case WALK_FAILED:
            read_end(read, ERR_KAFKA_STORAGE_ERROR);
            return;
        case WALK_DAMAGED:
            read_end(read, ERR_CORRUPT_MESSAGE);
            return;
        }
    }
}

/* The log's files are as memory has them: it serves, or is being put right after a full disk. */
static bool log_is_readable(const struct log *log)
{
    return log->state == LOG_READY ||
           (log->state == LOG_LOADING && log->recovery != NULL && log->segments_count > 0 &&
            recovery_keeps_files(log->recovery));
}

void log_read(struct log *log, struct log_read *read)
{
    read->error = ERR_NONE;
    read->range = (struct log_range){0};
    read->cursor = (struct log_cursor){.log = log};
    read->first_bytes = 0;
    if (!log_is_readable(log)) {
        read_end(read, ERR_KAFKA_STORAGE_ERROR);
        return;
    }
    if (read->offset < log_start(log) || read->offset > log->end) {
        read_end(read, ERR_OFFSET_OUT_OF_RANGE);
        return;
    }
    if (read->end_offset > log->written_end)
        read->end_offset = log->written_end;
    if (read->offset >= read->end_offset || (read->max_bytes == 0 && !read->whole_first)) {
        read_end(read, ERR_NONE);
        return;
    }
    const uint32_t at = segment_find(log, read->offset);
    struct segment *segment = log->segments[at];
    uint64_t end_position;
    uint64_t limit;
    if (at + 1 == log->segments_count && segment->file_state == FILE_OPEN &&
        recent_find(log, read->offset, &read->first_position, &end_position) &&
        limit_known(log, at, read->end_offset, &limit)) {
        read->first_bytes = (uint32_t)(end_position - read->first_position);
        read_found(read, segment, limit);
        return;
    }
    cursor_open(&read->cursor, log, read_step);
    read_step(&read->cursor, ERR_NONE);
}

void log_read_cancel(struct log_read *read)
{
    cursor_close(&read->cursor);
}

void log_unpin(struct log_range *range)
{
    struct segment *segment = range->segment;
    if (segment != NULL) {
        segment->pins--;
        if (segment->log->truncation != NULL)
            log_turn(segment->log); /* which may wait for this */
        segment_release(segment);
    }
    *range = (struct log_range){0};
}
