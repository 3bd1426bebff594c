/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/log/story.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/log/index.h"
#include "core/records/builder.h"
#include "core/records/record.h"
#include "core/wire/error.h"

/* An assertion of Check costs a write to a pipe, too much for thousands of lives. */
#define MUST(condition)                             \
    do {                                            \
        if (!(condition))                           \
            ck_abort_msg("not so: %s", #condition); \
    } while (0)

#define NAME       "topic-0"
#define VALUE_MAX  ((size_t)1 << 20)
#define FIRST_TIME INT64_C(1700000000000)

static void advanced(struct log_observer *observer)
{
    struct story *story = container_of(observer, struct story, observer);
    story->advances++;
    CHECK(log_start(story->log) <= log_durable_end(story->log));
    CHECK(log_durable_end(story->log) <= log_written_end(story->log));
    CHECK(log_written_end(story->log) <= log_end(story->log));
    if (story->written_end < log_written_end(story->log))
        story->written_end = log_written_end(story->log);
    if (story->durable_end < log_durable_end(story->log))
        story->durable_end = log_durable_end(story->log);
}

static void failed(struct log_observer *observer, int error)
{
    struct story *story = container_of(observer, struct story, observer);
    story->failures++;
    story->failed_with = error;
}

static void folder_offline(struct folder_observer *observer, struct folder *folder)
{
    struct story *story = container_of(observer, struct story, folder_observer);
    (void)folder;
    story->offline = true;
}

static void woken(struct log_waiter *waiter, int error)
{
    struct story *story = container_of(waiter, struct story, waiter);
    story->woken++;
    story->error = error;
}

void story_begin(struct story *story, uint64_t seed)
{
    *story = (struct story){
        .world = world_new(seed),
        .settings =
            {
                .segment_bytes = INT32_MAX,
                .segment_ms = -1,
                .retention_bytes = -1,
                .retention_ms = -1,
                .index_interval_bytes = 4096,
                .segment_index_bytes = 10 * 1024 * 1024,
                .file_delete_delay_ms = 1000,
                .flush_messages = INT64_MAX,
                .flush_ms = -1,
                .producer_expiration_ms = 86400000,
                .delete_old = true,
            },
        .topic_id = {{1, 2, 3}},
        .observer = {.advanced = advanced, .failed = failed},
        .folder_observer = {.offline = folder_offline},
        .waiter = {.wake = woken},
        .time_ms = FIRST_TIME,
    };
    memset(story->epoch_starts, 0xff, sizeof(story->epoch_starts));
}

void story_end(struct story *story)
{
    world_free(story->world);
}

enum log_state story_boot(struct story *story)
{
    story->io = world_boot_io(story->world);
    story->folder = folder_new(story->io, 0, &story->folder_observer);
    story->offline = false;
    story->woken = 0;
    folder_load(story->folder, &story->waiter);
    world_run(story->world);
    if (story->woken == 0)
        return LOG_COLD;
    MUST(story->error == ERR_NONE);
    story->woken = 0;
    story->log = log_new(story->io, story->folder, SPAN(NAME), story->topic_id, NULL,
                         &story->settings, &story->observer);
    log_load(story->log, &story->waiter);
    MUST(story->woken == 0);
    world_run(story->world);
    if (log_state(story->log) == LOG_READY) {
        MUST(story->woken == 1);
        /* (epoch, offset) never names two things */
        story->epoch++;
    }
    return log_state(story->log);
}

void story_close(struct story *story)
{
    story->woken = 0;
    log_close(story->log, &story->waiter);
    world_run(story->world);
    MUST(story->woken == 1);
    MUST(log_state(story->log) == LOG_CLOSED);
    folder_close(story->folder, &story->waiter);
    world_run(story->world);
    MUST(story->woken == 2);
    world_exit(story->world);
}

void story_kill(struct story *story)
{
    world_kill(story->world);
}

void story_power_loss(struct story *story)
{
    world_power_loss(story->world);
}

/* The byte at `index` of the value of the record at `offset`. */
static uint8_t value_byte(int64_t offset, size_t index)
{
    return (uint8_t)((uint64_t)offset * 31 + index * 7 + 1);
}

static struct buffer *batch_build(struct story *story, int32_t records, size_t value_bytes,
                                  int64_t base_offset, size_t *ret_length)
{
    uint8_t *value = malloc(value_bytes + 1);
    const size_t room = BATCH_HEADER_BYTES + (size_t)records * (value_bytes + 64);
    struct buffer *buffer = buffer_new(story->io->memory, MEMORY_RECEIVE, (uint32_t)room);
    struct batch_builder builder;
    batch_builder_start(&builder, buffer->data, room, story->time_ms, false);
    for (int32_t i = 0; i < records; i++) {
        for (size_t at = 0; at < value_bytes; at++)
            value[at] = value_byte(base_offset + i, at);
        batch_builder_add(&builder, story->time_ms + i, SPAN_NULL, span_of(value, value_bytes));
    }
    *ret_length = batch_builder_finish(&builder);
    free(value);
    return buffer;
}

/* The next record gets this epoch: whatever was appended under it before at or beyond the offset is
 * gone. */
static void note_epoch(struct story *story)
{
    const int64_t offset = log_end(story->log);
    MUST(story->epoch < STORY_EPOCHS_MAX);
    if (story->epoch_starts[story->epoch] < 0 || story->epoch_starts[story->epoch] > offset)
        story->epoch_starts[story->epoch] = offset;
}

void story_check_epochs(struct story *story)
{
    const int64_t log_end_offset = log_end(story->log);
    int64_t end = log_end_offset;
    for (int32_t epoch = STORY_EPOCHS_MAX - 1; epoch >= 0; epoch--) {
        const int64_t start = story->epoch_starts[epoch];
        if (start < 0 || start >= end || start >= log_end_offset)
            continue;
        int32_t found;
        int64_t found_end;
        log_epoch_end(story->log, STORY_EPOCHS_MAX, epoch, &found, &found_end);
        MUST(found == epoch);
        MUST(found_end == end);
        end = start;
    }
}

void story_check_index_files(const struct story *story)
{
    const int64_t end = log_end(story->log);
    const int64_t start = log_start(story->log);
    for (int64_t base = start < 60 ? 0 : start - 60; base <= end + 60; base++) {
        const size_t log_bytes = world_file(story->world, story_path(base, ".log")).length;
        const struct span offsets = world_file(story->world, story_path(base, ".index"));
        const struct span times = world_file(story->world, story_path(base, ".timeindex"));
        for (size_t at = 0; at + OFFSET_ENTRY_BYTES <= offsets.length; at += OFFSET_ENTRY_BYTES) {
            MUST(base + get_be32(offsets.data + at) < end);
            MUST(get_be32(offsets.data + at + 4) < log_bytes);
        }
        for (size_t at = 0; at + TIME_ENTRY_BYTES <= times.length; at += TIME_ENTRY_BYTES)
            MUST(base + get_be32(times.data + at + 8) < end);
    }
}

int story_append_by(struct story *story, int32_t records, int64_t producer, int16_t epoch,
                    int32_t sequence, struct log_append *append)
{
    size_t length;
    struct buffer *buffer = batch_build(story, records, 32, log_end(story->log), &length);
    struct batch_info info;
    put_be64(buffer->data + BATCH_AT_PRODUCER_ID, (uint64_t)producer);
    put_be16(buffer->data + BATCH_AT_PRODUCER_EPOCH, (uint16_t)epoch);
    put_be32(buffer->data + BATCH_AT_BASE_SEQUENCE, (uint32_t)sequence);
    put_be32(buffer->data + BATCH_AT_CRC, batch_checksum(buffer->data, length));
    batch_info_read(buffer->data, &info);
    *append = (struct log_append){.buffer = buffer,
                                  .batch = buffer->data,
                                  .length = (uint32_t)length,
                                  .leader_epoch = story->epoch,
                                  .log_append_time_ms = -1,
                                  .info = &info,
                                  .check_producer = true};
    note_epoch(story);
    const int error = log_append(story->log, append);
    buffer_release(buffer);
    append->info = NULL;
    return error;
}

int story_append_led(struct story *story, int64_t base_offset, int32_t epoch, int32_t records,
                     size_t value_bytes, int32_t sequence)
{
    size_t length;
    struct buffer *buffer = batch_build(story, records, value_bytes, base_offset, &length);
    struct batch_info info;
    put_be64(buffer->data + BATCH_AT_PRODUCER_ID, 7);
    put_be16(buffer->data + BATCH_AT_PRODUCER_EPOCH, 0);
    put_be32(buffer->data + BATCH_AT_BASE_SEQUENCE, (uint32_t)sequence);
    put_be32(buffer->data + BATCH_AT_CRC, batch_checksum(buffer->data, length));
    batch_patch(buffer->data, base_offset, epoch);
    batch_info_read(buffer->data, &info);
    struct log_append append = {
        .buffer = buffer, .batch = buffer->data, .length = (uint32_t)length, .info = &info};
    const int error = log_append_led(story->log, &append);
    if (error == ERR_NONE) {
        MUST(append.base_offset == base_offset);
        MUST(append.last_offset == base_offset + records - 1);
        MUST(log_end(story->log) == base_offset + records);
    }
    buffer_release(buffer);
    return error;
}

int64_t story_append(struct story *story, int32_t records, size_t value_bytes)
{
    size_t length;
    CHECK(value_bytes <= VALUE_MAX);
    const int64_t base_offset = log_end(story->log);
    struct buffer *buffer = batch_build(story, records, value_bytes, base_offset, &length);
    struct batch_info info;
    batch_info_read(buffer->data, &info);
    struct log_append append = {.buffer = buffer,
                                .batch = buffer->data,
                                .length = (uint32_t)length,
                                .leader_epoch = story->epoch,
                                .log_append_time_ms = -1,
                                .info = &info};
    note_epoch(story);
    MUST(log_append(story->log, &append) == ERR_NONE);
    MUST(append.base_offset == base_offset);
    MUST(append.last_offset == base_offset + records - 1);
    MUST(log_end(story->log) == base_offset + records);
    buffer_release(buffer);
    return base_offset;
}

int64_t story_write(struct story *story, int32_t records, size_t value_bytes)
{
    const int64_t base_offset = story_append(story, records, value_bytes);
    world_run(story->world);
    return base_offset;
}

static int reads_done;

static void read_done(struct log_read *read)
{
    (void)read;
    reads_done++;
}

struct span story_read(struct story *story, int64_t offset, int64_t end_offset, uint32_t max_bytes,
                       bool whole_first)
{
    static struct log_read read;
    static uint8_t *copy;
    read = (struct log_read){.offset = offset,
                             .end_offset = end_offset,
                             .max_bytes = max_bytes,
                             .whole_first = whole_first,
                             .done = read_done};
    reads_done = 0;
    log_read(story->log, &read);
    world_run(story->world);
    MUST(reads_done == 1);
    story->error = read.error;
    if (read.error != ERR_NONE)
        return SPAN_NULL;
    if (read.range.segment == NULL)
        return SPAN("");
    copy = realloc(copy, read.range.length);
    const uint8_t *bytes =
        world_bytes(story->world, read.range.file, read.range.position, read.range.length);
    MUST(bytes != NULL);
    memcpy(copy, bytes, read.range.length);
    const struct span span = span_of(copy, read.range.length);
    log_unpin(&read.range);
    world_run(story->world);
    return span;
}

/* Compares one batch with what was appended; returns the offset after it. */
static int64_t batch_check(struct span batch, const struct batch_info *info)
{
    struct record_cursor records;
    struct record record;
    MUST(record_cursor_open(batch, NULL, 0, NULL, &records) == ERR_NONE);
    while (record_next(&records, &record)) {
        bool same = true;
        for (size_t at = 0; at < record.value.length; at++)
            same &= record.value.data[at] == value_byte(record.offset, at);
        MUST(same);
    }
    MUST(records.error == ERR_NONE);
    return batch_last_offset(info) + 1;
}

void story_check(struct story *story, uint32_t max_bytes)
{
    int64_t offset = log_start(story->log);
    const int64_t end_offset = log_written_end(story->log);
    while (offset < end_offset) {
        struct span rest = story_read(story, offset, end_offset, max_bytes, true);
        MUST(story->error == ERR_NONE);
        MUST(rest.length > 0);
        bool any = false;
        while (rest.length > 0) {
            struct span batch;
            struct batch_info info;
            const enum batch_found found =
                batch_next(rest, UINT32_MAX, BATCH_CHECK_CRC, &batch, &info);
            if (found == BATCH_NEEDS_MORE)
                break;
            MUST(found == BATCH_FOUND);
            MUST(info.base_offset <= offset);
            MUST(batch_last_offset(&info) >= offset);
            offset = batch_check(batch, &info);
            rest = span_of(rest.data + batch.length, rest.length - batch.length);
            any = true;
        }
        MUST(any);
    }
    MUST(offset == end_offset);
}

const char *story_path(int64_t base_offset, const char *suffix)
{
    static char path[64];
    snprintf(path, sizeof(path), NAME "/%020lld%s", (long long)base_offset, suffix);
    return path;
}

void story_begin_in_segments(struct story *story, uint64_t seed)
{
    story_begin(story, seed);
    story->settings.segment_bytes = 1000;
    ck_assert_int_eq(story_boot(story), LOG_READY);
    story->time_ms = world_wall_ms(story->world);
    for (int i = 0; i < 10; i++)
        story_write(story, 1, 300);
    log_set_high_watermark(story->log, 10);
}
