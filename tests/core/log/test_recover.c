/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/batch.h"
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

START_TEST(an_orderly_end_keeps_everything)
{
    for (int i = 0; i < 50; i++)
        story_write(&story, 2, 300);
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert(folder_was_clean(story.folder));
    ck_assert_int_eq(log_end(story.log), 100);
    story_check(&story, 4096);
    ck_assert_int_eq(story_write(&story, 1, 10), 100);
    story_check(&story, 1 << 20);
}
END_TEST

START_TEST(kill_keeps_what_was_written)
{
    for (int i = 0; i < 50; i++)
        story_write(&story, 2, 300);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert(!folder_was_clean(story.folder));
    ck_assert_int_eq(log_end(story.log), 100);
    story_check(&story, 4096);
}
END_TEST

START_TEST(power_loss_keeps_what_was_synced)
{
    for (int i = 0; i < 50; i++)
        story_write(&story, 2, 300);
    ck_assert_int_eq(story.durable_end, 100);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 100);
    story_check(&story, 4096);
}
END_TEST

/* Twenty batches of a compacted topic, each in a segment of its own, of which the page cache alone
 * may have all (`is_cached`), or which a sync has covered. Then the third segment is as a power
 * loss may leave it, or compaction. */
static void lose_segment(bool is_cached, bool is_removed)
{
    story.settings.delete_old = false;
    story.settings.write_caching = is_cached;
    story.settings.segment_bytes = 1000;
    log_configure(story.log, &story.settings);
    if (is_cached)
        world_hold(story.world, EFFECT_SYNC, ".log");
    for (int i = 0; i < 20; i++)
        story_write(&story, 2, 300);
    story_kill(&story);
    ck_assert(!span_is_null(world_file(story.world, story_path(4, ".log"))));
    if (is_removed)
        world_remove(story.world, story_path(4, ".log"));
    else
        world_put_file(story.world, story_path(4, ".log"), SPAN(""));
}

/* Whatever the topic's write.caching became meanwhile. */
START_TEST(a_hole_in_the_page_cache_ends_the_log)
{
    lose_segment(true, _i % 2 == 1);
    story.settings.write_caching = _i < 2;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 4);
    story_check(&story, 1 << 20);
    ck_assert_int_eq(story_write(&story, 2, 300), 4);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 6);
    story_check(&story, 1 << 20);
}
END_TEST

/* Compaction empties whole segments, and joins what is left of them. */
START_TEST(a_gap_before_the_recovery_point_stays)
{
    struct batch_info info;
    lose_segment(false, _i == 1);
    world_remove(story.world, "topic-0/leader-epoch-checkpoint"); /* all of it is scanned */
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 40);
    batch_info_read(story_read(&story, 4, 40, 1000, true).data, &info);
    ck_assert_int_eq(info.base_offset, 6);
}
END_TEST

/* Without write caching no power loss leaves a gap: it is of compaction, and nobody's recovery
 * point told of it. */
START_TEST(a_gap_behind_what_is_synced_stays)
{
    lose_segment(false, _i % 2 == 1);
    world_remove(story.world, "recovery-point-offset-checkpoint");
    story.settings.write_caching = _i >= 2;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 40);
}
END_TEST

/* What proves nothing of the segments before is known until they are durable, and no longer. */
START_TEST(once_read_again_segments_prove_those_before_them)
{
    lose_segment(true, false);
    ck_assert(!span_is_null(world_file(story.world, "topic-0/write-caching")));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert(span_is_null(world_file(story.world, "topic-0/write-caching")));
    story.settings.write_caching = false;
    log_configure(story.log, &story.settings);
    for (int i = 0; i < 20; i++)
        story_write(&story, 2, 300);
    story_kill(&story);
    ck_assert(span_is_null(world_file(story.world, "topic-0/write-caching")));
    world_remove(story.world, "recovery-point-offset-checkpoint");
    world_put_file(story.world, story_path(8, ".log"), span_of("damaged at its end", 18));
    ck_assert_int_eq(story_boot(&story), LOG_OFFLINE);
    ck_assert(world_logged(story.world, "and another follows"));
}
END_TEST

/* Or the next start would believe what is not so. */
START_TEST(a_mark_that_could_not_be_made_is_taken_back)
{
    story.settings.write_caching = true;
    story.settings.segment_bytes = 1000;
    log_configure(story.log, &story.settings);
    story_write(&story, 2, 300);
    world_hold(story.world, EFFECT_SYNC, ".log");
    world_fail(story.world, EFFECT_WRITE, "write-caching", 0, 1, ERR_NO_SPACE, 4);
    story_write(&story, 2, 300);
    ck_assert(!span_is_null(world_file(story.world, "topic-0/write-caching")));
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
    ck_assert(span_is_null(world_file(story.world, "topic-0/write-caching")));
}
END_TEST

SUITE(recover)
{
    TCase *tcase = tcase_create("recover");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_orderly_end_keeps_everything);
    tcase_add_test(tcase, kill_keeps_what_was_written);
    tcase_add_test(tcase, power_loss_keeps_what_was_synced);
    tcase_add_loop_test(tcase, a_hole_in_the_page_cache_ends_the_log, 0, 4);
    tcase_add_loop_test(tcase, a_gap_before_the_recovery_point_stays, 0, 2);
    tcase_add_loop_test(tcase, a_gap_behind_what_is_synced_stays, 0, 4);
    tcase_add_test(tcase, once_read_again_segments_prove_those_before_them);
    tcase_add_test(tcase, a_mark_that_could_not_be_made_is_taken_back);
    suite_add_tcase(suite, tcase);
}
