/* SPDX-License-Identifier: Apache-2.0 */
/* The WAL of a node that ended while it took its leader's snapshot in the place of its own log. */
#include "core/meta/brokers.h"
#include "core/meta/snapshot.h"
#include "core/meta/wal.h"
#include "core/wire/error.h"
#include "tests/support/runner.h"
#include "tests/support/world.h"

static struct world *world;
static struct io *io;
static struct folder *folder;
static struct image image;
static struct wal *wal;
static int woken_error;
static bool is_alone;
static uint32_t batches; /* that a boot has shown */

static void woken(struct log_waiter *waiter, int error)
{
    (void)waiter;
    woken_error = error;
}

static struct log_waiter waiter = {.wake = woken};

static void offline(struct folder_observer *observer, struct folder *which)
{
    (void)observer;
    (void)which;
}

static struct folder_observer folder_observer = {.offline = offline};

static int snapshot_seen(struct wal_observer *observer, int64_t offset, struct span voters)
{
    (void)observer;
    (void)offset;
    (void)voters;
    return ERR_NONE;
}

static int batch_seen(struct wal_observer *observer, struct span batch)
{
    (void)observer;
    (void)batch;
    batches++;
    return ERR_NONE;
}

static void pass(struct wal_observer *observer)
{
    (void)observer;
}

static void installed(struct wal_observer *observer, struct span voters)
{
    (void)observer;
    (void)voters;
}

static bool may_begin_anew(struct wal_observer *observer)
{
    (void)observer;
    return !is_alone;
}

static struct span no_voters(struct wal_observer *observer)
{
    (void)observer;
    return SPAN_NULL;
}

static struct wal_observer observer = {
    .snapshot = snapshot_seen,
    .batch = batch_seen,
    .durable = pass,
    .applied = pass,
    .lost = pass,
    .found = pass,
    .failed = pass,
    .installed = installed,
    .may_begin_anew = may_begin_anew,
    .voters = no_voters,
};

/* How the boot of a new process ends. */
static int boot(void)
{
    io = world_boot_io(world);
    folder = folder_new(io, 0, &folder_observer);
    folder_load(folder, &waiter);
    world_run(world);
    image_init(&image, io->memory, 7);
    wal = wal_new(io, folder, NULL, 1000000, &image, &observer);
    batches = 0;
    woken_error = -1;
    wal_boot(wal, &waiter);
    world_run(world);
    return woken_error;
}

/* One batch of one broker's registration under this epoch, durable and not committed. */
static void append(int32_t epoch)
{
    const int64_t end = log_end(wal_log(wal));
    struct meta_writer writer;
    meta_writer_init(&writer, io->memory, end);
    const struct broker_registration registration = {.id = (int32_t)end + 1};
    ck_assert_int_eq(brokers_register(&image, &writer, &registration), ERR_NONE);
    struct buffer *batch = meta_writer_batch(&writer, epoch, 0);
    ck_assert_int_eq(wal_append(wal, batch, batch->data, batch->capacity), ERR_NONE);
    buffer_release(batch);
    meta_writer_free(&writer);
    world_run(world);
}

/* A log of five batches, of the epochs 1, 1, 2, 2, 2. */
static void set_up(void)
{
    world = world_new(3);
    is_alone = false;
    ck_assert_int_eq(boot(), ERR_NONE);
    for (int i = 0; i < 5; i++)
        append(i < 2 ? 1 : 2);
}

static void tear_down(void)
{
    world_kill(world);
    world_free(world);
}

/* A whole snapshot that ends there, as its leader had it, is durable; and the process ends. */
static void receive(struct snapshot_id id)
{
    struct image theirs;
    char path[128] = WAL_LOG_NAME "/";
    uint32_t length;
    uint32_t capacity;
    image_init(&theirs, io->memory, 1);
    theirs.end_offset = id.offset;
    theirs.epoch = id.epoch;
    uint8_t *bytes = snapshot_save(&theirs, SPAN_NULL, 0, &length, &capacity);
    snapshot_name(id, path + strlen(path));
    world_put_file(world, path, span_of(bytes, length));
    world_kill(world);
}

/* It has the same history up to there, so that what is behind may count. */
START_TEST(a_log_that_agrees_is_kept)
{
    receive((struct snapshot_id){.offset = 2 + _i, .epoch = _i == 0 ? 1 : 2});
    ck_assert_int_eq(boot(), ERR_NONE);
    ck_assert_int_eq(log_start(wal_log(wal)), 0);
    ck_assert_int_eq(log_end(wal_log(wal)), 5);
    ck_assert_int_eq(image.end_offset, 2 + _i);
    ck_assert_uint_eq(batches, 3 - (uint32_t)_i);
}
END_TEST

/* What is behind the snapshot here was appended by a leader that never had what the snapshot has:
 * it follows on something else. */
START_TEST(a_log_of_another_history_begins_anew)
{
    static const struct snapshot_id ids[] = {{2, 3}, {3, 1}, {5, 3}, {4, 7}};
    receive(ids[_i]);
    ck_assert_int_eq(boot(), ERR_NONE);
    ck_assert_int_eq(log_start(wal_log(wal)), ids[_i].offset);
    ck_assert_int_eq(log_end(wal_log(wal)), ids[_i].offset);
    ck_assert_int_eq(wal_epoch_before(wal, ids[_i].offset), ids[_i].epoch);
    ck_assert_int_eq(image.end_offset, ids[_i].offset);
    ck_assert_uint_eq(batches, 0);
    append(ids[_i].epoch + 1);
    world_power_loss(world);
    ck_assert_int_eq(boot(), ERR_NONE);
    ck_assert_int_eq(log_end(wal_log(wal)), ids[_i].offset + 1);
    ck_assert_uint_eq(batches, 1);
}
END_TEST

/* Where it was to be, a snapshot says what there is: that tells nothing of it. */
START_TEST(what_a_snapshot_covers_is_not_known_to_be_lost)
{
    uint32_t length;
    uint32_t capacity;
    struct image theirs;
    struct wal_watch watch = {.base_offset = 5 + _i};
    image_init(&theirs, io->memory, 1);
    theirs.end_offset = 6;
    theirs.epoch = 2;
    uint8_t *bytes = snapshot_save(&theirs, SPAN_NULL, 0, &length, &capacity);
    wal_watch(wal, &watch);
    wal_install(wal, (struct snapshot_id){.offset = 6, .epoch = 2}, span_of(bytes, length));
    world_run(world);
    ck_assert_int_eq(image.end_offset, 6);
    ck_assert_int_eq(watch.result, _i == 0 ? WATCH_UNKNOWN : WATCH_OPEN);
}
END_TEST

START_TEST(a_log_that_ends_before_begins_anew)
{
    receive((struct snapshot_id){.offset = 6, .epoch = 2});
    ck_assert_int_eq(boot(), ERR_NONE);
    ck_assert_int_eq(log_start(wal_log(wal)), 6);
    ck_assert_int_eq(log_end(wal_log(wal)), 6);
}
END_TEST

/* Nobody could have sent it one: something else is wrong. */
START_TEST(alone_it_refuses_to_start)
{
    static const struct snapshot_id ids[] = {{4, 3}, {6, 2}};
    receive(ids[_i]);
    is_alone = true;
    ck_assert_int_eq(boot(), ERR_INVALID_RECORD);
    ck_assert(world_logged(world, "does not fit its snapshot"));
}
END_TEST

SUITE(wal_anew)
{
    TCase *tcase = tcase_create("anew");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_log_that_agrees_is_kept, 0, 2);
    tcase_add_loop_test(tcase, a_log_of_another_history_begins_anew, 0, 4);
    tcase_add_test(tcase, a_log_that_ends_before_begins_anew);
    tcase_add_loop_test(tcase, what_a_snapshot_covers_is_not_known_to_be_lost, 0, 2);
    tcase_add_loop_test(tcase, alone_it_refuses_to_start, 0, 2);
    suite_add_tcase(suite, tcase);
}
