/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which segments' indexes are in memory: the active one's always, and of the closed ones those used
 * most recently. One that left memory is read from its files, or built anew from batch headers
 * where those are missing or damaged.
 */
#include "core/log/folder_internal.h"

#define INDEX_FILE_BYTES_MAX ((uint64_t)64 * 1024 * 1024)
#define HEADERS_BYTES        ((uint32_t)64 * 1024)

/* Reading or building an index; as long as it lasts, the segment is used. */
struct index_load {
    struct segment *segment;
    struct log_cursor cursor;
    struct index *index;
    struct buffer *offsets;
    int64_t next_offset; /* no batch that is still to be indexed lies below it */
};

struct index_settings log_index_settings(const struct log *log)
{
    return (struct index_settings){
        .interval_bytes = (uint64_t)log->settings.index_interval_bytes,
        .limit_bytes = (uint64_t)log->settings.segment_index_bytes,
    };
}

static struct index *index_new(struct log *log, int64_t base_offset)
{
    struct index *index = memory_new(log->io->memory, struct index);
    index_init(index, log->io->memory, base_offset);
    return index;
}

static void index_drop(struct log *log, struct index *index)
{
    if (index == NULL)
        return;
    index_free(index);
    memory_give(log->io->memory, MEMORY_STATE, index, sizeof(*index));
}

/* What the entries of a closed segment's index take. */
static uint64_t index_bytes(const struct index *index)
{
    return (uint64_t)index->offsets.count * OFFSET_ENTRY_BYTES +
           (uint64_t)index->times.count * TIME_ENTRY_BYTES;
}

struct index *segment_index_new(struct segment *segment)
{
    segment_index_drop(segment);
    segment->index = index_new(segment->log, segment->base_offset);
    segment->index_saved = false;
    segment->offsets_saved = 0;
    segment->times_saved = 0;
    return segment->index;
}

bool segment_index_keep(struct segment *segment)
{
    if (segment->index == NULL)
        return false;
    if (!list_empty(&segment->recent)) {
        list_remove(&segment->recent);
        segment->log->folder->indexes_bytes -= index_bytes(segment->index);
    }
    return true;
}

void segment_index_drop(struct segment *segment)
{
    if (!segment_index_keep(segment))
        return;
    index_drop(segment->log, segment->index);
    segment->index = NULL;
    segment->settling = false; /* there is nothing left to be written */
}

/* Only what the files have may go. */
static bool index_may_go(const struct segment *segment)
{
    return segment->index_saved && segment->offsets_saved == segment->index->offsets.count &&
           segment->times_saved == segment->index->times.count && !segment->settling;
}

/* The one that was used last stays, however large: it may have been loaded just now, and those who
 * wait for it would find it gone, and load it again, for ever. */
static void indexes_trim(struct folder *folder)
{
    struct list *place;
    struct list *next;
    list_each(&folder->indexes, place, next)
    {
        if (folder->indexes_bytes <= folder->indexes_bytes_max || place == folder->indexes.previous)
            return;
        struct segment *segment = container_of(place, struct segment, recent);
        if (index_may_go(segment))
            segment_index_drop(segment);
    }
}

void segment_index_rolled(struct segment *segment)
{
    struct folder *folder = segment->log->folder;
    segment->time_known = true;
    segment->max_timestamp_ms = segment->index->max_timestamp_ms;
    segment->max_timestamp_offset = segment->index->max_timestamp_offset;
    if (segment->index_distrusted) {
        segment_index_drop(segment);
        return;
    }
    if (!list_empty(&segment->recent))
        return;
    list_append(&folder->indexes, &segment->recent);
    folder->indexes_bytes += index_bytes(segment->index);
    indexes_trim(folder);
}

static void load_end(struct segment *segment, int error)
{
    struct index_load *load = segment->index_load;
    struct log *log = segment->log;
    segment->index_load = NULL;
    if (error == ERR_NONE && !segment->removed) {
        segment->index = load->index;
        load->index = NULL;
        segment_index_rolled(segment);
    }
    cursor_close(&load->cursor);
    index_drop(log, load->index);
    buffer_release(load->offsets);
    memory_give(log->io->memory, MEMORY_STATE, load, sizeof(*load));
    waits_wake(&segment->index_waits, error);
    if (log->truncation != NULL || log->closing)
        log_turn(log); /* which may wait for this */
    segment_release(segment);
}

/* The base offset lies outside of the checksum: one that went bad is told by its place. */
static bool build_batch(struct index_load *load, const struct batch_info *info)
{
    const struct index_settings settings = log_index_settings(load->segment->log);
    const int64_t base_offset = load->segment->base_offset;
    if (info->base_offset < load->next_offset || info->base_offset - base_offset > INT32_MAX ||
        batch_last_offset(info) - base_offset > INT32_MAX)
        return false;
    index_append(load->index, &settings, info, (uint32_t)load->cursor.position);
    load->next_offset = batch_last_offset(info) + 1;
    return true;
}

static void build_step(struct log_cursor *cursor, int error)
{
    struct index_load *load = container_of(cursor, struct index_load, cursor);
    struct segment *segment = load->segment;
    uint32_t least = BATCH_HEADER_BYTES;
    while (error == ERR_NONE) {
        struct span window;
        struct span batch;
        struct batch_info info;
        const enum cursor_state state =
            cursor_want(cursor, least, HEADERS_BYTES, segment->written_bytes, &window);
        if (state == CURSOR_WAITS)
            return;
        if (state == CURSOR_FAILED) {
            error = ERR_KAFKA_STORAGE_ERROR;
            break;
        }
        const enum batch_found found = batch_next(window, segment->written_bytes - cursor->position,
                                                  BATCH_CHECK_HEADER, &batch, &info);
        if (found == BATCH_NEEDS_MORE) {
            least = (uint32_t)batch.length;
            continue;
        }
        /* The end; or damage, which whoever walks on from the last entry meets, and tells of. */
        if (found != BATCH_FOUND || !build_batch(load, &info))
            break;
        cursor->position += batch.length;
        least = BATCH_HEADER_BYTES;
    }
    if (error == ERR_NONE) {
        index_finish(load->index);
        segment->index_distrusted = false;
        segment->index_saved = false;
        segment->offsets_saved = 0;
        segment->times_saved = 0;
        settle_must(segment->log);
    }
    load_end(segment, error);
}

static void build_start(struct segment *segment)
{
    struct index_load *load = segment->index_load;
    io_log(segment->log->io, LOG_WARN, "an index is built anew log=%.*s segment=%020lld.log",
           SPAN_ARGS(segment->log->name), (long long)segment->base_offset);
    cursor_open(&load->cursor, segment->log, build_step);
    if (cursor_enter(&load->cursor, segment, 0))
        build_step(&load->cursor, ERR_NONE);
}

static void times_got(void *context, int error, struct span times)
{
    struct segment *segment = context;
    struct index_load *load = segment->index_load;
    if (error == ERR_NONE)
        error = index_load(load->index, span_of(load->offsets->data, load->offsets->capacity),
                           times, segment->written_bytes);
    if (error == ERR_NONE) {
        segment->index_saved = true;
        segment->offsets_saved = load->index->offsets.count;
        segment->times_saved = load->index->times.count;
        load_end(segment, ERR_NONE);
        return;
    }
    build_start(segment);
}

static void offsets_got(void *context, int error, struct span offsets)
{
    struct segment *segment = context;
    struct log *log = segment->log;
    struct index_load *load = segment->index_load;
    if (error == ERR_NONE)
        load->offsets = buffer_new(log->io->memory, MEMORY_READ, (uint32_t)offsets.length);
    if (load->offsets == NULL) {
        times_got(segment, ERR_NOT_FOUND, SPAN_NULL);
        return;
    }
    if (offsets.length > 0)
        memcpy(load->offsets->data, offsets.data, offsets.length);
    const struct span path = log_path_of(log, segment->base_offset, ".timeindex");
    file_get(log->io, folder_number(log->folder), path, INDEX_FILE_BYTES_MAX, times_got, segment);
    log_path_free(log, path);
}

void segment_index_distrust(struct segment *segment)
{
    segment->index_distrusted = true;
    if (segment != log_active(segment->log))
        segment_index_drop(segment);
}

bool segment_index_use(struct segment *segment, struct wait *wait,
                       void (*done)(struct wait *wait, int error))
{
    struct log *log = segment->log;
    if (segment->index != NULL) {
        if (!list_empty(&segment->recent)) {
            list_remove(&segment->recent);
            list_append(&log->folder->indexes, &segment->recent);
        }
        return true;
    }
    wait_add(&segment->index_waits, wait, done);
    if (segment->index_load != NULL)
        return false;
    struct index_load *load = memory_new(log->io->memory, struct index_load);
    load->segment = segment;
    load->index = index_new(log, segment->base_offset);
    load->next_offset = segment->base_offset;
    segment->index_load = load;
    segment_hold(segment);
    if (segment->index_distrusted) {
        build_start(segment);
        return false;
    }
    const struct span path = log_path_of(log, segment->base_offset, ".index");
    file_get(log->io, folder_number(log->folder), path, INDEX_FILE_BYTES_MAX, offsets_got, segment);
    log_path_free(log, path);
    return false;
}
