/* SPDX-License-Identifier: Apache-2.0 */
/* The world that all stories rely on: what it keeps, and what it takes away. */
#include <signal.h>

#include "core/wire/error.h"
#include "tests/support/runner.h"
#include "tests/support/world.h"

enum { SEEDS = 60 };

static struct world *world;
static struct io *io;
static struct op op;
static struct completion last;
static uint8_t bytes[4096];
static struct piece piece = {.data = bytes, .length = sizeof(bytes)};

static void begin(uint64_t seed)
{
    memset(bytes, 0x11, sizeof(bytes));
    world = world_new(seed);
    io = world_boot_io(world);
    op = (struct op){0};
}

static void done(struct op *of, const struct completion *completion)
{
    (void)of;
    last = *completion;
}

static int run(void)
{
    world_run(world);
    ck_assert(!op_busy(&op));
    return last.error;
}

static int file_open(uint64_t *ret_file)
{
    *ret_file = io_new_file(io);
    io_open(io, &op, done, *ret_file, OPEN_CREATE, 0, SPAN("file"));
    return run();
}

static void file_write(uint64_t file)
{
    io_write(io, &op, done, file, 0, &piece, 1);
    ck_assert_int_eq(run(), ERR_NONE);
}

static void file_sync(uint64_t file)
{
    io_sync(io, &op, done, file);
    ck_assert_int_eq(run(), ERR_NONE);
}

static void folder_sync(void)
{
    io_sync_folder(io, &op, done, 0, SPAN(""));
    ck_assert_int_eq(run(), ERR_NONE);
}

/* How many of many worlds have the whole file, some of it, and none, after a power loss. */
static void lose(bool sync_file, bool sync_folder, int *ret_whole, int *ret_part, int *ret_none)
{
    *ret_whole = *ret_part = *ret_none = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t file;
        begin(seed);
        ck_assert_int_eq(file_open(&file), ERR_NONE);
        file_write(file);
        if (sync_file)
            file_sync(file);
        if (sync_folder)
            folder_sync();
        world_power_loss(world);
        const struct span left = world_file(world, "file");
        if (span_is_null(left))
            (*ret_none)++;
        else if (span_equal(left, span_of(bytes, sizeof(bytes))))
            (*ret_whole)++;
        else
            (*ret_part)++;
        world_free(world);
    }
}

START_TEST(power_loss_takes_what_no_sync_covered)
{
    int whole;
    int part;
    int none;
    lose(true, true, &whole, &part, &none);
    ck_assert_int_eq(whole, SEEDS);
    lose(true, false, &whole, &part, &none);
    ck_assert_int_gt(whole, 0);
    ck_assert_int_gt(none, 0);
    ck_assert_int_eq(part, 0);
    lose(false, true, &whole, &part, &none);
    ck_assert_int_gt(whole, 0);
    ck_assert_int_gt(part, SEEDS / 2);
    ck_assert_int_eq(none, 0);
}
END_TEST

START_TEST(a_sync_covers_what_was_written_when_it_was_asked_for)
{
    int whole = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct op sync = {0};
        uint64_t file;
        begin(seed);
        file_open(&file);
        folder_sync();
        world_hold(world, EFFECT_SYNC, NULL);
        io_sync(io, &sync, done, file);
        world_run(world);
        file_write(file);
        world_release(world);
        world_run(world);
        ck_assert(!op_busy(&sync));
        world_power_loss(world);
        whole += span_equal(world_file(world, "file"), span_of(bytes, sizeof(bytes)));
        world_free(world);
    }
    ck_assert_int_lt(whole, SEEDS);
}
END_TEST

START_TEST(a_kill_keeps_what_was_written)
{
    uint64_t file;
    begin(1);
    file_open(&file);
    file_write(file);
    world_kill(world);
    ck_assert(span_equal(world_file(world, "file"), span_of(bytes, sizeof(bytes))));
    world_free(world);
}
END_TEST

START_TEST(a_failed_sync_is_not_mended_by_the_next)
{
    int whole = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t file;
        begin(seed);
        file_open(&file);
        folder_sync();
        file_write(file);
        world_fail(world, EFFECT_SYNC, "file", 0, 1, ERR_IO, 0);
        io_sync(io, &op, done, file);
        ck_assert_int_eq(run(), ERR_IO);
        file_sync(file);
        world_power_loss(world);
        whole += span_equal(world_file(world, "file"), span_of(bytes, sizeof(bytes)));
        world_free(world);
    }
    ck_assert_int_eq(whole, 0);
}
END_TEST

/* A file's size is not of its pages: the next sync writes it as it is then. */
START_TEST(a_failed_sync_loses_no_truncation)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t file;
        begin(seed);
        file_open(&file);
        folder_sync();
        file_write(file);
        file_sync(file);
        io_truncate(io, &op, done, file, 5);
        ck_assert_int_eq(run(), ERR_NONE);
        world_fail(world, EFFECT_SYNC, "file", 0, 1, ERR_IO, 0);
        io_sync(io, &op, done, file);
        ck_assert_int_eq(run(), ERR_IO);
        file_sync(file);
        world_power_loss(world);
        ck_assert(span_equal(world_file(world, "file"), span_of(bytes, 5)));
        world_free(world);
    }
}
END_TEST

START_TEST(a_full_disk_takes_what_it_can)
{
    uint64_t file;
    begin(1);
    world_set_capacity(world, 1000);
    file_open(&file);
    io_write(io, &op, done, file, 0, &piece, 1);
    ck_assert_int_eq(run(), ERR_NO_SPACE);
    ck_assert_uint_eq(last.count, 1000);
    ck_assert_uint_eq(world_file(world, "file").length, 1000);
    world_free(world);
}
END_TEST

START_TEST(bytes_that_change_on_the_way_abort)
{
    uint64_t file;
    begin(1);
    file_open(&file);
    io_write(io, &op, done, file, 0, &piece, 1);
    world_hold(world, EFFECT_WRITE, NULL);
    world_run(world);
    bytes[100]++;
    world_release(world);
    world_run(world);
}
END_TEST

SUITE(world)
{
    TCase *tcase = tcase_create("world");
    tcase_add_test(tcase, power_loss_takes_what_no_sync_covered);
    tcase_add_test(tcase, a_sync_covers_what_was_written_when_it_was_asked_for);
    tcase_add_test(tcase, a_kill_keeps_what_was_written);
    tcase_add_test(tcase, a_failed_sync_is_not_mended_by_the_next);
    tcase_add_test(tcase, a_failed_sync_loses_no_truncation);
    tcase_add_test(tcase, a_full_disk_takes_what_it_can);
    tcase_add_test_raise_signal(tcase, bytes_that_change_on_the_way_abort, SIGABRT);
    suite_add_tcase(suite, tcase);
}
