/* SPDX-License-Identifier: Apache-2.0 */
/* Data folders: whose partition folders are, checkpoints, and the orderly end. */
#include <stdio.h>

#include "core/log/folder_internal.h"
#include "core/wire/error.h"
#include "tests/core/log/story.h"

static struct story story;

static void set_up(void)
{
    story_begin(&story, 1);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    story_write(&story, 5, 100);
}

static void tear_down(void)
{
    story_end(&story);
}

static const char *name_with(const char *part)
{
    const char *name;
    for (uint32_t i = 0; (name = world_name(story.world, "", i)) != NULL; i++) {
        if (strstr(name, part) != NULL)
            return name;
    }
    return NULL;
}

START_TEST(a_folder_of_another_topic_is_set_aside)
{
    story_close(&story);
    story.topic_id.bytes[9]++;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 0);
    ck_assert_ptr_nonnull(name_with("-stray"));
    ck_assert(world_logged(story.world, "set aside"));
    story.durable_end = 0;
    story_write(&story, 1, 10);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 1);
    story_check(&story, 100);
    ck_assert_ptr_nonnull(name_with("-stray"));
}
END_TEST

START_TEST(a_folder_that_was_never_completed_is_set_aside)
{
    story_kill(&story);
    if (_i == 0)
        world_remove(story.world, "topic-0/partition.metadata");
    else
        world_put_file(story.world, "topic-0/partition.metadata", SPAN("version: 0\n"));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 0);
    ck_assert_ptr_nonnull(name_with("-stray"));
}
END_TEST

START_TEST(a_log_that_lost_its_identity_is_refused)
{
    story_close(&story);
    world_remove(story.world, "topic-0/partition.metadata");
    ck_assert_int_eq(story_boot(&story), LOG_OFFLINE);
    ck_assert(world_logged(story.world, "partition.metadata is lost"));
}
END_TEST

START_TEST(a_folder_that_is_gone_is_said_to_be)
{
    story_close(&story);
    world_remove(story.world, "topic-0");
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 0);
    ck_assert(world_logged(story.world, "lost_offsets=5"));
}
END_TEST

START_TEST(what_nobody_claims_is_listed)
{
    story_kill(&story);
    world_put_folder(story.world, ".hidden-0"); /* topics may be called so */
    world_put_folder(story.world, "lost+found");
    world_put_folder(story.world, "other-3");
    world_put_folder(story.world, "topic-0.0123456789abcdef0123456789abcdef-stray");
    world_put_file(story.world, "some-file", SPAN(""));
    story.io = world_boot_io(story.world);
    story.folder = folder_new(story.io, 0, &story.folder_observer);
    folder_load(story.folder, &story.waiter);
    world_run(story.world);
    ck_assert(span_equal(folder_unclaimed(story.folder, 0), SPAN(".hidden-0")));
    ck_assert(span_equal(folder_unclaimed(story.folder, 1), SPAN("other-3")));
    ck_assert(span_equal(folder_unclaimed(story.folder, 2), SPAN("topic-0")));
    ck_assert(span_is_null(folder_unclaimed(story.folder, 3)));
    ck_assert(folder_holds(story.folder, SPAN("topic-0")));
    ck_assert(!folder_holds(story.folder, SPAN("some-file")));
    story.log = log_new(story.io, story.folder, SPAN("topic-0"), story.topic_id, NULL,
                        &story.settings, &story.observer);
    ck_assert(span_is_null(folder_unclaimed(story.folder, 2)));
    ck_assert_uint_eq(folder_logs_count(story.folder), 1);
    ck_assert(folder_holds(story.folder, SPAN("topic-0")));
}
END_TEST

START_TEST(lines_of_logs_that_are_not_loaded_stay)
{
    story_close(&story);
    story.io = world_boot_io(story.world);
    story.folder = folder_new(story.io, 0, &story.folder_observer);
    folder_load(story.folder, &story.waiter);
    world_run(story.world);
    folder_checkpoint(story.folder, &story.waiter);
    world_run(story.world);
    const struct span text = world_file(story.world, "recovery-point-offset-checkpoint");
    ck_assert(span_equal(text, SPAN("0\n1\ntopic 0 5\n")));
}
END_TEST

START_TEST(the_mark_of_an_orderly_end_is_gone_before_the_folder_serves)
{
    story_close(&story);
    ck_assert_ptr_nonnull(name_with(".kafka_cleanshutdown"));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert(folder_was_clean(story.folder));
    story_power_loss(&story);
    ck_assert_ptr_null(name_with(".kafka_cleanshutdown"));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert(!folder_was_clean(story.folder));
}
END_TEST

/* What file systems and people put into it, which is no partition's. */
START_TEST(folders_of_others_leave_an_end_orderly)
{
    static const char *const others[] = {
        "lost+found", ".snapshots", "old",           "-1",
        "a-",         "topic-0-x",  "backup-delete", "topic-0.0123456789abcdef-delete"};
    story_kill(&story);
    world_put_folder(story.world, others[_i]);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert(!folder_was_clean(story.folder));
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert(folder_was_clean(story.folder));
    ck_assert_ptr_nonnull(name_with(others[_i]));
}
END_TEST

/* A partition that no log has loaded: who knows how its tail is. */
START_TEST(a_partition_nobody_claims_leaves_no_end_orderly)
{
    static const char *const partitions[] = {"other-3", ".hidden-0", "a--7"};
    story_kill(&story);
    world_put_folder(story.world, partitions[_i]);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    story_close(&story);
    ck_assert_ptr_null(name_with(".kafka_cleanshutdown"));
}
END_TEST

/* At every effect of an orderly end: if the mark is there, all that it stands for is. */
START_TEST(an_orderly_end_is_durable_when_it_says_so)
{
    for (uint64_t effects = 0;; effects++) {
        struct story other;
        story_begin(&other, effects);
        other.settings.write_caching = true;
        world_set_order(other.world, WORLD_SHUFFLED);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        for (int i = 0; i < 6; i++)
            story_write(&other, 1, 300);
        world_allow(other.world, effects);
        log_close(other.log, &other.waiter);
        world_run(other.world);
        const bool closed = log_state(other.log) == LOG_CLOSED;
        other.woken = 0;
        if (closed)
            folder_close(other.folder, &other.waiter);
        world_run(other.world);
        const bool ended = other.woken > 0;
        const bool more = world_is_used_up(other.world);
        story_power_loss(&other);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        if (closed || folder_was_clean(other.folder))
            ck_assert_int_eq(log_end(other.log), 6);
        if (ended)
            ck_assert(folder_was_clean(other.folder));
        story_check(&other, 100);
        story_end(&other);
        if (!more)
            break;
    }
}
END_TEST

/* Loading a folder that cannot be read. */
START_TEST(a_folder_that_cannot_be_loaded_is_offline)
{
    static const enum effect_kind kinds[] = {EFFECT_LIST, EFFECT_READ, EFFECT_REMOVE,
                                             EFFECT_SYNC_FOLDER};
    story_close(&story);
    story.io = world_boot_io(story.world);
    story.folder = folder_new(story.io, 0, &story.folder_observer);
    world_fail(story.world, kinds[_i], NULL, 0, 1, ERR_IO, 0);
    story.woken = 0;
    folder_load(story.folder, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_ne(story.error, ERR_NONE);
    ck_assert(folder_is_offline(story.folder));
    story.log = log_new(story.io, story.folder, SPAN("topic-0"), story.topic_id, NULL,
                        &story.settings, &story.observer);
    log_load(story.log, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 2);
    ck_assert_int_eq(story.error, ERR_KAFKA_STORAGE_ERROR);
}
END_TEST

START_TEST(loading_a_log_fails_with_its_device)
{
    /* At every effect of loading. */
    story_close(&story);
    for (uint32_t skip = 0;; skip++) {
        bool failed = false;
        for (int kind = EFFECT_OPEN; kind <= EFFECT_SYNC_FOLDER; kind++) {
            if (kind == EFFECT_CLOSE_FILE)
                continue;
            story.io = world_boot_io(story.world);
            story.folder = folder_new(story.io, 0, &story.folder_observer);
            folder_load(story.folder, &story.waiter);
            world_run(story.world);
            world_fail(story.world, (enum effect_kind)kind, "topic-0", skip, 1, ERR_IO, 0);
            story.woken = 0;
            story.log = log_new(story.io, story.folder, SPAN("topic-0"), story.topic_id, NULL,
                                &story.settings, &story.observer);
            log_load(story.log, &story.waiter);
            world_run(story.world);
            ck_assert_int_eq(story.woken, 1);
            if (log_state(story.log) == LOG_OFFLINE)
                failed = true;
            else
                ck_assert_int_eq(log_end(story.log), 5);
            story_kill(&story);
        }
        if (!failed)
            break;
    }
}
END_TEST

/* Many logs of one folder. */
enum { LOGS = 200 };

static void ignore(struct log_waiter *waiter, int error)
{
    (void)waiter;
    (void)error;
}

START_TEST(many_logs_load_in_turn)
{
    struct log *logs[LOGS];
    char name[32];
    story_kill(&story);
    for (int round = 0; round < 2; round++) {
        story.io = world_boot_io(story.world);
        story.folder = folder_new(story.io, 0, &story.folder_observer);
        folder_load(story.folder, &story.waiter);
        world_run(story.world);
        struct log_waiter waiters[LOGS];
        story.log = log_new(story.io, story.folder, SPAN("topic-0"), story.topic_id, NULL,
                            &story.settings, &story.observer);
        log_load(story.log, &story.waiter);
        for (int i = 0; i < LOGS; i++) {
            snprintf(name, sizeof(name), "many-%d", i);
            logs[i] = log_new(story.io, story.folder, span_text(name), story.topic_id, NULL,
                              &story.settings, &story.observer);
            waiters[i] = story.waiter;
            waiters[i].wake = ignore;
            log_load(logs[i], &waiters[i]);
        }
        world_run(story.world);
        ck_assert_uint_eq(story.folder->loads_count, 0);
        struct log *first = story.log;
        for (int i = 0; i < LOGS; i++) {
            ck_assert_int_eq(log_state(logs[i]), LOG_READY);
            ck_assert_int_eq(log_end(logs[i]), round);
            story.log = logs[i];
            story.epoch = 5 + round;
            story_append(&story, 1, 100);
        }
        world_reset_counts(story.world);
        world_run(story.world);
        /* All new folders become durable by few syncs of the data folder. */
        if (round == 0)
            ck_assert_uint_le(world_count(story.world, EFFECT_SYNC_FOLDER), LOGS + 3);
        for (int i = 0; i < LOGS; i++)
            ck_assert_int_eq(log_durable_end(logs[i]), round + 1);
        story.log = first;
        story_power_loss(&story);
    }
}
END_TEST

SUITE(folder)
{
    TCase *tcase = tcase_create("folder");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_folder_of_another_topic_is_set_aside);
    tcase_add_loop_test(tcase, a_folder_that_was_never_completed_is_set_aside, 0, 2);
    tcase_add_test(tcase, a_log_that_lost_its_identity_is_refused);
    tcase_add_test(tcase, a_folder_that_is_gone_is_said_to_be);
    tcase_add_test(tcase, what_nobody_claims_is_listed);
    tcase_add_test(tcase, lines_of_logs_that_are_not_loaded_stay);
    tcase_add_test(tcase, the_mark_of_an_orderly_end_is_gone_before_the_folder_serves);
    tcase_add_loop_test(tcase, folders_of_others_leave_an_end_orderly, 0, 8);
    tcase_add_loop_test(tcase, a_partition_nobody_claims_leaves_no_end_orderly, 0, 3);
    tcase_add_test(tcase, an_orderly_end_is_durable_when_it_says_so);
    tcase_add_loop_test(tcase, a_folder_that_cannot_be_loaded_is_offline, 0, 4);
    tcase_add_test(tcase, loading_a_log_fails_with_its_device);
    tcase_add_test(tcase, many_logs_load_in_turn);
    suite_add_tcase(suite, tcase);
}
