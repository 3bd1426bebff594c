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

SUITE(recover)
{
    TCase *tcase = tcase_create("recover");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_orderly_end_keeps_everything);
    tcase_add_test(tcase, kill_keeps_what_was_written);
    tcase_add_test(tcase, power_loss_keeps_what_was_synced);
    suite_add_tcase(suite, tcase);
}
