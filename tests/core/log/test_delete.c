/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of topics that are deleted: nothing of them stays, and their names can be used again. */
#include "core/log/folder_internal.h"
#include "core/wire/error.h"
#include "tests/core/log/story.h"

static struct story story;

static void set_up(void)
{
    story_begin_in_segments(&story, 1);
}

static void tear_down(void)
{
    story_end(&story);
}

START_TEST(the_folder_of_a_deleted_log_goes_after_a_while)
{
    story.woken = 0;
    log_delete(story.log);
    world_run(story.world);
    ck_assert_ptr_null(world_name(story.world, "topic-0", 0));
    const char *aside = world_name(story.world, "", 2); /* behind the checkpoints */
    ck_assert_ptr_nonnull(aside);
    ck_assert_int_eq(strncmp(aside, "topic-0.", 8), 0);
    ck_assert_str_eq(aside + strlen(aside) - 7, "-delete");
    ck_assert_uint_eq(folder_logs_count(story.folder), 0);
    ck_assert_uint_eq(world_open_files(story.world), 0);
    world_advance_ms(story.world, 1000);
    ck_assert_ptr_null(world_name(story.world, "", 2));
}
END_TEST

/* The longer name for the time being may need a block that a full disk has not. */
START_TEST(the_folder_of_a_deleted_log_goes_from_a_full_disk_at_once)
{
    world_fail(story.world, EFFECT_RENAME, "topic-0", 0, 1, ERR_NO_SPACE, 0);
    log_delete(story.log);
    world_run(story.world);
    ck_assert(!story.offline);
    ck_assert_ptr_null(world_name(story.world, "", 2));
    ck_assert_uint_eq(folder_logs_count(story.folder), 0);
}
END_TEST

START_TEST(a_deleted_log_of_an_earlier_process_goes_at_the_next_start)
{
    log_delete(story.log);
    world_run(story.world);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 0);
    ck_assert_ptr_null(world_name(story.world, "", 2));
}
END_TEST

/* A topic that is made again under its old name is not measured by the old one's checkpoint. */
START_TEST(a_name_that_is_used_again_begins_anew)
{
    world_advance_ms(story.world, 61000);
    if (_i % 2 == 1) {
        story_close(&story);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        log_set_high_watermark(story.log, 10);
    }
    log_delete_before(story.log, 3, &story.waiter);
    world_run(story.world);
    log_delete(story.log);
    story.topic_id.bytes[5]++;
    for (int turns = 0; turns < _i; turns++)
        world_turn(story.world);
    ck_assert(!folder_holds(story.folder, SPAN("topic-0")));
    story.log = log_new(story.io, story.folder, SPAN("topic-0"), story.topic_id, NULL,
                        &story.settings, &story.observer);
    log_load(story.log, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 0);
    ck_assert_int_eq(log_end(story.log), 0);
    story.durable_end = 0;
    story_write(&story, 1, 10);
    ck_assert(folder_holds(story.folder, SPAN("topic-0")));
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 0);
    ck_assert_int_eq(log_end(story.log), 1);
    story_check(&story, 100);
}
END_TEST

/* The name is used a third time; the second log goes in the turn that should have it ready. */
START_TEST(a_log_that_goes_before_it_was_ready_gives_its_name_up)
{
    log_delete(story.log);
    for (int i = 0; i < 2; i++) {
        story.topic_id.bytes[5]++;
        story.log = log_new(story.io, story.folder, SPAN("topic-0"), story.topic_id, NULL,
                            &story.settings, &story.observer);
        if (i == 0) {
            log_load(story.log, &story.waiter);
            log_delete(story.log);
        }
    }
    world_run(story.world);
    log_load(story.log, &story.waiter);
    world_run(story.world);
    story.durable_end = 0;
    story_write(&story, 1, 10);
    ck_assert(folder_holds(story.folder, SPAN("topic-0")));
    ck_assert_int_eq(log_durable_end(story.log), 1);
    ck_assert_uint_eq(folder_logs_count(story.folder), 1);
}
END_TEST

/* A name that is used again, with the power going at any effect. */
START_TEST(a_name_that_is_used_again_is_safe_at_every_effect)
{
    for (uint64_t effects = 0;; effects++) {
        struct story other;
        story_begin(&other, effects);
        world_set_order(other.world, WORLD_SHUFFLED);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        for (int i = 0; i < 6; i++)
            story_write(&other, 1, 300);
        world_advance_ms(other.world, 61000);
        log_set_high_watermark(other.log, 6);
        log_delete_before(other.log, 3, &other.waiter);
        world_run(other.world);
        world_allow(other.world, effects);
        log_delete(other.log);
        other.topic_id.bytes[5]++;
        other.durable_end = 0;
        other.log = log_new(other.io, other.folder, SPAN("topic-0"), other.topic_id, NULL,
                            &other.settings, &other.observer);
        log_load(other.log, &other.waiter);
        while (log_state(other.log) != LOG_READY && world_turn(other.world))
            continue;
        if (log_state(other.log) == LOG_READY)
            story_append(&other, 1, 10);
        world_run(other.world);
        const int64_t durable_end = other.durable_end;
        const bool more = world_is_used_up(other.world);
        story_power_loss(&other);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        ck_assert_int_eq(log_start(other.log), 0);
        ck_assert_int_ge(log_end(other.log), durable_end);
        ck_assert_int_le(log_end(other.log), 1);
        story_check(&other, 100);
        story_end(&other);
        if (!more)
            break;
    }
}
END_TEST

static int done_calls;
static int done_error;

static void read_done(struct log_read *read)
{
    done_calls++;
    done_error = read->error;
}

START_TEST(reads_of_a_deleted_log_end)
{
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    struct log_read read = {.offset = 1, .end_offset = 10, .max_bytes = 100, .done = read_done};
    done_calls = 0;
    log_read(story.log, &read);
    for (int turns = 0; turns < _i; turns++)
        world_turn(story.world);
    const bool done = done_calls > 0;
    log_delete(story.log);
    ck_assert_int_eq(done_calls, 1);
    ck_assert_int_eq(done_error, done ? ERR_NONE : ERR_UNKNOWN_TOPIC_OR_PARTITION);
    if (done) {
        world_run(story.world);
        ck_assert_ptr_nonnull(
            world_bytes(story.world, read.range.file, read.range.position, read.range.length));
        log_unpin(&read.range);
    }
    world_run(story.world);
    ck_assert_uint_eq(folder_logs_count(story.folder), 0);
    ck_assert_uint_eq(world_open_files(story.world), 0);
}
END_TEST

/* Deleting at any moment of appending and loading leaves nothing behind. */
START_TEST(a_log_can_be_deleted_at_any_moment)
{
    for (int at = 0; at < 40; at++) {
        struct story other;
        story_begin(&other, 1);
        other.settings.segment_bytes = 700;
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        if (_i > 0) {
            for (int i = 0; i < 5; i++)
                story_write(&other, 1, 300);
            story_kill(&other);
            other.io = world_boot_io(other.world);
            other.folder = folder_new(other.io, 0, &other.folder_observer);
            folder_load(other.folder, &other.waiter);
            world_run(other.world);
            other.log = log_new(other.io, other.folder, SPAN("topic-0"), other.topic_id, NULL,
                                &other.settings, &other.observer);
            log_load(other.log, &other.waiter);
        } else {
            for (int i = 0; i < 5; i++)
                story_append(&other, 1, 300);
        }
        for (int turns = 0; turns < at; turns++)
            world_turn(other.world);
        log_delete(other.log);
        world_run(other.world);
        ck_assert_uint_eq(folder_logs_count(other.folder), 0);
        ck_assert_uint_eq(world_open_files(other.world), 0);
        world_advance_ms(other.world, 1000);
        ck_assert_ptr_null(world_name(other.world, "topic-0", 0));
        for (uint32_t i = 0; world_name(other.world, "", i) != NULL; i++)
            ck_assert_ptr_null(strstr(world_name(other.world, "", i), "topic"));
        story_end(&other);
    }
}
END_TEST

/* Its name may be used again only when nothing that was asked under it is under way. */
START_TEST(a_log_is_deleted_while_its_folder_is_synced)
{
    world_hold(story.world, EFFECT_SYNC_FOLDER, "topic-0");
    for (int i = 0; i < 3; i++) {
        story_append(&story, 1, 300);
        world_run(story.world);
    }
    log_delete(story.log);
    world_run(story.world);
    ck_assert_ptr_nonnull(world_name(story.world, "topic-0", 0));
    world_release(story.world);
    world_run(story.world);
    ck_assert(!story.offline);
    ck_assert_ptr_null(world_name(story.world, "topic-0", 0));
}
END_TEST

SUITE(delete)
{
    TCase *tcase = tcase_create("delete");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_folder_of_a_deleted_log_goes_after_a_while);
    tcase_add_test(tcase, the_folder_of_a_deleted_log_goes_from_a_full_disk_at_once);
    tcase_add_test(tcase, a_deleted_log_of_an_earlier_process_goes_at_the_next_start);
    tcase_add_loop_test(tcase, a_name_that_is_used_again_begins_anew, 0, 6);
    tcase_add_test(tcase, a_log_that_goes_before_it_was_ready_gives_its_name_up);
    tcase_add_test(tcase, a_name_that_is_used_again_is_safe_at_every_effect);
    tcase_add_loop_test(tcase, reads_of_a_deleted_log_end, 0, 8);
    tcase_add_loop_test(tcase, a_log_can_be_deleted_at_any_moment, 0, 2);
    tcase_add_test(tcase, a_log_is_deleted_while_its_folder_is_synced);
    suite_add_tcase(suite, tcase);
}
