/* SPDX-License-Identifier: Apache-2.0 */
/* A WAL that loses on a full disk what it has taken, and then gets it, or something else. */
#include "core/wire/error.h"
#include "tests/core/meta/lone_wal.h"
#include "tests/support/runner.h"

#define LOG_FILE WAL_LOG_NAME "/00000000000000000000.log"

/* Brokers. */
#define STALE 7
#define FRESH 8

static struct lone_wal lone;

static bool has_broker(int32_t broker)
{
    return image_broker(&lone.image, broker) != NULL;
}

static int64_t end(void)
{
    return log_end(wal_log(lone.wal));
}

/* Two batches that are committed and applied. */
static void set_up(void)
{
    lone_wal_begin(&lone, 3);
    ck_assert_int_eq(lone_wal_boot(&lone), ERR_NONE);
    lone_wal_append(&lone, 1, 1);
    lone_wal_append(&lone, 2, 1);
    world_run(lone.world);
    wal_commit(lone.wal, 2);
    ck_assert_int_eq(lone.image.end_offset, 2);
}

static void tear_down(void)
{
    lone_wal_end(&lone);
}

/* Of two batches whose write is under way a new leader has the first, and nobody gets to have it
 * here: what is cut is less than what the disk lost. */
START_TEST(what_was_lost_while_it_was_cut_is_forgotten)
{
    struct buffer *buffer;
    world_hold(lone.world, EFFECT_WRITE, LOG_FILE);
    lone_wal_append(&lone, STALE, 1);
    lone_wal_append(&lone, STALE + 2, 1);
    world_run(lone.world);
    wal_truncate(lone.wal, 3);
    world_run(lone.world);
    ck_assert_uint_eq(lone.cuts, 0);
    world_fail(lone.world, EFFECT_WRITE, LOG_FILE, 0, 1, ERR_NO_SPACE, 0);
    world_release(lone.world);
    world_run(lone.world);
    ck_assert_uint_eq(lone.cuts, 1);
    ck_assert_int_eq(wal_state(lone.wal), WAL_READY);
    ck_assert_int_eq(end(), 2);
    ck_assert(span_is_null(wal_recent_batch(lone.wal, 2, &buffer)));
    lone_wal_append(&lone, FRESH, 2);
    wal_commit(lone.wal, 3);
    world_run(lone.world);
    ck_assert_int_eq(lone.image.end_offset, 3);
    ck_assert(has_broker(FRESH) && !has_broker(STALE));
}
END_TEST

/* The quorum says that it is committed while it is being lost, and does not say so again. */
START_TEST(what_was_committed_and_lost_is_applied_when_it_is_back)
{
    world_fail(lone.world, EFFECT_WRITE, LOG_FILE, 0, 1, ERR_NO_SPACE, 0);
    lone_wal_append(&lone, 3, 1);
    while (wal_state(lone.wal) == WAL_READY)
        ck_assert(world_turn(lone.world));
    wal_commit(lone.wal, 4);
    world_run(lone.world);
    ck_assert_int_eq(wal_state(lone.wal), WAL_READY);
    ck_assert_int_eq(end(), 2);
    ck_assert_int_eq(lone.image.end_offset, 2);
    for (int32_t broker = 3; broker <= 5; broker++)
        lone_wal_append(&lone, broker, 1);
    world_run(lone.world);
    ck_assert_int_eq(lone.image.end_offset, 4);
    ck_assert(has_broker(3) && has_broker(4) && !has_broker(5));
}
END_TEST

/* What was committed and lost comes as a snapshot that is older than all of it, and the rest. */
START_TEST(what_was_committed_is_so_behind_a_snapshot)
{
    const struct snapshot_id id = {.offset = 3, .epoch = 1};
    wal_commit(lone.wal, 4);
    wal_install(lone.wal, id, lone_wal_snapshot(&lone, id));
    world_run(lone.world);
    ck_assert_int_eq(wal_state(lone.wal), WAL_READY);
    ck_assert_int_eq(lone.image.end_offset, 3);
    lone_wal_append(&lone, 4, 1);
    lone_wal_append(&lone, 5, 1);
    world_run(lone.world);
    ck_assert_int_eq(lone.image.end_offset, 4);
    ck_assert(has_broker(4) && !has_broker(5));
}
END_TEST

SUITE(wal_lost)
{
    TCase *tcase = tcase_create("lost");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_was_lost_while_it_was_cut_is_forgotten);
    tcase_add_test(tcase, what_was_committed_and_lost_is_applied_when_it_is_back);
    tcase_add_test(tcase, what_was_committed_is_so_behind_a_snapshot);
    suite_add_tcase(suite, tcase);
}
