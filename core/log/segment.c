/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments of a log, and their open files. A file is open while somebody uses it, and afterwards
 * until the data folder has too many that nobody uses:
 *
 *     CLOSED ──▶ OPENING ──▶ OPEN ──▶ CLOSING ──▶ CLOSED
 */
#include "core/log/internal.h"

#include "core/log/folder_internal.h"

void waits_wake(struct list *waits, int error)
{
    struct list now;
    list_init(&now);
    struct list *place;
    while ((place = list_pop(waits)) != NULL)
        list_append(&now, place);
    while ((place = list_pop(&now)) != NULL) {
        struct wait *wait = container_of(place, struct wait, place);
        wait->done(wait, error);
    }
}

struct segment *segment_new(struct log *log, int64_t base_offset)
{
    struct segment *segment = memory_new(log->io->memory, struct segment);
    segment->log = log;
    segment->base_offset = base_offset;
    segment->durable_end = base_offset;
    segment->first_ms = BATCH_NO_TIMESTAMP;
    segment->created_ms = log->io->wall_ms;
    segment->max_timestamp_ms = BATCH_NO_TIMESTAMP;
    segment->max_timestamp_offset = base_offset;
    list_init(&segment->file_waits);
    list_init(&segment->index_waits);
    list_init(&segment->idle);
    list_init(&segment->recent);
    return segment;
}

void segment_add(struct log *log, struct segment *segment)
{
    log->segments = memory_grow(log->io->memory, log->segments, &log->segments_capacity,
                                log->segments_count + 1, sizeof(struct segment *));
    log->segments[log->segments_count++] = segment;
}

uint32_t segment_find(const struct log *log, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = log->segments_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (log->segments[middle]->base_offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t segment_behind(const struct log *log, const struct segment *segment)
{
    const uint32_t at = segment_find(log, segment->base_offset);
    return log->segments[at] == segment ? at + 1 : 0;
}

int64_t segment_end(const struct log *log, uint32_t at)
{
    return at + 1 < log->segments_count ? log->segments[at + 1]->base_offset : log->end;
}

void segment_free(struct segment *segment)
{
    struct log *log = segment->log;
    segment_index_drop(segment);
    list_remove(&segment->idle);
    log_path_free(log, segment->path);
    memory_give(log->io->memory, MEMORY_STATE, segment, sizeof(*segment));
}

static void segment_close(struct segment *segment);

static void file_closed(struct op *op, const struct completion *completion)
{
    struct segment *segment = container_of(op, struct segment, file_op);
    struct log *log = segment->log;
    (void)completion; /* nothing that counts was left to be written */
    segment->file_state = FILE_CLOSED;
    if (segment->removed)
        segment_free(segment);
    else if (!list_empty(&segment->file_waits))
        segment_use(segment, NULL, NULL);
    log_release(log);
}

static void segment_close(struct segment *segment)
{
    CHECK(segment->file_state == FILE_OPEN && segment->uses == 0);
    list_remove(&segment->idle);
    segment->log->folder->idle_files_count--;
    segment->file_state = FILE_CLOSING;
    log_hold(segment->log);
    io_close_file(segment->log->io, &segment->file_op, file_closed, segment->file);
}

/* Nobody uses the file at the moment. */
static void segment_idle(struct segment *segment)
{
    struct folder *folder = segment->log->folder;
    list_append(&folder->idle_files, &segment->idle);
    folder->idle_files_count++;
    if (segment->removed)
        segment_close(segment);
    else if (folder->idle_files_count > folder->open_files_max)
        segment_close(container_of(folder->idle_files.next, struct segment, idle));
}

static void segment_busy(struct segment *segment)
{
    if (list_empty(&segment->idle))
        return;
    list_remove(&segment->idle);
    segment->log->folder->idle_files_count--;
}

static void file_opened(struct op *op, const struct completion *completion)
{
    struct segment *segment = container_of(op, struct segment, file_op);
    struct log *log = segment->log;
    log_path_free(log, segment->path);
    segment->path = SPAN_NULL;
    int error = completion->error;
    if (error == ERR_NONE && completion->count < segment->written_bytes)
        error = ERR_IO; /* somebody cut the file behind our back */
    segment->file_state = completion->error == ERR_NONE ? FILE_OPEN : FILE_CLOSED;
    segment_hold(segment); /* nobody frees it meanwhile */
    struct list waits;
    list_init(&waits);
    struct list *place;
    while ((place = list_pop(&segment->file_waits)) != NULL)
        list_append(&waits, place);
    while ((place = list_pop(&waits)) != NULL) {
        struct wait *wait = container_of(place, struct wait, place);
        if (error != ERR_NONE)
            segment_release(segment);
        wait->done(wait, error);
    }
    segment_release(segment);
    log_release(log);
}

bool segment_use(struct segment *segment, struct wait *wait,
                 void (*done)(struct wait *wait, int error))
{
    if (wait != NULL) {
        CHECK(segment->exists);
        segment_hold(segment);
        if (segment->file_state == FILE_OPEN)
            return true;
        wait_add(&segment->file_waits, wait, done);
    }
    if (segment->file_state == FILE_CLOSED) {
        segment->file_state = FILE_OPENING;
        segment->file = io_new_file(segment->log->io);
        segment->path = log_path_of(segment->log, segment->base_offset, ".log");
        log_hold(segment->log);
        io_open(segment->log->io, &segment->file_op, file_opened, segment->file, OPEN_EXISTING,
                folder_number(segment->log->folder), segment->path);
    }
    return false;
}

void segment_opened(struct segment *segment, uint64_t file)
{
    CHECK(segment->file_state == FILE_CLOSED);
    segment->exists = true;
    segment->file = file;
    segment->file_state = FILE_OPEN;
    if (segment->uses == 0)
        segment_idle(segment);
}

void segment_hold(struct segment *segment)
{
    if (segment->uses++ == 0)
        segment_busy(segment);
    log_hold(segment->log);
}

void segment_release(struct segment *segment)
{
    struct log *log = segment->log;
    CHECK(segment->uses > 0);
    segment->uses--;
    if (segment->uses == 0 && segment->file_state == FILE_OPEN)
        segment_idle(segment);
    else if (segment->uses == 0 && segment->removed && segment->file_state == FILE_CLOSED)
        segment_free(segment);
    log_release(log);
}

void segment_drop(struct segment *segment)
{
    segment->removed = true;
    segment_index_drop(segment);
    if (segment->uses > 0 || segment->file_state == FILE_OPENING ||
        segment->file_state == FILE_CLOSING)
        return;
    if (segment->file_state == FILE_OPEN)
        segment_close(segment);
    else
        segment_free(segment);
}
