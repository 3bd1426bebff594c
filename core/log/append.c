/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending: batches get their offsets at once and queue up; at the end of the turn all that queued
 * go out in one gathered write, and one such write is under way at a time. What comes meanwhile
 * goes out with the next, so that a slow device makes writes larger, not more of them.
 */
#include "core/log/folder_internal.h"

/* Rings begin with so many places, and double: powers of two. */
#define PENDING_LEAST        8
#define RECENT_BATCHES_LEAST 8

static struct pending *pending_at(const struct log *log, uint32_t index)
{
    return &log->pending[(log->pending_first + index) & (log->pending_capacity - 1)];
}

static void pending_add(struct log *log, const struct log_append *append)
{
    if (log->pending_count == log->pending_capacity) {
        /* memory_grow doubles, from a power of two, so that the ring's places stay easy to find */
        const uint32_t before = log->pending_capacity;
        log->pending =
            memory_grow(log->io->memory, log->pending, &log->pending_capacity,
                        before == 0 ? PENDING_LEAST : before * 2, sizeof(struct pending));
        CHECK((log->pending_capacity & (log->pending_capacity - 1)) == 0);
        if (before > 0)
            memcpy(log->pending + before, log->pending,
                   log->pending_first * sizeof(struct pending));
    }
    *pending_at(log, log->pending_count++) = (struct pending){
        .segment = log_active(log),
        .buffer = buffer_hold(append->buffer),
        .data = append->batch,
        .length = append->length,
        .end_offset = log->end,
    };
}

void log_turn(struct log *log)
{
    io_at_turn_end(log->io, &log->turn, log_turn_end);
}

static void recent_add(struct log *log, const struct batch_info *info, uint64_t position)
{
    if (log->recent_count == log->recent_capacity && log->recent_capacity < RECENT_BATCHES_MAX) {
        const uint32_t capacity =
            log->recent_capacity == 0 ? RECENT_BATCHES_LEAST : log->recent_capacity * 2;
        log->recent = memory_grow(log->io->memory, log->recent, &log->recent_capacity, capacity,
                                  sizeof(*log->recent));
        CHECK((log->recent_capacity & (log->recent_capacity - 1)) == 0);
    }
    log->recent[log->recent_count++ & (log->recent_capacity - 1)] =
        (struct recent_batch){.base_offset = info->base_offset,
                              .last_offset = batch_last_offset(info),
                              .position = position};
}

bool recent_find(const struct log *log, int64_t offset, uint64_t *ret_position,
                 uint64_t *ret_end_position)
{
    uint64_t end = log_active(log)->size_bytes;
    uint64_t next_end = end; /* of the batch that begins at `end` */
    uint32_t least = 0;
    if (log->recent_count > log->recent_capacity)
        least = log->recent_count - log->recent_capacity;
    for (uint32_t i = log->recent_count; i > least; i--) {
        const struct recent_batch *batch = &log->recent[(i - 1) & (log->recent_capacity - 1)];
        if (batch->last_offset < offset) { /* in a gap that compaction left */
            *ret_position = end;
            *ret_end_position = next_end;
            return end < next_end;
        }
        if (batch->base_offset <= offset) {
            *ret_position = batch->position;
            *ret_end_position = end;
            return true;
        }
        next_end = end;
        end = batch->position;
    }
    return false;
}

/* Puts the batch at its place: everything that its bytes and `info` have to say from now on. */
static void batch_place(struct log *log, struct log_append *append, struct batch_info *info)
{
    *info = *append->info;
    append->append_time_ms = -1;
    if (append->log_append_time_ms >= 0) {
        batch_set_log_append_time(append->batch, append->length, append->log_append_time_ms);
        info->attributes |= BATCH_LOG_APPEND_TIME;
        info->max_timestamp_ms = append->log_append_time_ms;
        append->append_time_ms = append->log_append_time_ms;
    }
    batch_patch(append->batch, log->end, append->leader_epoch);
    info->base_offset = log->end;
    info->leader_epoch = append->leader_epoch;
}

/* Forgets producers that were silent for long; looks for them again when the next one may be. */
static void producers_age(struct log *log)
{
    const int64_t now_ms = log->io->wall_ms;
    const int64_t expiration_ms = log->settings.producer_expiration_ms;
    if (now_ms < log->producers_look_ms)
        return;
    log->producers_look_ms = producers_expire(&log->producers, now_ms, expiration_ms);
    if (log->producers_look_ms - now_ms > expiration_ms)
        log->producers_look_ms = now_ms + expiration_ms;
}

/* The batch is the log's last from now on; `info` is that of its bytes as they are. */
static void batch_add(struct log *log, struct log_append *append, const struct batch_info *info)
{
    struct segment *segment = log_active(log);
    if (segment->size_bytes == 0)
        segment->first_ms = info->max_timestamp_ms;
    recent_add(log, info, segment->size_bytes);
    const struct index_settings settings = log_index_settings(log);
    index_append(segment->index, &settings, info, (uint32_t)segment->size_bytes);
    producers_update(&log->producers, info, log->io->wall_ms);
    if (info->leader_epoch >= 0)
        log->epochs_changed |= epochs_assign(&log->epochs, info->leader_epoch, info->base_offset);
    append->base_offset = info->base_offset;
    append->last_offset = batch_last_offset(info);
    log->end = append->last_offset + 1;
    segment->size_bytes += append->length;
    log->size_bytes += append->length;
    pending_add(log, append);
    log_turn(log);
}

int log_append(struct log *log, struct log_append *append)
{
    CHECK(log->state == LOG_READY && !log->closing && !log->deleted && log->truncation == NULL);
    CHECK(append->leader_epoch >= log_last_epoch(log));
    CHECK(append->length >= BATCH_HEADER_BYTES && append->info->last_offset_delta >= 0);
    append->duplicate = false;
    if (append->length > (uint64_t)log->settings.segment_bytes)
        return ERR_RECORD_LIST_TOO_LARGE;
    if (append->check_producer && batch_has_producer(append->info)) {
        producers_age(log);
        struct producer_batch original;
        const int error = producers_check(&log->producers, append->info, &original);
        if (error == ERR_DUPLICATE_SEQUENCE_NUMBER) {
            append->duplicate = true;
            append->last_offset = original.last_offset;
            append->base_offset = original.last_offset - original.offset_delta;
            append->append_time_ms = -1;
            return ERR_NONE;
        }
        if (error != ERR_NONE)
            return error;
    }
    const int64_t max_timestamp_ms = append->log_append_time_ms >= 0
                                         ? append->log_append_time_ms
                                         : append->info->max_timestamp_ms;
    const int64_t last_offset = log->end + append->info->last_offset_delta;
    if (roll_is_due(log, append->length, last_offset, max_timestamp_ms))
        log_roll(log);
    struct batch_info info;
    batch_place(log, append, &info);
    batch_add(log, append, &info);
    return ERR_NONE;
}

int log_append_led(struct log *log, struct log_append *append)
{
    const struct batch_info *info = append->info;
    CHECK(log->state == LOG_READY && !log->closing && !log->deleted && log->truncation == NULL);
    CHECK(append->length >= BATCH_HEADER_BYTES && info->last_offset_delta >= 0);
    append->duplicate = false;
    append->append_time_ms = -1;
    if (info->base_offset < log->end || info->base_offset > LOG_OFFSET_MAX)
        return ERR_OFFSET_OUT_OF_RANGE;
    if (info->leader_epoch < log_last_epoch(log) && log->start < log->end)
        return ERR_FENCED_LEADER_EPOCH;
    /* Where there is no compaction, a gap is damage, and recovery would take it for that. */
    if (info->base_offset > log->end && log->settings.delete_old)
        return ERR_INVALID_RECORD;
    if (batch_has_producer(info))
        producers_age(log);
    if (roll_is_due(log, append->length, batch_last_offset(info), info->max_timestamp_ms))
        log_roll(log);
    if (batch_last_offset(info) - log_active(log)->base_offset > INT32_MAX)
        return ERR_OFFSET_OUT_OF_RANGE;
    batch_add(log, append, info);
    return ERR_NONE;
}

/* Takes the first `count` batches off the queue. */
static void pending_take(struct log *log, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct pending *pending = pending_at(log, 0);
        buffer_release(pending->buffer);
        *pending = (struct pending){0};
        log->pending_first = (log->pending_first + 1) & (log->pending_capacity - 1);
        log->pending_count--;
    }
}

void append_drop(struct log *log)
{
    /* Bytes of a write that is under way stay until it completed. */
    while (log->pending_count > log->writing_count) {
        struct pending *pending = pending_at(log, --log->pending_count);
        buffer_release(pending->buffer);
        *pending = (struct pending){0};
    }
}

/* Appends that were promised an offset cannot be written. */
void append_fail(struct log *log, int error)
{
    if (log->state != LOG_READY)
        return;
    if (!error_passes(error)) {
        folder_fail(log->folder, "cannot write to", log->name);
        return;
    }
    io_log(log->io, LOG_ERROR, "%s: appends are refused log=%.*s offset=%lld", error_reason(error),
           SPAN_ARGS(log->name), (long long)log->written_end);
    log_set_state(log, LOG_LOADING);
    append_drop(log);
    recover_rewind(log);
    log->observer->failed(log->observer, error);
}

static void written(struct op *op, const struct completion *completion)
{
    struct log *log = container_of(op, struct log, write_op);
    struct segment *segment = pending_at(log, 0)->segment;
    const uint32_t count = log->writing_count;
    const int64_t end_offset = pending_at(log, count - 1)->end_offset;
    log->writing_count = 0;
    log_hold(log);
    if (log->state != LOG_READY) {
        pending_take(log, count); /* the log was deleted, or its folder failed */
    } else if (completion->error == ERR_NONE) {
        const int64_t messages = end_offset - log->written_end;
        pending_take(log, count);
        segment->written_bytes += log->writing_bytes;
        log->written_end = end_offset;
        folder_unsettled(log->folder, log, log->writing_bytes);
        reserve_ahead(log, segment);
        sync_written(log, messages);
        log_advanced(log);
    } else {
        pending_take(log, count);
        append_drop(log);
        append_fail(log, completion->error);
    }
    segment_release(segment);
    log_goes_on(log);
}

static void write_file_ready(struct wait *wait, int error)
{
    struct log *log = container_of(wait, struct log, write_wait);
    log_hold(log);
    if (error != ERR_NONE)
        append_fail(log, error);
    else
        segment_release(log->write_segment); /* write_start() takes its own use */
    log_goes_on(log);
}

/* Writes what is queued for one segment, as far as one write can take it. */
static void write_start(struct log *log)
{
    if (log->pending_count == 0 || op_busy(&log->write_op) || wait_is_set(&log->write_wait) ||
        log->create != NULL)
        return;
    struct segment *segment = pending_at(log, 0)->segment;
    if (log->truncating && log->reserve_segment == segment)
        return;
    /* A segment proves the ones before it durable, or another file tells otherwise (create.c). */
    if (!log->settings.write_caching && log->segments[log->durable_segment] != segment)
        return;
    if (!segment->exists) {
        create_segment(log, segment);
        return;
    }
    log->write_segment = segment;
    if (!segment_use(segment, &log->write_wait, write_file_ready))
        return;
    uint32_t count = 0;
    uint64_t bytes = 0;
    const uint32_t most =
        log->pending_count < WRITE_PIECES_MAX ? log->pending_count : WRITE_PIECES_MAX;
    log->pieces = memory_grow(log->io->memory, log->pieces, &log->pieces_capacity, most,
                              sizeof(struct piece));
    while (count < most && pending_at(log, count)->segment == segment) {
        const struct pending *pending = pending_at(log, count);
        log->pieces[count++] = (struct piece){.data = pending->data, .length = pending->length};
        bytes += pending->length;
    }
    log->writing_count = count;
    log->writing_bytes = bytes;
    io_write(log->io, &log->write_op, written, segment->file, segment->written_bytes, log->pieces,
             count);
}

void log_turn_end(struct turn_task *task)
{
    struct log *log = container_of(task, struct log, turn);
    log_hold(log);
    if (log->state == LOG_LOADING)
        recover_turn(log);
    else if (log->state != LOG_COLD)
        log_wake(log, log->state == LOG_READY ? ERR_NONE : ERR_KAFKA_STORAGE_ERROR);
    if (log->state == LOG_READY) {
        write_start(log);
        settle_start(log);
        sync_start(log);
        if (log->retain_wanted)
            retain_start(log);
        truncate_turn(log);
    }
    recover_continue(log);
    close_continue(log);
    log_release(log);
}

void append_free(struct log *log)
{
    struct memory *memory = log->io->memory;
    pending_take(log, log->pending_count);
    memory_give(memory, MEMORY_STATE, log->pending, log->pending_capacity * sizeof(struct pending));
    memory_give(memory, MEMORY_STATE, log->pieces, log->pieces_capacity * sizeof(struct piece));
    memory_give(memory, MEMORY_STATE, log->recent,
                log->recent_capacity * sizeof(struct recent_batch));
    list_remove(&log->turn.place);
}
