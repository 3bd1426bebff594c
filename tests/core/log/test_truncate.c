/* SPDX-License-Identifier: Apache-2.0 */
/* A follower's log: batches as the leader has them, its end cut off, and beginning again. */
#include "core/wire/error.h"
#include "tests/core/log/model.h"

static struct story story;
static struct model model;

static void start_is_durable(struct log_waiter *waiter, int error)
{
    (void)waiter;
    ck_assert_int_eq(error, ERR_NONE);
}

static void set_up(void)
{
    story_begin(&story, 1);
    model = (struct model){0};
    story.settings.segment_bytes = 2000;
    story.settings.index_interval_bytes = 300;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
}

static void tear_down(void)
{
    story_end(&story);
}

/* `count` batches of two records, each epoch for three of them. */
static void write(int count)
{
    for (int i = 0; i < count; i++) {
        const int32_t epoch = (int32_t)model.end / 6;
        const int32_t last = model_epoch(&model);
        model_append(&model, &story, model.end, epoch > last ? epoch : last, 2, 200);
    }
    world_run(story.world);
    ck_assert_int_eq(log_durable_end(story.log), model.end);
}

static void truncate(int64_t offset)
{
    story.woken = 0;
    log_truncate(story.log, offset, &story.waiter);
    ck_assert_int_eq(story.woken, 0);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_NONE);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
    model_truncate(&model, offset);
    model_check(&model, &story);
}

static void reset(int64_t offset)
{
    story.woken = 0;
    log_reset(story.log, offset, &story.waiter);
    ck_assert_int_eq(story.woken, 0);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_NONE);
    model_reset(&model, offset);
    model_check(&model, &story);
}

static void boot(void)
{
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    model_check(&model, &story);
}

START_TEST(everything_at_or_beyond_the_offset_goes)
{
    write(30);
    truncate(_i);
    ck_assert_int_eq(log_end(story.log), _i - _i % 2); /* and what holds it, as a whole */
    ck_assert_int_eq(log_durable_end(story.log), log_end(story.log));
    story_power_loss(&story);
    boot();
    write(10);
    model_check_producer(&model, &story);
    model_check(&model, &story);
    story_kill(&story);
    boot();
}
END_TEST

START_TEST(nothing_goes_at_or_beyond_the_end)
{
    truncate(0);
    write(3);
    truncate(6);
    truncate(100);
    ck_assert_int_eq(log_end(story.log), 6);
}
END_TEST

START_TEST(appends_under_way_are_written_before)
{
    for (int i = 0; i < 30; i++)
        model_append(&model, &story, model.end, 1, 2, 200);
    truncate(21);
    model_append(&model, &story, model.end, 2, 2, 200);
    world_turn(story.world);
    truncate(model.end - 1);
}
END_TEST

/* The recovery point lies beyond the cut, and so does the newest snapshot of producers. */
START_TEST(what_was_settled_beyond_the_cut_is_unsettled)
{
    for (int i = 0; i < 3; i++) {
        write(10);
        world_advance_ms(story.world, 61000);
    }
    ck_assert(!span_is_null(world_file(story.world, story_path(60, ".snapshot"))));
    story_check_index_files(&story);
    truncate(_i);
    story_check_index_files(&story);
    ck_assert(span_is_null(world_file(story.world, story_path(60, ".snapshot"))));
    model_check_producer(&model, &story);
    story_power_loss(&story);
    boot();
    story_check_index_files(&story);
    write(20);
    world_advance_ms(story.world, 61000);
    story_power_loss(&story);
    boot();
    story_check_index_files(&story);
    model_check_producer(&model, &story);
}
END_TEST

/* A full disk kept them from being written: that is tried again, though nothing else happens. */
START_TEST(index_files_of_a_cut_come_in_the_end)
{
    write(28);
    world_advance_ms(story.world, 61000);
    world_fail(story.world, EFFECT_WRITE, ".index", 0, 1, ERR_NO_SPACE, 0);
    truncate(55);
    ck_assert(world_logged(story.world, "recovery would take longer"));
    world_advance_ms(story.world, 61000);
    story_check_index_files(&story);
}
END_TEST

/* Batches of an epoch that was there before, behind a cut that took a later one. */
START_TEST(epochs_that_went_do_not_come_back)
{
    model_append(&model, &story, 0, 2, 2, 100);
    model_append(&model, &story, 2, 3, 2, 100);
    world_run(story.world);
    world_advance_ms(story.world, 61000);
    truncate(2);
    model_append(&model, &story, 2, 2, 8, 100);
    model_append(&model, &story, 10, 5, 2, 100);
    world_run(story.world);
    story_power_loss(&story);
    boot();
}
END_TEST

static struct log_read pin;
static int pins;

static void pinned(struct log_read *read)
{
    ck_assert_int_eq(read->error, ERR_NONE);
    pins++;
}

static void pin_range(int64_t offset, int64_t end_offset)
{
    pin = (struct log_read){.offset = offset,
                            .end_offset = end_offset,
                            .max_bytes = 1 << 20,
                            .whole_first = true,
                            .done = pinned};
    pins = 0;
    log_read(story.log, &pin);
    world_run(story.world);
    ck_assert_int_eq(pins, 1);
    ck_assert_uint_gt(pin.range.length, 0);
}

START_TEST(a_range_that_is_being_sent_keeps_its_bytes)
{
    static uint8_t copy[8192];
    write(4); /* one segment */
    pin_range(0, 8);
    ck_assert_uint_le(pin.range.length, sizeof(copy));
    memcpy(copy, world_bytes(story.world, pin.range.file, pin.range.position, pin.range.length),
           pin.range.length);
    story.woken = 0;
    log_truncate(story.log, 4, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 0);
    ck_assert_int_eq(log_state(story.log), LOG_LOADING);
    story_read(&story, 0, 4, 100, true);
    ck_assert_int_eq(story.error, ERR_KAFKA_STORAGE_ERROR);
    ck_assert_mem_eq(world_bytes(story.world, pin.range.file, pin.range.position, pin.range.length),
                     copy, pin.range.length);
    log_unpin(&pin.range);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    model_truncate(&model, 4);
    model_check(&model, &story);
}
END_TEST

START_TEST(a_range_that_stays_is_not_waited_for)
{
    write(4);
    pin_range(0, 4);
    truncate(4);
    write(4);
    log_unpin(&pin.range);
}
END_TEST

/* Of a segment that goes as a whole the file stays readable as long as somebody reads. */
START_TEST(a_range_in_a_segment_that_goes_is_not_waited_for)
{
    write(20);
    pin_range(36, 40);
    const uint8_t first =
        *world_bytes(story.world, pin.range.file, pin.range.position, pin.range.length);
    truncate(2);
    ck_assert_uint_eq(
        *world_bytes(story.world, pin.range.file, pin.range.position, pin.range.length), first);
    log_unpin(&pin.range);
    world_run(story.world);
}
END_TEST

START_TEST(a_log_that_goes_waits_for_nobody)
{
    write(4);
    pin_range(0, 8);
    story.woken = 0;
    log_truncate(story.log, 4, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 0);
    log_delete(story.log);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert(span_is_null(world_file(story.world, story_path(0, ".log"))));
    log_unpin(&pin.range);
    world_run(story.world);
}
END_TEST

/* Before it has begun: what was appended is still to be written. */
START_TEST(a_log_that_goes_early_wakes_the_waiter)
{
    write(4);
    world_hold(story.world, EFFECT_WRITE, ".log");
    model_append(&model, &story, model.end, 5, 2, 100);
    world_run(story.world);
    story.woken = 0;
    log_truncate(story.log, 4, &story.waiter);
    world_run(story.world);
    log_delete(story.log);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_UNKNOWN_TOPIC_OR_PARTITION);
    world_release(story.world);
    world_run(story.world);
}
END_TEST

static void ended(struct log_read *read)
{
    ck_assert_int_eq(read->error, ERR_NOT_LEADER_OR_FOLLOWER);
    pins++;
}

/* Nothing is in memory, and what is read is held. */
static void read_and_truncate(const char *held)
{
    write(30);
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    world_hold(story.world, EFFECT_READ, held);
    struct log_read read = {.offset = 3, .end_offset = 60, .max_bytes = 100, .done = ended};
    pins = 0;
    log_read(story.log, &read);
    world_run(story.world);
    ck_assert_int_eq(pins, 0);
    story.woken = 0;
    log_truncate(story.log, 11, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(pins, 1);
    ck_assert_int_eq(story.woken, 0);
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    model_truncate(&model, 11);
    model_check(&model, &story);
    write(10);
    model_check(&model, &story);
}

START_TEST(reads_that_wait_end)
{
    read_and_truncate(".log");
}
END_TEST

START_TEST(indexes_that_are_read_are_waited_for)
{
    read_and_truncate(".index");
}
END_TEST

START_TEST(the_high_watermark_comes_down)
{
    write(10);
    log_set_high_watermark(story.log, 20);
    truncate(11);
    ck_assert_int_eq(log_delete_before(story.log, 20, &story.waiter), 10);
    world_run(story.world);
}
END_TEST

/* A process is killed when its cut is visible, but not durable: nothing that the next one knows of
 * may come back. */
START_TEST(what_a_killed_process_cut_stays_cut)
{
    story_end(&story);
    story_begin(&story, (uint64_t)_i);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    write(4);
    world_advance_ms(story.world, 61000);
    world_hold(story.world, EFFECT_SYNC, ".log");
    log_truncate(story.log, 4, &story.waiter);
    world_run(story.world);
    story_kill(&story);
    world_release(story.world);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    const int64_t end = log_end(story.log);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), end);
}
END_TEST

START_TEST(a_log_that_begins_again_knows_no_producer)
{
    struct log_append append;
    write(10);
    world_advance_ms(story.world, 61000);
    reset(20);
    story_kill(&story);
    boot();
    ck_assert_int_eq(story_append_by(&story, 1, 7, 0, 777, &append), ERR_NONE);
    world_run(story.world);
    reset(1000);
    ck_assert_int_eq(story_append_by(&story, 1, 7, 0, 99, &append), ERR_NONE);
}
END_TEST

static const enum effect_kind failing[] = {EFFECT_TRUNCATE, EFFECT_SYNC, EFFECT_SYNC_FOLDER,
                                           EFFECT_REMOVE,   EFFECT_READ, EFFECT_RENAME};

START_TEST(a_cut_that_fails_takes_the_folder_offline)
{
    write(20);
    world_advance_ms(story.world, 61000);
    story_close(&story);
    boot();
    world_fail(story.world, failing[_i], NULL, 0, 1000, ERR_IO, 0);
    story.woken = 0;
    log_truncate(story.log, 3, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_KAFKA_STORAGE_ERROR);
    ck_assert(story.offline);
    world_mend(story.world);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_ge(log_end(story.log), 2);
}
END_TEST

START_TEST(a_full_disk_delays_the_cut)
{
    write(20);
    world_advance_ms(story.world, 61000);
    world_fail(story.world, EFFECT_WRITE, "checkpoint", 0, 3, ERR_NO_SPACE, 0);
    story.woken = 0;
    log_truncate(story.log, 3, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 0);
    world_advance_ms(story.world, 1000);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_NONE);
    model_truncate(&model, 3);
    model_check(&model, &story);
}
END_TEST

START_TEST(a_cut_in_a_batch_that_the_start_is_in_leaves_nothing)
{
    model_append(&model, &story, 0, 1, 10, 100);
    model_append(&model, &story, 10, 1, 10, 100);
    world_run(story.world);
    log_set_high_watermark(story.log, 20);
    ck_assert_int_eq(log_delete_before(story.log, 5, &story.waiter), 5);
    world_run(story.world);
    model.start = 5;
    model_check(&model, &story);
    truncate(7);
    ck_assert_int_eq(log_start(story.log), 5);
    ck_assert_int_eq(log_end(story.log), 5);
    story_power_loss(&story);
    boot();
    write(4);
    story_power_loss(&story);
    boot();
}
END_TEST

/* Where it begins again: in a log with `batches`. */
static const struct {
    int batches;
    int64_t start;
    int64_t offset;
} resets[] = {
    {0, 0, 0},    {0, 0, 1000}, {30, 0, 1000}, {30, 0, 60},  {30, 0, 59},  {30, 0, 25},
    {30, 0, 0},   {30, 30, 25}, {30, 30, 7},   {30, 30, 0},  {30, 60, 60}, {30, 60, 100},
    {30, 60, 50}, {1, 1, 0},    {1, 1, 1},     {30, 31, 31},
};

/* The start moves on meanwhile, and nobody knows of that yet. */
START_TEST(a_cut_below_a_start_that_is_not_durable_leaves_nothing)
{
    static struct log_waiter start_waiter = {.wake = start_is_durable};
    write(3);
    log_set_high_watermark(story.log, 6);
    story.woken = 0;
    ck_assert_int_eq(log_delete_before(story.log, 4, &start_waiter), 4);
    ck_assert_int_eq(log_start(story.log), 0);
    log_truncate(story.log, 2, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(story.error, ERR_NONE);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
    ck_assert_int_eq(log_start(story.log), 4);
    ck_assert_int_eq(log_end(story.log), 4);
}
END_TEST

START_TEST(a_log_begins_again_where_it_is_told_to)
{
    write(resets[_i].batches);
    world_advance_ms(story.world, 61000);
    if (resets[_i].start > 0) {
        log_set_high_watermark(story.log, model.end);
        log_delete_before(story.log, resets[_i].start, &story.waiter);
        world_run(story.world);
    }
    reset(resets[_i].offset);
    ck_assert_int_eq(log_last_epoch(story.log), -1);
    story_power_loss(&story);
    boot();
    write(20);
    world_advance_ms(story.world, 61000);
    story_power_loss(&story);
    boot();
    model_check_producer(&model, &story);
    story_close(&story);
    boot();
}
END_TEST

START_TEST(the_leaders_batches_keep_their_places)
{
    story.settings.delete_old = false;
    log_configure(story.log, &story.settings);
    model_append(&model, &story, 5, 3, 2, 100); /* compaction left gaps */
    model_append(&model, &story, 7, 3, 4, 100);
    model_append(&model, &story, 20, 8, 1, 100);
    world_run(story.world);
    ck_assert_int_eq(log_end(story.log), 21);
    for (int64_t offset = 0; offset < 21; offset++) {
        const struct span bytes = story_read(&story, offset, 21, 1, true);
        struct batch_info info;
        batch_info_read(bytes.data, &info);
        ck_assert_int_eq(info.base_offset, offset < 7 ? 5 : offset < 11 ? 7 : 20);
        const struct span below = story_read(&story, 0, offset, 1 << 20, true);
        const size_t length = offset <= 6 ? 0 : offset <= 10 ? 1 : 2;
        ck_assert_int_eq(below.length > 0, length > 0);
    }
    ck_assert_int_eq(story_append_led(&story, 20, 8, 1, 10, 0), ERR_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(story_append_led(&story, 21, 7, 1, 10, 0), ERR_FENCED_LEADER_EPOCH);
    ck_assert_int_eq(story_append_led(&story, INT64_MAX - 10, 8, 1, 10, 0),
                     ERR_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(log_end(story.log), 21);
    /* Too far for the segment: it gets one of its own that begins where the log ends. */
    ck_assert_int_eq(story_append_led(&story, 21 + INT64_C(5000000000), 8, 1, 10, 0),
                     ERR_OFFSET_OUT_OF_RANGE);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 21);
}
END_TEST

START_TEST(a_gap_that_no_compaction_explains_is_refused)
{
    ck_assert_int_eq(story_append_led(&story, 0, 3, 2, 10, 0), ERR_NONE);
    ck_assert_int_eq(story_append_led(&story, 3, 3, 2, 10, 0), ERR_INVALID_RECORD);
    ck_assert_int_eq(log_end(story.log), 2);
}
END_TEST

/* The leader allowed them once. */
START_TEST(a_batch_beyond_the_segments_size_has_one_of_its_own)
{
    write(2);
    model_append(&model, &story, model.end, 9, 2, 3000);
    model_append(&model, &story, model.end, 9, 2, 100);
    world_run(story.world);
    model_check(&model, &story);
    ck_assert(!span_is_null(world_file(story.world, story_path(4, ".log"))));
    ck_assert(!span_is_null(world_file(story.world, story_path(6, ".log"))));
    story_power_loss(&story);
    boot();
}
END_TEST

SUITE(truncate)
{
    TCase *tcase = tcase_create("truncate");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, everything_at_or_beyond_the_offset_goes, 0, 60);
    tcase_add_test(tcase, nothing_goes_at_or_beyond_the_end);
    tcase_add_test(tcase, appends_under_way_are_written_before);
    tcase_add_loop_test(tcase, what_was_settled_beyond_the_cut_is_unsettled, 0, 60);
    tcase_add_test(tcase, index_files_of_a_cut_come_in_the_end);
    tcase_add_test(tcase, epochs_that_went_do_not_come_back);
    tcase_add_test(tcase, a_range_that_is_being_sent_keeps_its_bytes);
    tcase_add_test(tcase, a_range_that_stays_is_not_waited_for);
    tcase_add_test(tcase, a_range_in_a_segment_that_goes_is_not_waited_for);
    tcase_add_test(tcase, a_log_that_goes_waits_for_nobody);
    tcase_add_test(tcase, a_log_that_goes_early_wakes_the_waiter);
    tcase_add_test(tcase, reads_that_wait_end);
    tcase_add_test(tcase, indexes_that_are_read_are_waited_for);
    tcase_add_test(tcase, the_high_watermark_comes_down);
    tcase_add_loop_test(tcase, what_a_killed_process_cut_stays_cut, 1, 20);
    tcase_add_test(tcase, a_log_that_begins_again_knows_no_producer);
    tcase_add_loop_test(tcase, a_cut_that_fails_takes_the_folder_offline, 0,
                        sizeof(failing) / sizeof(failing[0]));
    tcase_add_test(tcase, a_full_disk_delays_the_cut);
    tcase_add_test(tcase, a_cut_in_a_batch_that_the_start_is_in_leaves_nothing);
    tcase_add_test(tcase, a_cut_below_a_start_that_is_not_durable_leaves_nothing);
    tcase_add_loop_test(tcase, a_log_begins_again_where_it_is_told_to, 0,
                        sizeof(resets) / sizeof(resets[0]));
    tcase_add_test(tcase, the_leaders_batches_keep_their_places);
    tcase_add_test(tcase, a_gap_that_no_compaction_explains_is_refused);
    tcase_add_test(tcase, a_batch_beyond_the_segments_size_has_one_of_its_own);
    suite_add_tcase(suite, tcase);
}
