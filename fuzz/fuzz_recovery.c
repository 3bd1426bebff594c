/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any files as a data folder with one partition: a kind (one byte: of KINDS, then of `names`), a
 * base offset (one byte), a length (16 bits), so many bytes; and again. Checksums of batches are
 * made right where the kind says so, or only they would be found wrong. KIND_FAULT is no file: a
 * first attempt to load fails on the way, at what the base offset chooses (fuzz/faults.h).
 *
 * The log loads or refuses; one that serves gives every offset once, takes an append, and is the
 * same after a kill and after an end in order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/log/checkpoint.h"
#include "core/log/folder.h"
#include "core/log/log.h"
#include "core/records/builder.h"
#include "core/wire/error.h"
#include "fuzz/faults.h"
#include "fuzz/fuzz.h"
#include "fuzz/mend.h"
#include "tests/support/world.h"

#define FILES_MAX  16
#define KIND_FAULT 0xff
#define AGAIN_MS   1000

static const struct uuid topic_id = {{1, 2, 3, 4}};

enum { KIND_LOG, KIND_LOG_MENDED, KIND_BATCH, KINDS };

static const char *const names[] = {
    "topic-0/%020d.index",
    "topic-0/%020d.timeindex",
    "topic-0/%020d.snapshot",
    "topic-0/%020d.log.deleted",
    "topic-0/leader-epoch-checkpoint",
    "topic-0/partition.metadata",
    "recovery-point-offset-checkpoint",
    "log-start-offset-checkpoint",
    ".kafka_cleanshutdown",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

struct run {
    struct world *world;
    struct io *io;
    struct folder *folder;
    struct log *log;
    struct log_observer observer;
    struct folder_observer folder_observer;
    struct log_waiter waiter;
    struct log_scan scan;
    struct log_settings settings;
    bool has_point; /* what lies below it is believed unread */
    bool has_fault; /* of the first attempt to load */
    int woken;
    int error;
    int64_t next_offset;
    uint64_t hash;
};

static void nothing(struct log_observer *observer)
{
    (void)observer;
}

static void failed(struct log_observer *observer, int error)
{
    (void)observer;
    (void)error;
}

static void offline(struct folder_observer *observer, struct folder *folder)
{
    (void)observer;
    (void)folder;
}

static void woken(struct log_waiter *waiter, int error)
{
    struct run *run = container_of(waiter, struct run, waiter);
    run->woken++;
    run->error = error;
}

static int decompress(void *context, enum codec codec, struct span in, size_t limit_bytes,
                      struct arena *arena, struct span *ret_out)
{
    (void)context;
    (void)codec;
    (void)in;
    (void)limit_bytes;
    (void)arena;
    (void)ret_out;
    return ERR_UNSUPPORTED_COMPRESSION_TYPE;
}

static const struct codecs codecs = {.decompress = decompress};

/* `count` good batches of one record, from the base offset on. */
static size_t batches_build(uint8_t *out, size_t capacity, int64_t base_offset, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count && capacity - length > 256; i++) {
        struct batch_builder builder;
        batch_builder_start(&builder, out + length, capacity - length, 1000 + base_offset, false);
        batch_builder_add(&builder, 1000 + base_offset, SPAN("key"), SPAN("value"));
        const size_t bytes = batch_builder_finish(&builder);
        batch_patch(out + length, base_offset++, 1);
        length += bytes;
    }
    return length;
}

static void file_put_one(struct run *run, uint8_t kind, uint8_t base, uint8_t *bytes, size_t length)
{
    static uint8_t text[65536 + 4096];
    char path[64];
    if (kind < KINDS) {
        snprintf(path, sizeof(path), "topic-0/%020d.log", base);
        size_t size = 0;
        const struct span before = world_file(run->world, path);
        if (before.length > 0 && before.length < 4096) {
            memcpy(text, before.data, before.length);
            size = before.length;
        }
        if (kind == KIND_LOG_MENDED)
            mend_batches(bytes, length);
        if (kind == KIND_BATCH) {
            size += batches_build(text + size, sizeof(text) - size, base, length % 64);
        } else if (length > 0) {
            memcpy(text + size, bytes, length);
            size += length;
        }
        world_put_file(run->world, path, span_of(text, size));
        return;
    }
    const size_t name = (kind - KINDS) % NAMES;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(path, sizeof(path), names[name], base);
#pragma GCC diagnostic pop
    run->has_point |= strcmp(names[name], "recovery-point-offset-checkpoint") == 0;
    world_put_file(run->world, path, span_of(bytes, length));
}

static void files_put(struct run *run, const uint8_t *data, size_t size)
{
    static uint8_t copy[65536];
    uint8_t metadata[PARTITION_METADATA_BYTES];
    world_put_folder(run->world, "topic-0");
    partition_metadata_write(topic_id, metadata);
    world_put_file(run->world, "topic-0/partition.metadata", span_of(metadata, sizeof(metadata)));
    for (int files = 0; files < FILES_MAX && size >= 4; files++) {
        const uint8_t kind = data[0];
        const uint8_t base = data[1];
        size_t length = get_be16(data + 2);
        data += 4;
        size -= 4;
        if (length > size)
            length = size;
        memcpy(copy, data, length);
        if (kind == KIND_FAULT && !run->has_fault) {
            run->has_fault = true;
            fault_add(run->world, base, length > 0 ? copy[0] % 16 : 0);
        } else {
            file_put_one(run, kind, base, copy, length);
        }
        data += length;
        size -= length;
    }
}

/* Until the waiter has woken `times` times. What found no room is tried again a little later. */
static void await(struct run *run, int times)
{
    world_run(run->world);
    if (run->woken < times)
        world_advance_ms(run->world, AGAIN_MS);
    CHECK(run->woken == times);
}

/* True when the log serves. On a sound disk it does, or is told to be wrong. */
static bool load(struct run *run, bool is_sound)
{
    run->io = world_boot_io(run->world);
    run->folder = folder_new(run->io, 0, &run->folder_observer);
    run->woken = 0;
    folder_load(run->folder, &run->waiter);
    await(run, 1);
    CHECK(run->error == ERR_NONE || !is_sound);
    if (run->error != ERR_NONE)
        return false;
    run->log = log_new(run->io, run->folder, SPAN("topic-0"), topic_id, &codecs, &run->settings,
                       &run->observer);
    log_load(run->log, &run->waiter);
    await(run, 2);
    CHECK((run->error == ERR_NONE) == (log_state(run->log) == LOG_READY) || !is_sound);
    return run->error == ERR_NONE;
}

/* Ends in order what load() began. */
static void close_all(struct run *run)
{
    run->woken = 0;
    log_close(run->log, &run->waiter);
    world_run(run->world);
    CHECK(run->woken == 1);
    folder_close(run->folder, &run->waiter);
    world_run(run->world);
    CHECK(run->woken == 2);
    log_free(run->log);
    folder_free(run->folder);
    world_exit(run->world);
}

static int scan_batch(struct log_scan *scan, struct span batch)
{
    struct run *run = container_of(scan, struct run, scan);
    struct batch_info info;
    batch_info_read(batch.data, &info);
    CHECK(batch_last_offset(&info) >= run->next_offset || run->has_point);
    run->next_offset = batch_last_offset(&info) + 1;
    for (size_t i = 0; i < batch.length; i++)
        run->hash = (run->hash ^ batch.data[i]) * 0x100000001b3;
    return ERR_NONE;
}

static void scan_done(struct log_scan *scan, int error)
{
    struct run *run = container_of(scan, struct run, scan);
    run->error = error;
    run->woken++;
}

static uint64_t scan(struct run *run)
{
    run->hash = 0xcbf29ce484222325;
    run->woken = 0;
    run->next_offset = log_start(run->log);
    run->scan = (struct log_scan){.offset = log_start(run->log),
                                  .end_offset = log_end(run->log),
                                  .batch = scan_batch,
                                  .done = scan_done};
    log_scan(run->log, &run->scan);
    world_run(run->world);
    CHECK(run->woken == 1);
    CHECK(run->error == ERR_NONE || run->has_point);
    return run->hash;
}

static void read_done(struct log_read *read)
{
    (void)read;
}

static void time_done(struct log_time *time)
{
    (void)time;
}

static void look_at(struct run *run, int64_t offset)
{
    struct log_read read = {.offset = offset,
                            .end_offset = log_end(run->log),
                            .max_bytes = 100,
                            .whole_first = true,
                            .done = read_done};
    log_read(run->log, &read);
    world_run(run->world);
    CHECK(read.error == ERR_NONE || run->has_point);
    CHECK(read.range.length > 0 || run->has_point || !run->settings.delete_old);
    log_unpin(&read.range);
    log_epoch_at(run->log, offset);
}

static void look_up(struct run *run, int64_t timestamp_ms)
{
    struct log_time time = {
        .timestamp_ms = timestamp_ms, .end_offset = log_end(run->log), .done = time_done};
    log_time(run->log, &time);
    world_run(run->world);
    CHECK(time.offset < log_end(run->log));
}

/* The first offsets, some on the way to the end, and times. */
static void look_around(struct run *run)
{
    const int64_t start = log_start(run->log);
    const int64_t end = log_end(run->log);
    int32_t epoch;
    int64_t epoch_end;
    CHECK(start >= 0 && start <= end && log_durable_end(run->log) == end);
    for (int64_t offset = start; offset < end && offset < start + 8; offset++)
        look_at(run, offset);
    for (int64_t i = 1; i < 8 && end - start > 8; i++)
        look_at(run, start + (end - start) / 8 * i);
    look_up(run, LOG_TIME_MAX);
    look_up(run, 0);
    look_up(run, 1000 + start / 2 + end / 2);
    log_epoch_end(run->log, INT32_MAX, log_last_epoch(run->log), &epoch, &epoch_end);
    CHECK(log_written_end(run->log) == end);
}

static bool append(struct run *run)
{
    uint8_t bytes[512];
    if (log_last_epoch(run->log) == INT32_MAX)
        return false;
    const size_t length = batches_build(bytes, sizeof(bytes), 0, 1);
    struct buffer *buffer = buffer_new(run->io->memory, MEMORY_RECEIVE, sizeof(bytes));
    struct batch_info info;
    memcpy(buffer->data, bytes, length);
    batch_info_read(buffer->data, &info);
    struct log_append append = {.buffer = buffer,
                                .batch = buffer->data,
                                .length = (uint32_t)length,
                                .leader_epoch = log_last_epoch(run->log) + 1,
                                .log_append_time_ms = -1,
                                .info = &info};
    CHECK(log_append(run->log, &append) == ERR_NONE);
    buffer_release(buffer);
    world_run(run->world);
    CHECK(log_durable_end(run->log) == log_end(run->log));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {
        .world = world_new(1),
        .observer = {.advanced = nothing, .failed = failed},
        .folder_observer = {.offline = offline},
        .waiter = {.wake = woken},
        .settings = {.segment_bytes = 1 << 20,
                     .segment_ms = -1,
                     .retention_bytes = -1,
                     .retention_ms = -1,
                     .index_interval_bytes = 100,
                     .segment_index_bytes = 1 << 16,
                     .file_delete_delay_ms = 1000,
                     .flush_messages = -1,
                     .flush_ms = -1,
                     .producer_expiration_ms = 86400000,
                     .delete_old = size % 2 == 0,
                     .write_caching = size % 3 == 0},
    };
    files_put(&run, data, size);
    if (size % 3 != 1) /* its segments prove nothing of those before them */
        world_put_file(run.world, "topic-0/write-caching", SPAN("version: 0\n"));
    if (run.has_fault) {
        load(&run, false);
        world_kill(run.world);
    }
    if (load(&run, true)) {
        look_around(&run);
        const uint64_t hash = scan(&run);
        const int64_t end = log_end(run.log);
        world_kill(run.world);
        CHECK(load(&run, true));
        CHECK(log_end(run.log) == end);
        CHECK(scan(&run) == hash);
        close_all(&run);
        CHECK(load(&run, true));
        CHECK(log_end(run.log) == end);
        CHECK(scan(&run) == hash);
        run.settings.write_caching = false;
        log_configure(run.log, &run.settings);
        if (append(&run)) {
            world_power_loss(run.world);
            CHECK(load(&run, true));
            CHECK(log_end(run.log) == end + 1);
            look_around(&run);
            scan(&run);
        }
    }
    world_free(run.world);
    return 0;
}
