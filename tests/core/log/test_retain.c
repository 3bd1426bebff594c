/* SPDX-License-Identifier: Apache-2.0 */
/* What goes by itself, what goes when asked, and when. */
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

/* How many files with a suffix the partition's folder shows. */
static int files(const char *suffix)
{
    int count = 0;
    const char *name;
    for (uint32_t i = 0; (name = world_name(story.world, "topic-0", i)) != NULL; i++) {
        const size_t length = strlen(name);
        if (length > strlen(suffix))
            count += strcmp(name + length - strlen(suffix), suffix) == 0;
    }
    return count;
}

static void configure(void)
{
    log_configure(story.log, &story.settings);
    log_set_high_watermark(story.log, 10);
    world_run(story.world);
}

START_TEST(size_trims_whole_segments_from_the_front)
{
    const int64_t segment_bytes = (int64_t)log_size_bytes(story.log) / 5;
    story.settings.retention_bytes = 3 * segment_bytes;
    configure();
    ck_assert_int_eq(log_start(story.log), 4);
    ck_assert_int_eq(files(".log"), 3);
    ck_assert_int_eq(files(".deleted"), 6); /* .log, .index, .timeindex */
    world_advance_ms(story.world, 999);
    ck_assert_int_eq(files(".deleted"), 6);
    world_advance_ms(story.world, 1);
    ck_assert_int_eq(files(".deleted"), 0);
    story_check(&story, 1000);
    story_read(&story, 3, 10, 100, true);
    ck_assert_int_eq(story.error, ERR_OFFSET_OUT_OF_RANGE);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 4);
    ck_assert_int_eq(log_end(story.log), 10);
}
END_TEST

START_TEST(a_lower_limit_counts_at_once_on_a_quiet_log)
{
    log_set_high_watermark(story.log, 10);
    world_run(story.world);
    story.settings.retention_bytes = 3 * ((int64_t)log_size_bytes(story.log) / 5);
    log_configure(story.log, &story.settings);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 4);
}
END_TEST

START_TEST(time_trims_when_the_last_record_is_old)
{
    story.settings.retention_ms = 10000;
    story.time_ms += 5000;
    configure();
    story_write(&story, 1, 300); /* a sixth segment */
    log_set_high_watermark(story.log, 11);
    world_advance_ms(story.world, 10000);
    ck_assert_int_eq(log_start(story.log), 0);
    world_advance_ms(story.world, 1);
    ck_assert_int_eq(log_start(story.log), 10);
    ck_assert_int_eq(files(".log"), 1);
    /* The last one is rolled, so that it may go too. */
    world_advance_ms(story.world, 5000);
    ck_assert_int_eq(log_start(story.log), 11);
    ck_assert_int_eq(log_end(story.log), 11);
    ck_assert_int_eq(files(".log"), 1);
    world_advance_ms(story.world, 100000);
    ck_assert_uint_eq(world_next_timer_us(story.world), TIMER_NEVER);
    /* An empty log still knows where it ends. */
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 11);
    ck_assert_int_eq(log_end(story.log), 11);
    ck_assert_int_eq(story_write(&story, 1, 300), 11);
    story_check(&story, 100);
}
END_TEST

START_TEST(time_is_found_again_after_a_restart)
{
    story.settings.retention_ms = 10000;
    story_close(&story);
    world_advance_wall_ms(story.world, 10001);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    log_set_high_watermark(story.log, 10);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 10);
}
END_TEST

START_TEST(nothing_beyond_the_high_watermark_goes)
{
    story.settings.retention_bytes = 0;
    log_configure(story.log, &story.settings);
    log_set_high_watermark(story.log, 5);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 4);
    log_set_high_watermark(story.log, 6);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 6);
}
END_TEST

START_TEST(nothing_beyond_the_high_watermark_expires)
{
    story.settings.retention_ms = 10;
    log_configure(story.log, &story.settings);
    log_set_high_watermark(story.log, 5);
    world_advance_ms(story.world, 1000);
    ck_assert_int_eq(log_start(story.log), 4);
    log_set_high_watermark(story.log, 10);
    world_advance_ms(story.world, 1);
    ck_assert_int_eq(log_start(story.log), 10);
}
END_TEST

START_TEST(compacted_topics_are_never_trimmed)
{
    story.settings.delete_old = false;
    story.settings.retention_bytes = 0;
    story.settings.retention_ms = 0;
    configure();
    world_advance_ms(story.world, 100000000);
    ck_assert_int_eq(log_start(story.log), 0);
    ck_assert_int_eq(files(".log"), 5);
}
END_TEST

START_TEST(delete_records_survives_a_power_loss)
{
    story.woken = 0;
    log_delete_before(story.log, 7, &story.waiter);
    ck_assert_int_eq(story.woken, 0);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 7);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_NONE);
    ck_assert_int_eq(files(".log"), 2);
    story_read(&story, 6, 10, 100, true);
    ck_assert_int_eq(story.error, ERR_OFFSET_OUT_OF_RANGE);
    story_check(&story, 100);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 7);
    ck_assert_int_eq(log_end(story.log), 10);
    story_check(&story, 100);
}
END_TEST

/* The start is durable when the waiter wakes, at whatever effect the power goes. */
START_TEST(delete_records_is_durable_when_it_is_answered)
{
    for (uint64_t effects = 0;; effects++) {
        struct story other;
        story_begin(&other, effects);
        other.settings.segment_bytes = 1000;
        world_set_order(other.world, WORLD_SHUFFLED);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        for (int i = 0; i < 6; i++)
            story_write(&other, 1, 300);
        log_set_high_watermark(other.log, 6);
        other.woken = 0;
        world_allow(other.world, effects);
        log_delete_before(other.log, 5, &other.waiter);
        world_run(other.world);
        const bool answered = other.woken > 0;
        const bool more = world_is_used_up(other.world);
        story_power_loss(&other);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        ck_assert_int_eq(log_end(other.log), 6);
        if (answered)
            ck_assert_int_eq(log_start(other.log), 5);
        story_check(&other, 100);
        story_end(&other);
        if (!more)
            break;
    }
}
END_TEST

/* Files go in any order: what is left below the start of a log is no hole in it. */
/* The new start may be lost, and then they are asked for again. */
START_TEST(epochs_below_a_new_start_stay_until_it_is_durable)
{
    int lost = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        tear_down();
        story_begin_in_segments(&story, seed);
        for (story.epoch = 2; story.epoch < 5; story.epoch++) {
            for (int i = 0; i < 4; i++)
                story_write(&story, 1, 300);
        }
        log_set_high_watermark(story.log, 22);
        world_hold(story.world, EFFECT_RENAME, "log-start-offset-checkpoint");
        log_delete_before(story.log, 16, &story.waiter);
        for (int i = 0; i < 6; i++)
            story_write(&story, 1, 300);
        story_power_loss(&story);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        if (log_start(story.log) == 16)
            continue;
        ck_assert_int_eq(log_start(story.log), 0);
        story_check_epochs(&story);
        lost++;
    }
    ck_assert_int_gt(lost, 0);
}
END_TEST

/* The process ended between the two files. */
START_TEST(epochs_below_the_start_are_forgotten_by_the_next_process)
{
    int32_t epoch;
    int64_t offset;
    log_delete_before(story.log, 5, &story.waiter);
    world_run(story.world);
    story_kill(&story);
    world_put_file(story.world, "topic-0/leader-epoch-checkpoint", SPAN("0\n1\n1 0\n"));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 5);
    ck_assert(log_epoch_before(story.log, INT64_MAX, &epoch, &offset));
    ck_assert_int_eq(epoch, 1);
    ck_assert_int_eq(offset, 5);
    ck_assert(!log_epoch_before(story.log, 5, &epoch, &offset));
}
END_TEST

/* Whoever saw a start may rely on it: what a power loss may take back is not shown. */
START_TEST(a_start_is_told_when_it_is_durable)
{
    world_hold(story.world, EFFECT_RENAME, "log-start-offset-checkpoint");
    story.woken = 0;
    ck_assert_int_eq(log_delete_before(story.log, 5, &story.waiter), 5);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 0);
    ck_assert_int_eq(log_start(story.log), 0);
    story_check(&story, 100);
    const int advances = story.advances;
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(log_start(story.log), 5);
    ck_assert_int_gt(story.advances, advances);
    story_check(&story, 100);
}
END_TEST

/* A power loss took what the page cache had promised, up to a start that is durable: the start goes
 * back to the end, and stays there, or the next process would hide what is written behind it. */
START_TEST(a_start_beyond_the_end_goes_back_for_good)
{
    log_delete_before(story.log, 9, &story.waiter);
    world_run(story.world);
    story_kill(&story);
    world_put_file(story.world, story_path(8, ".log"), SPAN(""));
    world_remove(story.world, "recovery-point-offset-checkpoint");
    story.settings.write_caching = true;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 8);
    ck_assert_int_eq(log_start(story.log), 8);
    ck_assert_int_eq(story_write(&story, 1, 300), 8);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 8);
    ck_assert_int_eq(log_end(story.log), 9);
}
END_TEST

START_TEST(what_is_left_below_the_start_goes)
{
    const struct span bytes = world_file(story.world, story_path(2, ".log"));
    uint8_t copy[1000];
    const size_t length = bytes.length;
    ck_assert_uint_le(length, sizeof(copy));
    memcpy(copy, bytes.data, length);
    log_delete_before(story.log, 7, &story.waiter);
    world_run(story.world);
    story_kill(&story);
    world_put_file(story.world, story_path(2, ".log"), span_of(copy, length));
    world_remove(story.world, "recovery-point-offset-checkpoint");
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 7);
    ck_assert_int_eq(log_end(story.log), 10);
    ck_assert(span_is_null(world_file(story.world, story_path(2, ".log"))));
    story_check(&story, 100);
}
END_TEST

/* Segments of a quiet log expire while a checkpoint cannot be written. */
static const struct {
    enum effect_kind kind;
    int error;
} refused[] = {
    {EFFECT_OPEN, ERR_LIMIT},
    {EFFECT_WRITE, ERR_NO_SPACE},
};

static void expire_without_a_checkpoint(int how)
{
    story.settings.retention_ms = 100000;
    configure();
    world_advance_ms(story.world, 100000);
    world_fail(story.world, refused[how].kind, "checkpoint", 0, 1, refused[how].error, 0);
    world_advance_ms(story.world, 1);
    ck_assert(world_logged(story.world, "no checkpoint"));
    ck_assert_int_eq(log_start(story.log), 0);
    ck_assert_int_eq(files(".log"), 6); /* an empty one, too */
}

START_TEST(a_start_without_a_checkpoint_is_written_later)
{
    expire_without_a_checkpoint(_i);
    world_advance_ms(story.world, 5000);
    ck_assert_int_eq(log_start(story.log), 10);
    ck_assert_int_eq(files(".log"), 1);
    ck_assert_uint_eq(world_next_timer_us(story.world), TIMER_NEVER);
}
END_TEST

START_TEST(segments_go_by_whatever_checkpoint_has_the_start)
{
    expire_without_a_checkpoint(_i);
    folder_checkpoint(story.folder, NULL);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 10);
    ck_assert_int_eq(files(".log"), 1);
}
END_TEST

START_TEST(delete_records_stops_at_the_high_watermark)
{
    log_set_high_watermark(story.log, 8);
    log_delete_before(story.log, 100, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 8);
}
END_TEST

static int done_calls;
static int done_error;

static void read_done(struct log_read *read)
{
    done_calls++;
    done_error = read->error;
}

static void time_done(struct log_time *time)
{
    done_calls++;
    done_error = time->error;
}

/* The log's start moves on while somebody waits for bytes below it. */
static void start_passes_a_reader(void)
{
    log_delete_before(story.log, 8, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(log_start(story.log), 8);
    ck_assert_int_eq(files(".log"), 1);
    ck_assert_int_eq(done_calls, 0);
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(done_calls, 1);
}

static void boot_with_reads_held(void)
{
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    log_set_high_watermark(story.log, 10);
    world_hold(story.world, EFFECT_READ, ".log");
    done_calls = 0;
}

START_TEST(a_read_of_what_went_meanwhile_is_out_of_range)
{
    boot_with_reads_held();
    struct log_read read = {.offset = 1, .end_offset = 10, .max_bytes = 1000, .done = read_done};
    log_read(story.log, &read);
    start_passes_a_reader();
    ck_assert_int_eq(done_error, ERR_OFFSET_OUT_OF_RANGE);
}
END_TEST

START_TEST(a_time_is_sought_on_behind_what_went_meanwhile)
{
    boot_with_reads_held();
    struct log_time time = {.timestamp_ms = 0, .end_offset = 10, .done = time_done};
    log_time(story.log, &time);
    start_passes_a_reader();
    ck_assert_int_eq(done_error, ERR_NONE);
    ck_assert_int_eq(time.offset, 8);
}
END_TEST

SUITE(retain)
{
    TCase *tcase = tcase_create("retention");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, size_trims_whole_segments_from_the_front);
    tcase_add_test(tcase, a_lower_limit_counts_at_once_on_a_quiet_log);
    tcase_add_test(tcase, time_trims_when_the_last_record_is_old);
    tcase_add_test(tcase, time_is_found_again_after_a_restart);
    tcase_add_test(tcase, nothing_beyond_the_high_watermark_goes);
    tcase_add_test(tcase, nothing_beyond_the_high_watermark_expires);
    tcase_add_test(tcase, compacted_topics_are_never_trimmed);
    tcase_add_test(tcase, delete_records_survives_a_power_loss);
    tcase_add_test(tcase, delete_records_is_durable_when_it_is_answered);
    tcase_add_test(tcase, epochs_below_a_new_start_stay_until_it_is_durable);
    tcase_add_test(tcase, epochs_below_the_start_are_forgotten_by_the_next_process);
    tcase_add_test(tcase, a_start_is_told_when_it_is_durable);
    tcase_add_test(tcase, a_start_beyond_the_end_goes_back_for_good);
    tcase_add_test(tcase, what_is_left_below_the_start_goes);
    tcase_add_test(tcase, a_read_of_what_went_meanwhile_is_out_of_range);
    tcase_add_test(tcase, a_time_is_sought_on_behind_what_went_meanwhile);
    tcase_add_test(tcase, delete_records_stops_at_the_high_watermark);
    tcase_add_loop_test(tcase, a_start_without_a_checkpoint_is_written_later, 0, 2);
    tcase_add_loop_test(tcase, segments_go_by_whatever_checkpoint_has_the_start, 0, 2);
    suite_add_tcase(suite, tcase);
}
