/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/meta/lone_wal.h"

#include <check.h>

#include "core/meta/brokers.h"
#include "core/meta/snapshot.h"
#include "core/wire/error.h"

static struct lone_wal *lone_of(struct wal_observer *observer)
{
    return container_of(observer, struct lone_wal, observer);
}

static void woken(struct log_waiter *waiter, int error)
{
    container_of(waiter, struct lone_wal, waiter)->error = error;
}

static void offline(struct folder_observer *observer, struct folder *which)
{
    (void)observer;
    (void)which;
}

static int snapshot_seen(struct wal_observer *observer, int64_t offset, struct span voters)
{
    (void)observer;
    (void)offset;
    (void)voters;
    return ERR_NONE;
}

static int batch_seen(struct wal_observer *observer, struct span batch)
{
    (void)batch;
    lone_of(observer)->batches++;
    return ERR_NONE;
}

static void pass(struct wal_observer *observer)
{
    (void)observer;
}

static void truncated(struct wal_observer *observer)
{
    lone_of(observer)->cuts++;
}

static void installed(struct wal_observer *observer, struct span voters)
{
    (void)observer;
    (void)voters;
}

static bool may_begin_anew(struct wal_observer *observer)
{
    return !lone_of(observer)->is_alone;
}

static struct span no_voters(struct wal_observer *observer)
{
    (void)observer;
    return SPAN_NULL;
}

void lone_wal_begin(struct lone_wal *lone, uint64_t seed)
{
    *lone = (struct lone_wal){
        .world = world_new(seed),
        .folder_observer = {.offline = offline},
        .waiter = {.wake = woken},
    };
    lone->observer = (struct wal_observer){
        .snapshot = snapshot_seen,
        .batch = batch_seen,
        .durable = pass,
        .applied = pass,
        .lost = pass,
        .found = pass,
        .failed = pass,
        .truncated = truncated,
        .installed = installed,
        .may_begin_anew = may_begin_anew,
        .voters = no_voters,
    };
}

void lone_wal_end(struct lone_wal *lone)
{
    world_kill(lone->world);
    world_free(lone->world);
}

int lone_wal_boot(struct lone_wal *lone)
{
    lone->io = world_boot_io(lone->world);
    lone->folder = folder_new(lone->io, 0, &lone->folder_observer);
    folder_load(lone->folder, &lone->waiter);
    world_run(lone->world);
    image_init(&lone->image, lone->io->memory, 7);
    lone->wal = wal_new(lone->io, lone->folder, NULL, 1000000, &lone->image, &lone->observer);
    lone->batches = 0;
    lone->error = -1;
    wal_boot(lone->wal, &lone->waiter);
    world_run(lone->world);
    return lone->error;
}

void lone_wal_append(struct lone_wal *lone, int32_t broker, int32_t epoch)
{
    struct meta_writer writer;
    meta_writer_init(&writer, lone->io->memory, log_end(wal_log(lone->wal)));
    const struct broker_registration registration = {.id = broker};
    ck_assert_int_eq(brokers_register(&lone->image, &writer, &registration), ERR_NONE);
    struct buffer *batch = meta_writer_batch(&writer, epoch, 0);
    ck_assert_int_eq(wal_append(lone->wal, batch, batch->data, batch->capacity), ERR_NONE);
    buffer_release(batch);
    meta_writer_free(&writer);
}

struct span lone_wal_snapshot(struct lone_wal *lone, struct snapshot_id id)
{
    struct image theirs;
    uint32_t length;
    uint32_t capacity;
    image_init(&theirs, lone->io->memory, 1);
    theirs.end_offset = id.offset;
    theirs.epoch = id.epoch;
    uint8_t *bytes = snapshot_save(&theirs, SPAN_NULL, 0, &length, &capacity);
    return span_of(bytes, length);
}
