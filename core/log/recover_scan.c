/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the tail of a log again, from the recovery point on: every batch is summed, what it says
 * of producers, epochs and times is noted, and the first byte that is no batch any more is judged.
 * What had to be durable and is not there, or not right, is never dropped: the log refuses to
 * serve. What never had to be is cut.
 */
#include "core/log/recover.h"

#define SCAN_BYTES       ((uint32_t)256 * 1024)
#define INDEX_BYTES_MAX  ((uint64_t)64 * 1024 * 1024)
#define DAMAGE_BYTES_MAX ((uint64_t)128 * 1024 * 1024)

static void scan_step(struct log_cursor *cursor, int error);
static void scan_segment(struct log *log);

/* Begins to scan `segment` at the position that its index gives, or at its begin without one. */
static void scan_begin(struct log *log)
{
    struct recovery *recovery = log->recovery;
    if (recover_stopped(log))
        return;
    struct segment *segment = log->segments[recovery->segment];
    struct index *index = segment->index;
    const uint32_t loaded = index->offsets.count;
    const uint32_t loaded_times = index->times.count;
    uint64_t position = 0;
    /* An entry from there on may be older than a cut, and name a place behind the end. */
    index_truncate(index, recovery->scan_from);
    if (index->offsets.count > 0)
        position = index_position(index, recovery->scan_from);
    recovery->by_index = position > 0;
    recovery->indexed_to = position > 0 ? recovery->scan_from : segment->base_offset;
    if (position == 0)
        segment_index_new(segment);
    index = segment->index;
    const bool is_cut = index->offsets.count != loaded || index->times.count != loaded_times;
    segment->index_saved = position > 0 && !is_cut && !recovery->rewinding;
    recovery->stale_indexes |= is_cut;
    segment->offsets_saved = index->offsets.count;
    segment->times_saved = index->times.count;
    if (position > 0 && index->times.count > 0)
        segment->first_ms = (int64_t)get_be64(index->times.bytes);
    recovery->next_offset = position > 0 ? segment->base_offset : recovery->next_offset;
    if (segment->size_bytes == 0) {
        scan_segment(log);
        return;
    }
    if (!cursor_is_open(&recovery->cursor))
        cursor_open(&recovery->cursor, log, scan_step);
    if (cursor_enter(&recovery->cursor, segment, position))
        scan_step(&recovery->cursor, ERR_NONE);
}

static void times_got(void *context, int error, struct span times)
{
    struct log *log = context;
    struct recovery *recovery = log->recovery;
    if (recover_stopped(log))
        return;
    struct segment *segment = log->segments[recovery->first];
    struct span offsets = SPAN("");
    if (recovery->offsets != NULL)
        offsets = span_of(recovery->offsets->data, recovery->offsets->capacity);
    segment_index_new(segment);
    if (error == ERR_NONE)
        error = index_load(segment->index, offsets, times, segment->size_bytes);
    recovery->stale_indexes |= error != ERR_NONE;
    buffer_release(recovery->offsets);
    recovery->offsets = NULL;
    scan_begin(log);
}

static void offsets_got(void *context, int error, struct span offsets)
{
    struct log *log = context;
    struct recovery *recovery = log->recovery;
    if (recover_stopped(log))
        return;
    struct segment *segment = log->segments[recovery->first];
    if (error == ERR_NONE)
        recovery->offsets = buffer_new(log->io->memory, MEMORY_READ, (uint32_t)offsets.length);
    if (recovery->offsets == NULL) {
        times_got(log, ERR_NOT_FOUND, SPAN_NULL);
        return;
    }
    memcpy(recovery->offsets->data, offsets.data, offsets.length);
    const struct span path = log_path_of(log, segment->base_offset, ".timeindex");
    file_get(log->io, folder_number(log->folder), path, INDEX_BYTES_MAX, times_got, log);
    log_path_free(log, path);
}

static bool has_index_file(const struct segment *segment)
{
    return segment->has_offsets_file || segment->has_times_file;
}

void recover_scan(struct log *log)
{
    if (recover_stopped(log))
        return;
    struct recovery *recovery = log->recovery;
    const int64_t first = log->segments[0]->base_offset;
    recovery->scan_from = recovery->producers_from;
    if (log->recovery_point < recovery->scan_from)
        recovery->scan_from = log->recovery_point;
    if (recovery->scan_from < first || recovery->epochs_lost)
        recovery->scan_from = first;
    /* Epochs from there on are found again: a file that is older than a cut may name ones that
     * went, and hide those that took their place. */
    log->epochs_changed |=
        epochs_truncate_end(&log->epochs, recovery->scan_from == first ? 0 : recovery->scan_from);
    recovery->first = segment_find(log, recovery->scan_from);
    recovery->segment = recovery->first;
    struct segment *segment = log->segments[recovery->first];
    recovery->next_offset = segment->base_offset;
    recovery->last_epoch = EPOCH_NONE;
    const bool has_index = recovery->truncating && segment_index_keep(segment);
    for (uint32_t i = recovery->first; i < log->segments_count; i++) {
        if (i > recovery->first || !has_index)
            segment_index_new(log->segments[i]);
        if (i > recovery->first)
            recovery->stale_indexes |= has_index_file(log->segments[i]);
    }
    if (has_index || !segment->has_offsets_file || !segment->has_times_file ||
        recovery->rewinding || segment->base_offset == recovery->scan_from) {
        recovery->stale_indexes |= has_index_file(segment);
        scan_begin(log);
        return;
    }
    const struct span path = log_path_of(log, segment->base_offset, ".index");
    file_get(log->io, folder_number(log->folder), path, INDEX_BYTES_MAX, offsets_got, log);
    log_path_free(log, path);
}

/* The index pointed to bytes that are no batch, or another one: begin at the segment's begin. */
static void scan_without_index(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct segment *segment = log->segments[recovery->segment];
    io_log(log->io, LOG_WARN, "an index is built anew log=%.*s segment=%020lld.log",
           SPAN_ARGS(log->name), (long long)segment->base_offset);
    segment_index_new(segment);
    recovery->next_offset = segment->base_offset;
    recovery->last_epoch = EPOCH_NONE;
    scan_begin(log);
}

/* A batch can follow the ones before it. */
static bool batch_fits(const struct recovery *recovery, const struct batch_info *info)
{
    const struct log *log = recovery->log;
    const struct segment *segment = log->segments[recovery->segment];
    /* Compaction leaves gaps, but never behind the recovery point. */
    if (info->base_offset > recovery->next_offset && info->base_offset > log->recovery_point &&
        log->settings.delete_old && !recovery->by_index)
        return false;
    return info->base_offset >= recovery->next_offset && info->base_offset <= LOG_OFFSET_MAX &&
           batch_last_offset(info) - segment->base_offset <= INT32_MAX &&
           info->leader_epoch >= recovery->last_epoch &&
           (!recovery->by_index || info->base_offset <= recovery->scan_from);
}

static void batch_note(struct recovery *recovery, const struct batch_info *info)
{
    struct log *log = recovery->log;
    struct segment *segment = log->segments[recovery->segment];
    const struct index_settings settings = log_index_settings(log);
    const uint64_t position = recovery->cursor.position;
    if (!recovery->has_tail && batch_last_offset(info) >= log->recovery_point) {
        recovery->has_tail = true;
        recovery->tail_segment = recovery->segment;
        recovery->tail_position = position;
    }
    if (position == 0)
        segment->first_ms = info->max_timestamp_ms;
    if (recovery->by_index || batch_last_offset(info) < recovery->indexed_to)
        index_note_time(segment->index, info);
    else
        index_append(segment->index, &settings, info, (uint32_t)position);
    if (info->base_offset >= recovery->producers_from)
        producers_update(&log->producers, info, log->io->wall_ms);
    if (info->leader_epoch > epochs_latest(&log->epochs))
        log->epochs_changed |= epochs_assign(&log->epochs, info->leader_epoch, info->base_offset);
    recovery->last_epoch = info->leader_epoch;
    recovery->next_offset = batch_last_offset(info) + 1;
    recovery->by_index = false;
}

/* There are segments with bytes behind the one that is scanned. */
static bool later_bytes(const struct recovery *recovery)
{
    const struct log *log = recovery->log;
    for (uint32_t i = recovery->segment + 1; i < log->segments_count; i++) {
        if (log->segments[i]->size_bytes > 0)
            return true;
    }
    return false;
}

/* The log ends at the cursor. A segment of which nothing stays, behind a gap, was to begin the log
 * again, and that never came to be (reset.c); who believed it would have a hole. */
static void scan_end(struct log *log)
{
    struct recovery *recovery = log->recovery;
    while (recovery->segment > recovery->first && !recovery->rewinding) {
        const int64_t base_offset = log->segments[recovery->segment]->base_offset;
        const struct segment *before = log->segments[recovery->segment - 1];
        if (recovery->next_offset > base_offset || before->durable_end == base_offset ||
            before->durable_end < log->recovery_point)
            break;
        recovery->segment--;
        recovery->cursor.position = before->size_bytes;
        recovery->next_offset = before->durable_end;
        recovery->cut = true;
    }
    recover_cut(log);
}

/* The bytes at the cursor are no batch that can stand there. */
static void scan_damage(struct log *log, bool cut_off)
{
    struct recovery *recovery = log->recovery;
    struct segment *segment = log->segments[recovery->segment];
    if (recovery->by_index) {
        scan_without_index(log);
        return;
    }
    if (recovery->next_offset < log->recovery_point || recovery->rewinding) {
        recover_refuse(log, "records that were durable are damaged", segment,
                       recovery->cursor.position);
        return;
    }
    /* They prove that it was durable; not so where write caching begins them earlier. */
    if (!log->has_cache_mark && later_bytes(recovery)) {
        recover_refuse(log, "a segment is damaged at its end, and another follows", segment,
                       recovery->cursor.position);
        return;
    }
    struct span rest = SPAN("");
    const uint64_t bytes = segment->size_bytes - recovery->cursor.position;
    enum cursor_state state = bytes == 0 ? CURSOR_READY : CURSOR_FAILED;
    if (bytes > 0 && bytes <= DAMAGE_BYTES_MAX)
        state = cursor_want(&recovery->cursor, (uint32_t)bytes, (uint32_t)bytes,
                            segment->size_bytes, &rest);
    if (state == CURSOR_WAITS)
        return; /* scan_step() comes here again */
    if (state == CURSOR_FAILED ||
        !damage_is_torn(rest, recovery->cursor.position, recovery->next_offset, cut_off)) {
        recover_refuse(log, "records are damaged, and good ones follow them", segment,
                       recovery->cursor.position);
        return;
    }
    recovery->cut = true;
    scan_end(log);
}

/* A whole and sound batch that cannot stand here. That is no torn one, but for its base offset,
 * which the checksum leaves out and a lost sector may have held. */
static void scan_misfit(struct log *log, struct span batch)
{
    const struct recovery *recovery = log->recovery;
    if (recovery->by_index)
        scan_without_index(log);
    else if (damage_is_lost_begin(batch, recovery->cursor.position, recovery->next_offset))
        scan_damage(log, false);
    else
        recover_refuse(log, "a batch is out of its place", log->segments[recovery->segment],
                       recovery->cursor.position);
}

/* What lies between two segments was there once: each begins where the log ended. Compaction may
 * have taken it, which leaves everything behind the recovery point alone, so that there a power
 * loss has, which may take the end of any segment that only the page cache had. A replica that
 * keeps such a hole tells its leader that it has what others were promised. */
static bool gap_is_lost(const struct recovery *recovery)
{
    const struct log *log = recovery->log;
    return log->settings.delete_old || (log->has_cache_mark && !recovery->rewinding &&
                                        recovery->next_offset >= log->recovery_point);
}

/* The segment is scanned to its end. */
static void scan_segment(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct segment *segment = log->segments[recovery->segment];
    if (recovery->next_offset < segment->base_offset)
        recovery->next_offset = segment->base_offset;
    segment->time_known = true;
    segment->max_timestamp_ms = segment->index->max_timestamp_ms;
    segment->max_timestamp_offset = segment->index->max_timestamp_offset;
    segment->durable_end = recovery->next_offset;
    if (recovery->segment + 1 == log->segments_count) {
        scan_end(log);
        return;
    }
    const int64_t next_base = log->segments[recovery->segment + 1]->base_offset;
    recovery->cursor.position = segment->size_bytes;
    if (next_base < recovery->next_offset) {
        recover_refuse(log, "segments overlap", segment, segment->size_bytes);
        return;
    }
    if (next_base > recovery->next_offset && gap_is_lost(recovery)) {
        scan_damage(log, true);
        return;
    }
    index_finish(segment->index);
    recovery->segment++;
    recovery->next_offset = next_base;
    scan_begin(log);
}

static void scan_again(struct log *log)
{
    struct recovery *recovery = log->recovery;
    struct log_cursor *cursor = &recovery->cursor;
    if (cursor_enter(cursor, log->segments[recovery->segment], cursor->position))
        scan_step(cursor, ERR_NONE);
}

static void scan_step(struct log_cursor *cursor, int error)
{
    struct recovery *recovery = container_of(cursor, struct recovery, cursor);
    struct log *log = recovery->log;
    if (recover_stopped(log))
        return;
    if (error != ERR_NONE && cursor->passes) {
        recover_again(log, scan_again);
        return;
    }
    if (error != ERR_NONE) {
        recover_folder_failed(log, "cannot read a segment of");
        return;
    }
    const struct segment *segment = log->segments[recovery->segment];
    uint32_t least = BATCH_HEADER_BYTES;
    for (;;) {
        struct span window;
        struct span batch;
        struct batch_info info;
        const enum cursor_state state =
            cursor_want(cursor, least, SCAN_BYTES, segment->size_bytes, &window);
        if (state == CURSOR_WAITS)
            return;
        if (state == CURSOR_FAILED) {
            recover_refuse(log, "there is not enough memory to read a batch",
                           log->segments[recovery->segment], cursor->position);
            return;
        }
        switch (batch_next(window, segment->size_bytes - cursor->position, BATCH_CHECK_CRC, &batch,
                           &info)) {
        case BATCH_FOUND:
            if (!batch_fits(recovery, &info)) {
                scan_misfit(log, batch);
                return;
            }
            batch_note(recovery, &info);
            cursor->position += batch.length;
            least = BATCH_HEADER_BYTES;
            break;
        case BATCH_NEEDS_MORE:
            least = (uint32_t)batch.length;
            break;
        case BATCH_END:
            scan_segment(log);
            return;
        case BATCH_TORN:
            scan_damage(log, true);
            return;
        case BATCH_CORRUPT:
            scan_damage(log, false);
            return;
        }
    }
}
