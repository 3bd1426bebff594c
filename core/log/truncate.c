/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting a log's end off, as a follower does whose last records its leader does not have; and
 * beginning it again elsewhere. Where the process ends in between, recovery finds a log that was
 * cut, or not yet, or in part, and never one with a hole or with less than it has to have:
 *
 *     what was appended is written ─▶ all is quiet ─▶ the place is found
 *       ─▶ recovery point durably at or below it
 *       ─▶ later segments removed, the last one first, each removal made durable
 *       ─▶ segment cut ─▶ tail read again, cut and synced as after a failed write ─▶ READY
 *
 * and to begin again at B, where nothing that is left reaches beyond B:
 *
 *       ─▶ segment B made ─▶ segments above it removed, one by one ─▶ start durably at B
 *       ─▶ segments below it removed, in any order ─▶ READY
 *
 * Leader epochs need no file of their own for that: what leader-epoch-checkpoint says beyond the
 * recovery point is not believed (recover_scan.c), and it is written before that moves on.
 */
#include "core/log/recover.h"

/* Headers that are read at once: the batches between two entries of the index, as a rule. */
#define HEADERS_BYTES ((uint32_t)8 * 1024)

static void locate_step(struct log_cursor *cursor, int error);
static void lower(struct log *log);
static void cut(struct log *log);

static struct truncation *truncation_new(struct log *log, int64_t offset, struct log_waiter *waiter)
{
    CHECK(log->state == LOG_READY && !log->closing && !log->deleted && log->truncation == NULL);
    struct truncation *truncation = memory_new(log->io->memory, struct truncation);
    truncation->log = log;
    truncation->offset = offset;
    truncation->waiter = waiter;
    if (log->high_watermark > offset)
        log->high_watermark = offset;
    log->truncation = truncation;
    log_turn(log);
    return truncation;
}

void log_truncate(struct log *log, int64_t offset, struct log_waiter *waiter)
{
    if (offset < log->start) /* nobody was told of that start yet: it is not durable */
        log_reset(log, log->start, waiter);
    else
        truncation_new(log, offset, waiter);
}

void log_reset(struct log *log, int64_t offset, struct log_waiter *waiter)
{
    CHECK(offset >= 0 && offset <= LOG_OFFSET_MAX);
    struct truncation *truncation = truncation_new(log, offset, waiter);
    truncation->begins_again = true;
    truncation->begin = offset;
}

int64_t log_cut_end(const struct log *log)
{
    if (log->truncation == NULL)
        return INT64_MAX;
    return log->truncation->begins_again ? 0 : log->truncation->offset;
}

void truncation_free(struct log *log)
{
    if (log->truncation == NULL)
        return;
    memory_give(log->io->memory, MEMORY_STATE, log->truncation, sizeof(*log->truncation));
    log->truncation = NULL;
}

void truncation_give_up(struct log *log)
{
    if (log->truncation == NULL || log->truncation->waiter == NULL)
        return;
    list_append(&log->waiters, &log->truncation->waiter->place);
    truncation_free(log);
}

/* All that was appended is written: from now on the log serves nobody. */
void truncate_turn(struct log *log)
{
    struct truncation *truncation = log->truncation;
    if (truncation == NULL || log->pending_count > 0 || log->create != NULL)
        return;
    struct log_waiter *waiter = truncation->waiter;
    if (!truncation->begins_again && truncation->offset >= log->end) {
        truncation_free(log);
        waiter->wake(waiter, ERR_NONE);
        return;
    }
    io_log(log->io, LOG_INFO, "the log is cut log=%.*s end=%lld offset=%lld", SPAN_ARGS(log->name),
           (long long)log->end, (long long)truncation->offset);
    truncation->waiter = NULL;
    list_append(&log->waiters, &waiter->place);
    log_set_state(log, LOG_LOADING);
    recover_rewind(log);
    log->recovery->truncating = true;
    timer_cancel(&log->io->timers, &log->retention_timer);
    timer_cancel(&log->io->timers, &log->reserve_timer);
    /* Places in files that they hold are about to mean something else. */
    cursors_end(log, ERR_NOT_LEADER_OR_FOLLOWER);
    recover_continue(log);
}

/* Nothing is under way any more: the first batch that goes is looked for, from one that stays on.
 */
void truncate_begin(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct truncation *truncation = log->truncation;
    recovery->segment = segment_find(log, truncation->offset - 1);
    const struct segment *segment = log->segments[recovery->segment];
    truncation->position = segment->size_bytes;
    truncation->kept_end = segment->base_offset;
    if (truncation->offset >= log->end) {
        truncation->kept_end = log->end;
        lower(log);
    } else if (truncation->offset <= segment->base_offset) {
        truncation->position = 0;
        lower(log);
    } else {
        cursor_open(&recovery->cursor, log, locate_step);
        locate_step(&recovery->cursor, ERR_NONE);
    }
}

static void locate_again(struct log *log)
{
    if (!recover_stopped(log))
        locate_step(&log->recovery->cursor, ERR_NONE);
}

void truncate_to_start(struct log *log)
{
    struct truncation *truncation = log->truncation;
    if (truncation->begins_again)
        return;
    truncation->begins_again = true;
    truncation->begin = log->start;
}

/* Walks to the first batch that reaches to the offset. False when bytes are still to be read, or
 * the recovery is over. */
static bool locate(struct log *log)
{
    struct truncation *truncation = log->truncation;
    struct log_cursor *cursor = &log->recovery->cursor;
    struct segment *segment = cursor->segment;
    for (;;) {
        struct span window;
        struct span batch;
        struct batch_info info;
        const enum cursor_state state =
            cursor_want(cursor, BATCH_HEADER_BYTES, HEADERS_BYTES, segment->size_bytes, &window);
        if (state == CURSOR_FAILED)
            recover_again(log, locate_again);
        if (state != CURSOR_READY)
            return false;
        const enum batch_found found = batch_next(window, segment->size_bytes - cursor->position,
                                                  BATCH_CHECK_HEADER, &batch, &info);
        if (found != BATCH_FOUND && found != BATCH_END) {
            recover_refuse(log, "a batch cannot be read", segment, cursor->position);
            return false;
        }
        truncation->position = cursor->position;
        if (found == BATCH_END || batch_last_offset(&info) >= truncation->offset)
            return true;
        truncation->kept_end = batch_last_offset(&info) + 1;
        cursor->position += batch.length;
    }
}

static void locate_step(struct log_cursor *cursor, int error)
{
    struct recovery *recovery = container_of(cursor, struct recovery, cursor);
    struct log *log = recovery->log;
    if (recover_stopped(log))
        return;
    if (error != ERR_NONE && cursor->passes) {
        cursor->placed = false;
        recover_again(log, locate_again);
        return;
    }
    if (error != ERR_NONE) {
        recover_folder_failed(log, "cannot read a segment of");
        return;
    }
    if (!cursor->placed) {
        const enum cursor_state state =
            cursor_seek(cursor, log->segments[recovery->segment], log->truncation->offset - 1);
        if (state == CURSOR_FAILED)
            recover_again(log, locate_again);
        if (state != CURSOR_READY)
            return;
        cursor->placed = true;
    }
    if (!locate(log))
        return;
    cursor_close(cursor);
    lower(log);
}

/* Records above the recovery point may be missing, those below it never. It is written even if it
 * is low enough: a process before may have lowered it, and been killed before that was durable. */
static void lowered(struct log_waiter *waiter, int error)
{
    struct log *log = container_of(waiter, struct truncation, checkpoint)->log;
    if (recover_stopped(log))
        return;
    if (error_passes(error))
        recover_again(log, lower);
    else if (error != ERR_NONE)
        recover_folder_failed(log, "cannot write the checkpoint of");
    else
        truncate_remove_last(log);
}

static void lower(struct log *log)
{
    struct truncation *truncation = log->truncation;
    int64_t kept_end = truncation->kept_end;
    if (recover_stopped(log))
        return;
    if (truncation->begins_again && truncation->begin < kept_end)
        kept_end = truncation->begin;
    if (kept_end < log->recovery_point)
        log->recovery_point = kept_end;
    truncation->checkpoint.wake = lowered;
    folder_checkpoint(log->folder, &truncation->checkpoint);
}

/* Removes the segments behind recovery->segment. Each removal is durable before the next, or a
 * power loss might leave a later segment, and a hole before it. */
static void last_removal_synced(struct op *op, const struct completion *completion)
{
    struct log *log = container_of(op, struct recovery, op)->log;
    if (recover_stopped(log))
        return;
    if (error_passes(completion->error))
        recover_again(log, truncate_remove_last);
    else if (completion->error != ERR_NONE)
        recover_folder_failed(log, "cannot sync the folder of");
    else
        truncate_remove_last(log);
}

static void last_removed(struct op *op, const struct completion *completion)
{
    struct recovery *recovery = container_of(op, struct recovery, op);
    struct log *log = recovery->log;
    log_path_free(log, recovery->path);
    recovery->path = SPAN_NULL;
    if (recover_stopped(log))
        return;
    if (completion->error != ERR_NONE)
        recover_folder_failed(log, "cannot remove a segment of");
    else
        io_sync_folder(log->io, op, last_removal_synced, folder_number(log->folder), log->name);
}

void truncate_drop_indexes(struct recovery *recovery, const struct segment *segment)
{
    recover_trash_offset(recovery, segment->base_offset, ".index");
    recover_trash_offset(recovery, segment->base_offset, ".timeindex");
}

void truncate_remove_last(struct log *log)
{
    struct recovery *recovery = log->recovery;
    if (recover_stopped(log))
        return;
    while (log->segments_count > recovery->segment + 1) {
        struct segment *segment = log->segments[--log->segments_count];
        const int64_t base_offset = segment->base_offset;
        const bool exists = segment->exists;
        if (exists)
            truncate_drop_indexes(recovery, segment);
        segment_drop(segment);
        if (!exists)
            continue;
        recovery->path = log_path_of(log, base_offset, ".log");
        io_remove(log->io, &recovery->op, last_removed, folder_number(log->folder), recovery->path);
        return;
    }
    if (log->truncation->phase == TRUNCATION_CUT)
        cut(log);
    else
        reset_start(log);
}

/* Somebody is being sent bytes that go. */
static bool is_pinned(const struct log *log)
{
    const struct segment *segment = log->segments[log->recovery->segment];
    return segment->pins > 0 && segment->pinned_bytes > log->truncation->position;
}

static void cut(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct truncation *truncation = log->truncation;
    struct segment *segment = log->segments[recovery->segment];
    truncation->waits_for_pins = is_pinned(log);
    if (truncation->waits_for_pins)
        return; /* until truncate_unpinned() */
    log->end = truncation->kept_end;
    log->written_end = log->end;
    log->recent_count = 0;
    segment->size_bytes = truncation->position;
    segment->written_bytes = truncation->position;
    if (log->durable_segment > recovery->segment)
        log->durable_segment = recovery->segment;
    if (segment->exists) {
        recover_truncate(log);
        return;
    }
    segment_index_new(segment);
    producers_clear(&log->producers);
    recover_ready(log);
}

void truncate_unpinned(struct log *log)
{
    if (!log->truncation->waits_for_pins || recover_stopped(log))
        return;
    cut(log);
}

bool truncate_is_done(struct log *log)
{
    struct truncation *truncation = log->truncation;
    if (truncation->phase == TRUNCATION_CUT && truncation->begins_again) {
        reset_create(log);
        return false;
    }
    CHECK(truncation->phase == TRUNCATION_CUT || truncation->phase == TRUNCATION_BELOW);
    return true;
}
