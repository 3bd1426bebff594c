/* SPDX-License-Identifier: Apache-2.0 */
/* Finding offsets by time. */
#include "core/wire/error.h"
#include "tests/core/log/story.h"

static struct story story;
static int64_t begin_ms;

/* Three records a batch, one a millisecond; a batch each 100 ms; two batches a segment. */
static void set_up(void)
{
    story_begin(&story, 1);
    story.settings.segment_bytes = 1500;
    story.settings.index_interval_bytes = 100;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    begin_ms = story.time_ms;
    for (int i = 0; i < 10; i++) {
        story_write(&story, 3, 200);
        story.time_ms += 100;
    }
}

static void tear_down(void)
{
    story_end(&story);
}

static int done_calls;

static void time_done(struct log_time *time)
{
    (void)time;
    done_calls++;
}

static struct log_time look(int64_t timestamp_ms, int64_t end_offset)
{
    struct log_time time = {
        .timestamp_ms = timestamp_ms, .end_offset = end_offset, .done = time_done};
    done_calls = 0;
    log_time(story.log, &time);
    world_run(story.world);
    ck_assert_int_eq(done_calls, 1);
    ck_assert_int_eq(time.error, ERR_NONE);
    return time;
}

static const struct {
    int64_t after_ms; /* the first one */
    int64_t end_offset;
    int64_t want_offset;
    int64_t want_after_ms;
} looks[] = {
    {-1000, 30, 0, 0},  {0, 30, 0, 0},      {1, 30, 1, 1},      {2, 30, 2, 2},
    {3, 30, 3, 100},    {100, 30, 3, 100},  {102, 30, 5, 102},  {103, 30, 6, 200},
    {550, 30, 18, 600}, {900, 30, 27, 900}, {902, 30, 29, 902}, {903, 30, -1, -1},
    {902, 29, -1, -1},  {901, 29, 28, 901}, {600, 18, -1, -1},  {500, 16, 15, 500},
};

static void check_looks(void)
{
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        const struct log_time time = look(begin_ms + looks[i].after_ms, looks[i].end_offset);
        ck_assert_int_eq(time.offset, looks[i].want_offset);
        if (time.offset < 0)
            continue;
        ck_assert_int_eq(time.found_ms, begin_ms + looks[i].want_after_ms);
        ck_assert_int_eq(time.leader_epoch, 1);
    }
}

START_TEST(first_record_at_or_after_a_time)
{
    check_looks();
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    check_looks();
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    check_looks();
    ck_assert_int_eq(look(INT64_MAX, 30).offset, -1); /* a time like any */
}
END_TEST

START_TEST(records_below_the_start_are_not_found)
{
    log_set_high_watermark(story.log, 30);
    log_delete_before(story.log, 5, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(look(begin_ms, 30).offset, 5);
    ck_assert_int_eq(look(begin_ms, 30).found_ms, begin_ms + 102);
}
END_TEST

START_TEST(the_latest_time_is_found)
{
    struct log_time time = look(LOG_TIME_MAX, 30);
    ck_assert_int_eq(time.offset, 29);
    ck_assert_int_eq(time.found_ms, begin_ms + 902);
    /* Time does not always rise: a batch of old records at the end, a late one in the middle. */
    story.time_ms = begin_ms + 5000;
    story_write(&story, 3, 200);
    story.time_ms = begin_ms + 10;
    for (int i = 0; i < 4; i++)
        story_write(&story, 3, 200);
    time = look(LOG_TIME_MAX, 45);
    ck_assert_int_eq(time.offset, 32);
    ck_assert_int_eq(time.found_ms, begin_ms + 5002);
    ck_assert_int_eq(look(begin_ms + 1000, 45).offset, 30);
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(look(LOG_TIME_MAX, 45).offset, 32);
}
END_TEST

START_TEST(an_empty_log_has_no_times)
{
    struct story other;
    story_begin(&other, 1);
    ck_assert_int_eq(story_boot(&other), LOG_READY);
    struct log_time time = {.timestamp_ms = LOG_TIME_MAX, .done = time_done};
    done_calls = 0;
    log_time(other.log, &time);
    world_run(other.world);
    ck_assert_int_eq(done_calls, 1);
    ck_assert_int_eq(time.error, ERR_NONE);
    ck_assert_int_eq(time.offset, -1);
    story_end(&other);
}
END_TEST

START_TEST(a_cancelled_search_is_not_answered)
{
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    struct log_time time = {.timestamp_ms = begin_ms + 300, .end_offset = 30, .done = time_done};
    done_calls = 0;
    log_time(story.log, &time);
    for (int turns = 0; turns < _i; turns++)
        world_turn(story.world);
    const int done = done_calls;
    if (done == 0) {
        log_time_cancel(&time);
        memset(&time, 0xdb, sizeof(time));
    }
    world_run(story.world);
    ck_assert_int_eq(done_calls, done);
}
END_TEST

static int64_t next_scanned;
static int scan_error;
static int stop_after;

static int scan_batch(struct log_scan *scan, struct span batch)
{
    struct batch_info info;
    (void)scan;
    batch_info_read(batch.data, &info);
    ck_assert_uint_eq(info.size_bytes, batch.length);
    ck_assert_int_le(info.base_offset, next_scanned);
    next_scanned = batch_last_offset(&info) + 1;
    return stop_after-- == 0 ? ERR_INVALID_RECORD : ERR_NONE;
}

static void scan_done(struct log_scan *scan, int error)
{
    (void)scan;
    scan_error = error;
    done_calls++;
}

static void scan(int64_t offset, int64_t end_offset)
{
    struct log_scan scan = {
        .offset = offset, .end_offset = end_offset, .batch = scan_batch, .done = scan_done};
    done_calls = 0;
    next_scanned = offset;
    log_scan(story.log, &scan);
    world_run(story.world);
    ck_assert_int_eq(done_calls, 1);
}

START_TEST(a_scan_gives_every_batch_once)
{
    for (int i = 0; i < 2; i++) {
        stop_after = 100;
        scan(0, 30);
        ck_assert_int_eq(scan_error, ERR_NONE);
        ck_assert_int_eq(next_scanned, 30);
        scan(10, 20);
        ck_assert_int_eq(next_scanned, 18);
        scan(30, 30);
        ck_assert_int_eq(scan_error, ERR_NONE);
        stop_after = 3;
        scan(0, 30);
        ck_assert_int_eq(scan_error, ERR_INVALID_RECORD);
        ck_assert_int_eq(next_scanned, 12);
        story_close(&story);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
    }
}
END_TEST

/* Of the second batch of the third segment, whose index has no entry for it. */
static const struct {
    const char *what;
    size_t at;
    uint8_t flip;
} harms[] = {
    {"its records", 150, 0x10},
    {"its base offset, towards 0", BATCH_AT_BASE_OFFSET + 7, 0x04},
    {"its base offset, beyond the next", BATCH_AT_BASE_OFFSET + 6, 0x01},
    {"its leader epoch", BATCH_AT_LEADER_EPOCH + 3, 0x01},
    {"its magic", BATCH_AT_MAGIC, 0x40},
};

/* The checksum leaves the base offset and the epoch out, which the scan looks at all the same: what
 * is behind would be skipped, or given for something else. */
START_TEST(a_scan_ends_where_a_batch_is_damaged)
{
    stop_after = 100;
    const char *path = story_path(12, ".log");
    world_flip(story.world, 0, path, world_file(story.world, path).length / 2 + harms[_i].at,
               harms[_i].flip);
    for (int64_t from = 0; from <= 15; from += 15) {
        scan(from, 30);
        ck_assert_msg(scan_error == ERR_CORRUPT_MESSAGE, "%s: %d", harms[_i].what, scan_error);
        ck_assert_int_eq(next_scanned, 15);
    }
    scan(0, 15);
    ck_assert_int_eq(scan_error, ERR_NONE);
    ck_assert(world_logged(story.world, "a batch is damaged log=topic-0 "
                                        "segment=00000000000000000012.log position="));
    scan(18, 30);
    ck_assert_int_eq(scan_error, ERR_NONE);
    ck_assert_int_eq(log_state(story.log), LOG_READY);
}
END_TEST

START_TEST(what_is_refused_is_as_it_was)
{
    const size_t size = world_file(story.world, story_path(12, ".log")).length;
    story_append(&story, 3, 200);
    log_refuse(story.log);
    world_run(story.world);
    ck_assert_int_eq(log_state(story.log), LOG_OFFLINE);
    ck_assert_int_eq(story.failures, 1);
    ck_assert_int_eq(story.failed_with, ERR_KAFKA_STORAGE_ERROR);
    ck_assert_uint_eq(world_file(story.world, story_path(12, ".log")).length, size);
    scan(0, 30);
    ck_assert_int_eq(scan_error, ERR_KAFKA_STORAGE_ERROR);
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 30);
}
END_TEST

SUITE(time)
{
    TCase *tcase = tcase_create("time");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, first_record_at_or_after_a_time);
    tcase_add_test(tcase, records_below_the_start_are_not_found);
    tcase_add_test(tcase, the_latest_time_is_found);
    tcase_add_test(tcase, an_empty_log_has_no_times);
    tcase_add_loop_test(tcase, a_cancelled_search_is_not_answered, 0, 10);
    tcase_add_test(tcase, a_scan_gives_every_batch_once);
    tcase_add_loop_test(tcase, a_scan_ends_where_a_batch_is_damaged, 0,
                        sizeof(harms) / sizeof(harms[0]));
    tcase_add_test(tcase, what_is_refused_is_as_it_was);
    suite_add_tcase(suite, tcase);
}
