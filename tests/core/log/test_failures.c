/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that are full or broken: what is promised, what is refused, and what is never believed. */
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

START_TEST(a_sync_covers_only_what_was_written_when_it_was_asked_for)
{
    story_write(&story, 1, 10);
    world_reset_counts(story.world);
    world_hold(story.world, EFFECT_SYNC, ".log");
    story_write(&story, 1, 10); /* its sync is under way … */
    story_write(&story, 1, 10); /* … when these are written */
    story_write(&story, 1, 10);
    ck_assert_int_eq(log_written_end(story.log), 4);
    ck_assert_int_eq(log_durable_end(story.log), 1);
    ck_assert_uint_eq(world_count(story.world, EFFECT_SYNC), 1);
    world_release(story.world);
    world_turn(story.world);
    ck_assert_int_eq(log_durable_end(story.log), 2);
    world_run(story.world);
    ck_assert_int_eq(log_durable_end(story.log), 4);
    ck_assert_uint_eq(world_count(story.world, EFFECT_SYNC), 2);
}
END_TEST

START_TEST(one_write_is_under_way_and_the_next_gathers_what_came_meanwhile)
{
    story_write(&story, 1, 10);
    world_reset_counts(story.world);
    world_hold(story.world, EFFECT_WRITE, ".log");
    for (int i = 0; i < 10; i++) {
        story_append(&story, 1, 10);
        world_run(story.world);
    }
    ck_assert_uint_eq(world_count(story.world, EFFECT_WRITE), 1);
    ck_assert_int_eq(log_written_end(story.log), 1);
    world_release(story.world);
    world_run(story.world);
    ck_assert_uint_eq(world_count(story.world, EFFECT_WRITE), 2);
    ck_assert_int_eq(log_durable_end(story.log), 11);
    story_check(&story, 1 << 20);
}
END_TEST

/* Bytes in a segment prove the ones before it durable. */
START_TEST(a_segment_is_begun_when_the_ones_before_it_are_durable)
{
    story.settings.segment_bytes = 1000;
    log_configure(story.log, &story.settings);
    story_write(&story, 1, 300);
    world_hold(story.world, EFFECT_SYNC, ".log");
    for (int i = 0; i < 3; i++)
        story_append(&story, 1, 300);
    world_run(story.world);
    ck_assert_int_eq(log_written_end(story.log), 2);
    ck_assert_uint_eq(world_file(story.world, story_path(2, ".log")).length, 0);
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(log_durable_end(story.log), 4);
    /* With write caching nothing waits. */
    story.settings.write_caching = true;
    log_configure(story.log, &story.settings);
    world_hold(story.world, EFFECT_SYNC, ".log");
    for (int i = 0; i < 3; i++)
        story_append(&story, 1, 300);
    world_run(story.world);
    ck_assert_int_eq(log_written_end(story.log), 7);
    world_release(story.world);
    world_run(story.world);
    story_check(&story, 1000);
}
END_TEST

/* A write that stops after so many bytes. */
static const uint64_t short_writes[] = {0, 1, 60, 61, 200, 1000};

START_TEST(a_full_disk_loses_the_appends_and_nothing_else)
{
    struct log_append append;
    story.settings.segment_bytes = 4000;
    log_configure(story.log, &story.settings);
    story_write(&story, 4, 100);
    ck_assert_int_eq(story_append_by(&story, 2, 7, 0, 0, &append), ERR_NONE);
    world_run(story.world);
    const int32_t epoch = story.epoch;
    world_fail(story.world, EFFECT_WRITE, ".log", 0, 1, ERR_NO_SPACE, short_writes[_i]);
    story.epoch++;
    ck_assert_int_eq(story_append_by(&story, 2, 7, 0, 2, &append), ERR_NONE);
    for (int i = 0; i < 20; i++)
        story_append(&story, 1, 500); /* reaches into segments to come */
    world_run(story.world);
    ck_assert_int_eq(story.failures, 1);
    ck_assert_int_eq(story.failed_with, ERR_NO_SPACE);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 6);
    ck_assert_int_eq(log_written_end(story.log), 6);
    ck_assert_int_eq(log_last_epoch(story.log), epoch);
    story_check(&story, 1 << 20);
    /* The producer's lost batch is not taken for a duplicate. */
    story.epoch++;
    ck_assert_int_eq(story_append_by(&story, 2, 7, 0, 2, &append), ERR_NONE);
    ck_assert(!append.duplicate);
    ck_assert_int_eq(append.base_offset, 6);
    for (int i = 0; i < 20; i++)
        story_write(&story, 1, 500);
    ck_assert_int_eq(log_durable_end(story.log), 28);
    story_check(&story, 1000);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 28);
    story_check(&story, 1);
}
END_TEST

START_TEST(a_full_disk_serves_reads)
{
    for (int i = 0; i < 10; i++)
        story_write(&story, 1, 1000);
    world_set_capacity(story.world, 12000);
    story_write(&story, 1, 5000);
    ck_assert_int_eq(story.failures, 1);
    ck_assert_int_eq(log_end(story.log), 10);
    story_check(&story, 1 << 20);
    story.epoch++;
    story_write(&story, 1, 5000);
    ck_assert_int_eq(story.failures, 2);
    world_set_capacity(story.world, UINT64_MAX);
    story.epoch++;
    story_write(&story, 1, 5000);
    ck_assert_int_eq(log_durable_end(story.log), 11);
    story_check(&story, 1 << 20);
}
END_TEST

/* What passes by: a full disk, and a process without descriptors, which is not the disk's fault. */
static const struct {
    enum effect_kind kind;
    const char *part;
    int error;
} passing[] = {
    {EFFECT_MAKE_FOLDER, "topic-0", ERR_NO_SPACE},
    {EFFECT_OPEN, "partition.metadata", ERR_NO_SPACE},
    {EFFECT_WRITE, "partition.metadata", ERR_NO_SPACE},
    {EFFECT_OPEN, "partition.metadata", ERR_LIMIT},
    {EFFECT_OPEN, ".log", ERR_LIMIT},
};

START_TEST(a_partition_that_cannot_be_made_now_can_be_made_later)
{
    world_fail(story.world, passing[_i].kind, passing[_i].part, 0, 1, passing[_i].error, 3);
    story_write(&story, 1, 10);
    ck_assert_int_eq(story.failures, 1);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 0);
    story.epoch++;
    story_write(&story, 1, 10);
    ck_assert_int_eq(log_durable_end(story.log), 1);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    story_check(&story, 1 << 20);
    ck_assert_int_eq(log_end(story.log), 1);
}
END_TEST

/* Syncs that need a descriptor and find none have done no harm: they come again. */
static const char *const synced_folders[] = {"topic-0", NULL};

START_TEST(a_folder_is_synced_when_there_are_descriptors_again)
{
    world_fail(story.world, EFFECT_SYNC_FOLDER, synced_folders[_i], 0, UINT32_MAX, ERR_LIMIT, 0);
    story_write(&story, 1, 10);
    world_advance_ms(story.world, 1000);
    ck_assert(!story.offline);
    ck_assert_int_eq(story.failures, 0);
    ck_assert_int_eq(log_written_end(story.log), 1);
    ck_assert_int_eq(log_durable_end(story.log), 0);
    world_mend(story.world);
    world_advance_ms(story.world, 1000);
    ck_assert_int_eq(log_durable_end(story.log), 1);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 1);
}
END_TEST

/* Not having read partition.metadata says nothing about what is in it. */
static const struct {
    enum effect_kind kind;
    const char *part;
    bool is_cut; /* the log's tail is torn */
} loading[] = {
    {EFFECT_LIST, "topic-0", false},   {EFFECT_OPEN, "partition.metadata", false},
    {EFFECT_OPEN, ".log", false},      {EFFECT_SYNC_FOLDER, "topic-0", false},
    {EFFECT_SYNC_FOLDER, NULL, false}, {EFFECT_OPEN, ".log", true},
};

START_TEST(a_log_is_loaded_when_there_are_descriptors_again)
{
    story_write(&story, 3, 10);
    story_kill(&story);
    if (loading[_i].is_cut) {
        const struct span bytes = world_file(story.world, story_path(0, ".log"));
        uint8_t torn[1000] = {0};
        ck_assert_uint_lt(bytes.length, sizeof(torn));
        memcpy(torn, bytes.data, bytes.length);
        world_put_file(story.world, story_path(0, ".log"), span_of(torn, sizeof(torn)));
    }
    world_fail(story.world, loading[_i].kind, loading[_i].part, 0, UINT32_MAX, ERR_LIMIT, 0);
    ck_assert_int_eq(story_boot(&story), LOG_LOADING);
    world_advance_ms(story.world, 1000);
    ck_assert(!story.offline);
    world_mend(story.world);
    world_advance_ms(story.world, 1000);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 3);
    story_check(&story, 1 << 20);
}
END_TEST

static int closed_calls;

static void closed(struct log_waiter *waiter, int error)
{
    (void)waiter;
    ck_assert_int_eq(error, ERR_NONE);
    closed_calls++;
}

/* An orderly end does not wait for descriptors that may never come. */
START_TEST(a_log_that_waits_for_descriptors_closes)
{
    story_write(&story, 3, 10);
    story_kill(&story);
    world_fail(story.world, loading[_i].kind, loading[_i].part, 0, UINT32_MAX, ERR_LIMIT, 0);
    ck_assert_int_eq(story_boot(&story), LOG_LOADING);
    struct log_waiter waiter = {.wake = closed};
    log_close(story.log, &waiter);
    world_advance_ms(story.world, 1000);
    ck_assert_int_eq(closed_calls, 1);
    ck_assert_int_eq(log_state(story.log), LOG_CLOSED);
    world_kill(story.world);
    world_mend(story.world);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 3);
}
END_TEST

START_TEST(a_checkpoint_without_descriptors_comes_later)
{
    story_write(&story, 1, 10);
    world_fail(story.world, EFFECT_OPEN, "checkpoint", 0, 1, ERR_LIMIT, 0);
    story.woken = 0;
    folder_checkpoint(story.folder, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_LIMIT);
    folder_checkpoint(story.folder, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 2);
    ck_assert_int_eq(story.error, ERR_NONE);
}
END_TEST

/* Effects whose failure shows that the device cannot be believed. */
static const struct {
    enum effect_kind kind;
    const char *part;
} broken[] = {
    {EFFECT_WRITE, ".log"},
    {EFFECT_SYNC, ".log"},
    {EFFECT_SYNC, "partition.metadata"},
    {EFFECT_SYNC_FOLDER, "topic-0"},
    {EFFECT_SYNC_FOLDER, NULL},
    {EFFECT_MAKE_FOLDER, NULL},
    {EFFECT_OPEN, ".log"},
};

START_TEST(a_broken_disk_takes_the_folder_offline)
{
    world_fail(story.world, broken[_i].kind, broken[_i].part, 0, 1, ERR_IO, 0);
    story_write(&story, 1, 10);
    ck_assert(story.offline);
    ck_assert(folder_is_offline(story.folder));
    ck_assert_int_eq(log_state(story.log), LOG_OFFLINE);
    ck_assert_int_eq(story.failures, 1);
    ck_assert_int_eq(log_durable_end(story.log), 0);
    /* Nothing is tried again, whatever is asked. */
    world_reset_counts(story.world);
    story.woken = 0;
    log_load(story.log, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_KAFKA_STORAGE_ERROR);
    story_read(&story, 0, 1, 100, true);
    ck_assert_int_eq(story.error, ERR_KAFKA_STORAGE_ERROR);
    folder_checkpoint(story.folder, &story.waiter);
    world_advance_ms(story.world, 100000);
    ck_assert_int_eq(story.woken, 2);
    ck_assert_uint_eq(world_count(story.world, EFFECT_SYNC), 0);
    ck_assert_uint_eq(world_count(story.world, EFFECT_SYNC_FOLDER), 0);
    ck_assert_uint_eq(world_count(story.world, EFFECT_WRITE), 0);
}
END_TEST

START_TEST(what_a_failed_sync_had_covered_is_not_durable)
{
    story_write(&story, 3, 100);
    world_fail(story.world, EFFECT_SYNC, ".log", 0, 1, ERR_IO, 0);
    story_write(&story, 3, 100);
    ck_assert(story.offline);
    ck_assert_int_eq(log_durable_end(story.log), 3);
    ck_assert_int_eq(story.durable_end, 3);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 3);
}
END_TEST

/* The kernel takes pages whose sync failed for clean: the next process finds the bytes, and its
 * syncs succeed without writing them. Unless it writes them again, they are gone at a power loss,
 * and the records that were acknowledged behind them with them. */
START_TEST(a_process_after_a_failed_sync_writes_again_what_it_serves)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct story other;
        story_begin(&other, seed);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        if (seed % 2 == 0)
            story_write(&other, 2, 300);
        world_fail(other.world, EFFECT_SYNC, ".log", 0, 1, ERR_IO, 0);
        story_write(&other, 3, 700);
        ck_assert_int_eq(log_state(other.log), LOG_OFFLINE);
        story_kill(&other);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        story_write(&other, 2, 300);
        story_power_loss(&other);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        ck_assert_int_ge(log_end(other.log), other.durable_end);
        story_check(&other, 1 << 20);
        story_end(&other);
    }
}
END_TEST

/* With write caching, syncs are as rare as the settings say. */
START_TEST(write_caching_syncs_by_messages_and_time)
{
    story.settings.write_caching = true;
    story.settings.flush_messages = 10;
    story.settings.flush_ms = 500;
    log_configure(story.log, &story.settings);
    for (int i = 0; i < 9; i++)
        story_write(&story, 1, 10);
    ck_assert_int_eq(log_durable_end(story.log), 0);
    ck_assert_int_eq(log_safe_end(story.log), 9);
    story_write(&story, 1, 10);
    ck_assert_int_eq(log_durable_end(story.log), 10);
    story_write(&story, 1, 10);
    world_advance_ms(story.world, 499);
    ck_assert_int_eq(log_durable_end(story.log), 10);
    world_advance_ms(story.world, 1);
    ck_assert_int_eq(log_durable_end(story.log), 11);
    story_write(&story, 1, 10);
    story.settings.write_caching = false;
    log_configure(story.log, &story.settings);
    world_run(story.world);
    ck_assert_int_eq(log_durable_end(story.log), 12);
}
END_TEST

/* Kafka's defaults are the greatest numbers, and mean that the log never asks for a sync. */
START_TEST(write_caching_without_a_limit_never_syncs)
{
    story.settings.write_caching = true;
    story.settings.flush_messages = INT64_MAX;
    story.settings.flush_ms = INT64_MAX;
    log_configure(story.log, &story.settings);
    for (int i = 0; i < 20; i++) {
        story_write(&story, 1, 10);
        world_advance_ms(story.world, 10);
    }
    ck_assert_int_eq(log_safe_end(story.log), 20);
    ck_assert_int_eq(log_durable_end(story.log), 0);
}
END_TEST

/* Moving the recovery point takes a sync of the log, and then several of small files, during which
 * writes go on: these need none. */
START_TEST(write_caching_syncs_no_more_than_a_recovery_point_needs)
{
    story.settings.write_caching = true;
    log_configure(story.log, &story.settings);
    story_write(&story, 1, 10);
    world_hold(story.world, EFFECT_SYNC, ".snapshot");
    world_advance_ms(story.world, 60000);
    ck_assert_int_eq(log_durable_end(story.log), 1);
    for (int i = 0; i < 5; i++)
        story_write(&story, 1, 10);
    ck_assert_int_eq(log_durable_end(story.log), 1);
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(log_durable_end(story.log), 1);
    const struct span points = world_file(story.world, "recovery-point-offset-checkpoint");
    ck_assert(memmem(points.data, points.length, "topic 0 1\n", 10) != NULL);
    world_advance_ms(story.world, 60000);
    ck_assert_int_eq(log_durable_end(story.log), 6);
}
END_TEST

START_TEST(blocks_are_reserved_while_the_log_grows_and_given_back)
{
    story_write(&story, 1, 100);
    ck_assert_uint_eq(world_count(story.world, EFFECT_RESERVE), 1);
    for (int i = 0; i < 300; i++)
        story_write(&story, 1, 100000);
    const uint64_t steps = world_count(story.world, EFFECT_RESERVE);
    ck_assert_uint_ge(steps, 9);
    ck_assert_uint_le(steps, 12); /* 64 KiB doubling to beyond 30 MB */
    ck_assert_uint_eq(world_file(story.world, story_path(0, ".log")).length,
                      log_size_bytes(story.log));
    ck_assert_uint_eq(world_count(story.world, EFFECT_TRUNCATE), 1); /* partition.metadata */
    world_reset_counts(story.world);
    world_advance_ms(story.world, 30000);
    ck_assert_uint_eq(world_count(story.world, EFFECT_TRUNCATE), 1);
    ck_assert_uint_eq(world_file(story.world, story_path(0, ".log")).length,
                      log_size_bytes(story.log));
    /* A disk that refuses does no harm. */
    world_fail(story.world, EFFECT_RESERVE, NULL, 0, 1000, ERR_NO_SPACE, 0);
    for (int i = 0; i < 10; i++)
        story_write(&story, 1, 100000);
    ck_assert_int_eq(log_durable_end(story.log), 311);
}
END_TEST

START_TEST(an_idle_log_sets_no_timer)
{
    ck_assert_uint_eq(world_next_timer_us(story.world), TIMER_NEVER);
    story_write(&story, 1, 100);
    world_advance_ms(story.world, 200000);
    ck_assert_uint_eq(world_next_timer_us(story.world), TIMER_NEVER);
    world_reset_counts(story.world);
    world_advance_ms(story.world, 86400000);
    ck_assert_uint_eq(world_count(story.world, EFFECT_SYNC), 0);
}
END_TEST

SUITE(failures)
{
    TCase *tcase = tcase_create("order");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_sync_covers_only_what_was_written_when_it_was_asked_for);
    tcase_add_test(tcase, one_write_is_under_way_and_the_next_gathers_what_came_meanwhile);
    tcase_add_test(tcase, a_segment_is_begun_when_the_ones_before_it_are_durable);
    tcase_add_test(tcase, write_caching_syncs_by_messages_and_time);
    tcase_add_test(tcase, write_caching_without_a_limit_never_syncs);
    tcase_add_test(tcase, write_caching_syncs_no_more_than_a_recovery_point_needs);
    tcase_add_test(tcase, blocks_are_reserved_while_the_log_grows_and_given_back);
    tcase_add_test(tcase, an_idle_log_sets_no_timer);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("disk");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_full_disk_loses_the_appends_and_nothing_else, 0,
                        sizeof(short_writes) / sizeof(short_writes[0]));
    tcase_add_test(tcase, a_full_disk_serves_reads);
    tcase_add_loop_test(tcase, a_partition_that_cannot_be_made_now_can_be_made_later, 0,
                        sizeof(passing) / sizeof(passing[0]));
    tcase_add_loop_test(tcase, a_folder_is_synced_when_there_are_descriptors_again, 0,
                        sizeof(synced_folders) / sizeof(synced_folders[0]));
    tcase_add_loop_test(tcase, a_log_is_loaded_when_there_are_descriptors_again, 0,
                        sizeof(loading) / sizeof(loading[0]));
    tcase_add_loop_test(tcase, a_log_that_waits_for_descriptors_closes, 0, 4);
    tcase_add_test(tcase, a_checkpoint_without_descriptors_comes_later);
    tcase_add_loop_test(tcase, a_broken_disk_takes_the_folder_offline, 0,
                        sizeof(broken) / sizeof(broken[0]));
    tcase_add_test(tcase, what_a_failed_sync_had_covered_is_not_durable);
    tcase_add_test(tcase, a_process_after_a_failed_sync_writes_again_what_it_serves);
    suite_add_tcase(suite, tcase);
}
