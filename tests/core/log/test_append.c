/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"
#include "tests/core/log/story.h"

static struct story story;

static void set_up(void)
{
    story_begin(&story, 1);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
}

static void tear_down(void)
{
    story_end(&story);
}

START_TEST(nothing_is_created_before_the_first_append)
{
    ck_assert_ptr_null(world_name(story.world, "", 0));
    ck_assert_int_eq(log_start(story.log), 0);
    ck_assert_int_eq(log_end(story.log), 0);
}
END_TEST

START_TEST(what_is_appended_is_written_synced_and_read_back)
{
    ck_assert_int_eq(story_write(&story, 3, 100), 0);
    ck_assert_int_eq(log_written_end(story.log), 3);
    ck_assert_int_eq(log_durable_end(story.log), 3);
    ck_assert_int_eq(story_write(&story, 1, 10), 3);
    story_check(&story, 1 << 20);
    story_check(&story, 1);
    ck_assert(!span_is_null(world_file(story.world, story_path(0, ".log"))));
}
END_TEST

START_TEST(batches_of_a_turn_go_out_in_one_write_and_one_sync)
{
    story_write(&story, 1, 10);
    world_reset_counts(story.world);
    for (int i = 0; i < 100; i++)
        story_append(&story, 2, 50);
    world_run(story.world);
    ck_assert_uint_eq(world_count(story.world, EFFECT_WRITE), 1);
    ck_assert_uint_eq(world_count(story.world, EFFECT_SYNC), 1);
    ck_assert_int_eq(log_durable_end(story.log), 201);
    story_check(&story, 4096);
}
END_TEST

/* What a leader appended under epochs whose batches it has lost, a follower may still have: it has
 * to be told where the epoch before them ends, or it would throw everything away (KIP-279). */
/* Records may tell of long ago; their producer was not silent since. */
START_TEST(what_is_of_long_ago_is_known_when_it_is_sent_again)
{
    struct log_append append;
    story.time_ms -= INT64_C(2) * 86400 * 1000;
    ck_assert_int_eq(story_append_by(&story, 3, 7, 0, 0, &append), ERR_NONE);
    world_run(story.world);
    world_advance_ms(story.world, 1000);
    ck_assert_int_eq(story_append_by(&story, 3, 7, 0, 0, &append), ERR_NONE);
    ck_assert(append.duplicate);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(story_append_by(&story, 3, 7, 0, 0, &append), ERR_NONE);
    ck_assert(append.duplicate);
    world_advance_ms(story.world, INT64_C(86400) * 1000);
    ck_assert_int_eq(story_append_by(&story, 3, 8, 0, 0, &append), ERR_NONE);
    ck_assert_int_eq(story_append_by(&story, 3, 7, 0, 5, &append), ERR_NONE); /* forgotten */
    ck_assert(!append.duplicate);
}
END_TEST

START_TEST(epochs_of_which_nothing_is_left_end_where_the_log_does)
{
    int32_t epoch = 0;
    int64_t end = 0;
    story.epoch = 3;
    story_write(&story, 5, 10);
    log_epoch_end(story.log, 6, 5, &epoch, &end);
    ck_assert_int_eq(epoch, 3);
    ck_assert_int_eq(end, 5);
    log_epoch_end(story.log, 6, 6, &epoch, &end);
    ck_assert_int_eq(epoch, 6);
    ck_assert_int_eq(end, 5);
    log_epoch_end(story.log, 6, 7, &epoch, &end); /* nobody can know of it yet */
    ck_assert_int_eq(epoch, -1);
    ck_assert_int_eq(end, -1);
}
END_TEST

SUITE(append)
{
    TCase *tcase = tcase_create("append");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_is_created_before_the_first_append);
    tcase_add_test(tcase, what_is_appended_is_written_synced_and_read_back);
    tcase_add_test(tcase, batches_of_a_turn_go_out_in_one_write_and_one_sync);
    tcase_add_test(tcase, what_is_of_long_ago_is_known_when_it_is_sent_again);
    tcase_add_test(tcase, epochs_of_which_nothing_is_left_end_where_the_log_does);
    suite_add_tcase(suite, tcase);
}
