/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading bytes of segments for searches and walks. The bytes that a read fills belong to a chunk,
 * not to the request: a request that is given up leaves its chunk behind, which ends by itself.
 */
#include "core/log/folder_internal.h"

/* Headers that are read at once: the batches between two entries of the index, as a rule. */
#define HEADERS_BYTES ((uint32_t)8 * 1024)

struct chunk {
    struct log *log;
    struct log_cursor *cursor; /* NULL: given up */
    struct segment *segment;   /* used while set */
    struct op op;
    struct wait wait; /* for the segment's file */
    struct buffer *buffer;
    uint64_t position;
    uint32_t length;
};

static void chunk_free(struct chunk *chunk)
{
    struct log *log = chunk->log;
    buffer_release(chunk->buffer);
    if (chunk->segment != NULL)
        segment_release(chunk->segment);
    memory_give(log->io->memory, MEMORY_STATE, chunk, sizeof(*chunk));
    log_release(log);
}

void cursor_open(struct log_cursor *cursor, struct log *log,
                 void (*step)(struct log_cursor *cursor, int error))
{
    struct chunk *chunk = memory_new(log->io->memory, struct chunk);
    chunk->log = log;
    chunk->cursor = cursor;
    log_hold(log);
    cursor->log = log;
    cursor->segment = NULL;
    cursor->chunk = chunk;
    cursor->position = 0;
    cursor->step = step;
    list_init(&cursor->place);
    list_append(&log->cursors, &cursor->place);
}

bool cursor_is_open(const struct log_cursor *cursor)
{
    return cursor->chunk != NULL;
}

void cursor_close(struct log_cursor *cursor)
{
    struct chunk *chunk = cursor->chunk;
    if (chunk == NULL)
        return;
    list_remove(&cursor->place);
    cursor->chunk = NULL;
    cursor->segment = NULL;
    chunk->cursor = NULL;
    if (wait_is_set(&chunk->wait))
        list_remove(&chunk->wait.place);
    if (op_busy(&chunk->op))
        folder_read_given_up(chunk->log->folder);
    else
        chunk_free(chunk);
}

static void chunk_read(struct op *op, const struct completion *completion)
{
    struct chunk *chunk = container_of(op, struct chunk, op);
    if (chunk->cursor == NULL) {
        struct folder *folder = chunk->log->folder;
        chunk_free(chunk);
        folder_read_ended(folder);
        return;
    }
    int error = completion->error == ERR_NONE ? ERR_NONE : ERR_KAFKA_STORAGE_ERROR;
    if (completion->count < chunk->length)
        error = ERR_KAFKA_STORAGE_ERROR; /* the file is shorter than it was */
    if (error != ERR_NONE)
        chunk->length = 0;
    chunk->cursor->step(chunk->cursor, error);
}

static void chunk_file_ready(struct wait *wait, int error)
{
    struct chunk *chunk = container_of(wait, struct chunk, wait);
    chunk->cursor->passes = error_passes(error);
    if (error != ERR_NONE) {
        /* A segment that expired before it could be opened again, or a file that is gone. */
        error = chunk->cursor->segment->removed ? ERR_OFFSET_OUT_OF_RANGE : ERR_KAFKA_STORAGE_ERROR;
        chunk->segment = NULL; /* the use is taken back */
    }
    chunk->cursor->step(chunk->cursor, error);
}

static void chunk_index_ready(struct wait *wait, int error)
{
    struct chunk *chunk = container_of(wait, struct chunk, wait);
    chunk->cursor->step(chunk->cursor, error);
}

bool cursor_index(struct log_cursor *cursor, struct segment *segment)
{
    return segment_index_use(segment, &cursor->chunk->wait, chunk_index_ready);
}

bool cursor_enter(struct log_cursor *cursor, struct segment *segment, uint64_t position)
{
    struct chunk *chunk = cursor->chunk;
    struct segment *before = chunk->segment;
    cursor->segment = segment;
    cursor->position = position;
    if (before == segment)
        return true;
    chunk->segment = segment;
    chunk->length = 0;
    const bool ready = segment_use(segment, &chunk->wait, chunk_file_ready);
    if (before != NULL)
        segment_release(before);
    return ready;
}

enum cursor_state cursor_want(struct log_cursor *cursor, uint32_t least, uint32_t most,
                              uint64_t end_bytes, struct span *ret_window)
{
    struct chunk *chunk = cursor->chunk;
    CHECK(cursor->position <= end_bytes);
    const uint64_t there = end_bytes - cursor->position;
    const uint64_t want = there < least ? there : least;
    if (cursor->position >= chunk->position &&
        cursor->position + want <= chunk->position + chunk->length) {
        const uint64_t skip = cursor->position - chunk->position;
        uint64_t length = chunk->length - skip;
        if (length > there)
            length = there;
        *ret_window = length == 0 ? SPAN("") : span_of(chunk->buffer->data + skip, length);
        return CURSOR_READY;
    }
    uint64_t length = want > most ? want : most;
    if (length > there)
        length = there;
    if (chunk->buffer == NULL || chunk->buffer->capacity < length) {
        buffer_release(chunk->buffer);
        chunk->length = 0;
        chunk->buffer = buffer_new(chunk->log->io->memory, MEMORY_READ, (uint32_t)length);
        if (chunk->buffer == NULL)
            return CURSOR_FAILED;
    }
    chunk->position = cursor->position;
    chunk->length = (uint32_t)length;
    io_read(chunk->log->io, &chunk->op, chunk_read, chunk->segment->file, chunk->position,
            chunk->buffer->data, length);
    return CURSOR_WAITS;
}

enum cursor_state cursor_seek(struct log_cursor *cursor, struct segment *segment, int64_t offset)
{
    for (;;) {
        if (!cursor_index(cursor, segment))
            return CURSOR_WAITS;
        uint64_t position = index_position(segment->index, offset);
        if (segment->index_distrusted || position > segment->written_bytes)
            position = 0;
        if (!cursor_enter(cursor, segment, position))
            return CURSOR_WAITS;
        if (position == 0)
            return CURSOR_READY;
        struct span window;
        struct span batch;
        struct batch_info info;
        const enum cursor_state state =
            cursor_want(cursor, BATCH_HEADER_BYTES, HEADERS_BYTES, segment->written_bytes, &window);
        if (state != CURSOR_READY)
            return state;
        if (batch_next(window, segment->written_bytes - position, BATCH_CHECK_HEADER, &batch,
                       &info) == BATCH_FOUND &&
            info.base_offset >= segment->base_offset && info.base_offset <= offset)
            return CURSOR_READY;
        segment_index_distrust(segment);
    }
}

void cursors_end(struct log *log, int error)
{
    struct list now;
    list_init(&now);
    struct list *place;
    while ((place = list_pop(&log->cursors)) != NULL)
        list_append(&now, place);
    while ((place = list_pop(&now)) != NULL) {
        struct log_cursor *cursor = container_of(place, struct log_cursor, place);
        cursor->step(cursor, error);
    }
}
