/* SPDX-License-Identifier: Apache-2.0 */
/* Rolling, reading closed segments, indexes that are missing or wrong, pins and open files. */
#include "core/log/folder_internal.h"
#include "core/wire/error.h"
#include "tests/core/log/story.h"

static struct story story;

static void set_up(void)
{
    story_begin(&story, 1);
    story.settings.index_interval_bytes = 200;
}

static void boot(void)
{
    ck_assert_int_eq(story_boot(&story), LOG_READY);
}

static void tear_down(void)
{
    story_end(&story);
}

/* How many segments the partition's folder shows. */
static int segments(void)
{
    int count = 0;
    const char *name;
    for (uint32_t i = 0; (name = world_name(story.world, "topic-0", i)) != NULL; i++)
        count += strlen(name) == 24 && strcmp(name + 20, ".log") == 0;
    return count;
}

START_TEST(rolls_when_full)
{
    story.settings.segment_bytes = 1000;
    boot();
    for (int i = 0; i < 20; i++)
        story_write(&story, 1, 300);
    /* 61 + 308 bytes a batch: two go into a segment */
    ck_assert_int_eq(segments(), 10);
    ck_assert_uint_le(world_file(story.world, story_path(0, ".log")).length, 1000);
    ck_assert(!span_is_null(world_file(story.world, story_path(2, ".log"))));
    ck_assert_int_eq(log_durable_end(story.log), 20);
    story_check(&story, 1 << 20);
    story_check(&story, 1);
}
END_TEST

START_TEST(rolls_within_one_turn)
{
    story.settings.segment_bytes = 1000;
    boot();
    for (int i = 0; i < 20; i++)
        story_append(&story, 1, 300);
    world_run(story.world);
    ck_assert_int_eq(segments(), 10);
    ck_assert_int_eq(log_durable_end(story.log), 20);
    story_check(&story, 500);
}
END_TEST

START_TEST(rolls_by_the_times_of_batches)
{
    story.settings.segment_ms = 1000;
    boot();
    story_write(&story, 1, 10);
    story.time_ms += 1000;
    story_write(&story, 1, 10);
    ck_assert_int_eq(segments(), 1);
    story.time_ms += 1;
    story_write(&story, 1, 10);
    ck_assert_int_eq(segments(), 2);
    /* and by the first batch's time after a restart */
    story_close(&story);
    boot();
    story.time_ms += 1001;
    story_write(&story, 1, 10);
    ck_assert_int_eq(segments(), 3);
}
END_TEST

START_TEST(rolls_when_the_index_is_full)
{
    story.settings.segment_index_bytes = 3 * TIME_ENTRY_BYTES;
    boot();
    for (int i = 0; i < 20; i++)
        story_write(&story, 1, 300);
    ck_assert_int_gt(segments(), 3);
    story_check(&story, 1);
}
END_TEST

START_TEST(too_large_a_batch_is_refused)
{
    story.settings.segment_bytes = 90;
    boot();
    struct log_append append;
    ck_assert_int_eq(story_append_by(&story, 1, 7, 0, 0, &append), ERR_RECORD_LIST_TOO_LARGE);
    ck_assert_int_eq(log_end(story.log), 0);
}
END_TEST

/* What happens to the index files of all segments between two processes. */
enum harm { HARM_NONE, HARM_LOST, HARM_TORN, HARM_ZEROS, HARM_WRONG, HARM_LATE };

static size_t log_bytes; /* of one batch */

static void harm_file(const char *path, enum harm harm)
{
    const struct span bytes = world_file(story.world, path);
    uint8_t copy[4096];
    if (span_is_null(bytes))
        return;
    ck_assert_uint_le(bytes.length, sizeof(copy));
    memcpy(copy, bytes.data, bytes.length);
    size_t length = bytes.length;
    if (harm == HARM_LOST) {
        world_remove(story.world, path);
        return;
    }
    if (harm == HARM_TORN && length > 0)
        length--;
    if (harm == HARM_ZEROS)
        memset(copy, 0, length);
    /* Positions that rise, lie within the file, and are not those of batches. */
    for (size_t at = 7; harm == HARM_WRONG && at < length; at += OFFSET_ENTRY_BYTES)
        copy[at]++;
    /* Positions of batches, but of the ones behind those that are meant. */
    if (harm == HARM_LATE && length > 0)
        length -= OFFSET_ENTRY_BYTES;
    for (size_t at = 4; harm == HARM_LATE && at < length; at += OFFSET_ENTRY_BYTES)
        put_be32(copy + at, get_be32(copy + at) + (uint32_t)log_bytes);
    world_put_file(story.world, path, span_of(copy, length));
}

START_TEST(a_damaged_index_is_built_anew)
{
    story.settings.segment_bytes = 3000;
    boot();
    for (int i = 0; i < 40; i++)
        story_write(&story, 2, 120);
    log_bytes = (size_t)log_size_bytes(story.log) / 40;
    story_close(&story);
    for (int64_t base = 0; base < 80; base++) {
        harm_file(story_path(base, ".index"), (enum harm)_i);
        if (_i != HARM_WRONG && _i != HARM_LATE)
            harm_file(story_path(base, ".timeindex"), (enum harm)_i);
    }
    boot();
    ck_assert_int_eq(log_end(story.log), 80);
    for (int64_t offset = 0; offset < 80; offset++) {
        const struct span batch = story_read(&story, offset, 80, 1, true);
        ck_assert_uint_eq(batch.length, log_bytes);
        ck_assert_int_eq((int64_t)get_be64(batch.data), offset - offset % 2);
    }
    story_check(&story, 1);
    story_check(&story, 1000);
    story_write(&story, 2, 120);
    story_close(&story);
    boot();
    story_check(&story, 1);
}
END_TEST

START_TEST(index_files_are_kafkas)
{
    story.settings.segment_bytes = 1000;
    boot();
    for (int i = 0; i < 3; i++)
        story_write(&story, 1, 300);
    const struct span offsets = world_file(story.world, story_path(0, ".index"));
    const struct span times = world_file(story.world, story_path(0, ".timeindex"));
    const size_t batch_bytes = world_file(story.world, story_path(0, ".log")).length / 2;
    ck_assert_uint_eq(offsets.length, 8);
    ck_assert_uint_eq(get_be32(offsets.data), 1);
    ck_assert_uint_eq(get_be32(offsets.data + 4), batch_bytes);
    ck_assert_uint_eq(times.length, 12);
    ck_assert_int_eq((int64_t)get_be64(times.data), story.time_ms);
}
END_TEST

static int reads_done;

static void count_done(struct log_read *read)
{
    (void)read;
    reads_done++;
}

START_TEST(a_pinned_range_outlives_its_segment)
{
    story.settings.segment_bytes = 1000;
    boot();
    for (int i = 0; i < 4; i++)
        story_write(&story, 1, 300);
    struct log_read read = {.offset = 0, .end_offset = 1, .max_bytes = 1000, .done = count_done};
    log_read(story.log, &read);
    world_run(story.world);
    ck_assert_int_eq(read.error, ERR_NONE);
    ck_assert_uint_gt(read.range.length, 300);
    log_set_high_watermark(story.log, 4);
    story.woken = 0;
    log_delete_before(story.log, 3, &story.waiter);
    world_run(story.world);
    world_advance_ms(story.world, 5000);
    ck_assert_int_eq(story.woken, 1);
    ck_assert_int_eq(segments(), 1);
    const uint8_t *bytes =
        world_bytes(story.world, read.range.file, read.range.position, read.range.length);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(bytes[BATCH_AT_MAGIC], BATCH_MAGIC);
    log_unpin(&read.range);
    world_run(story.world);
}
END_TEST

START_TEST(a_cancelled_read_is_not_answered)
{
    story.settings.segment_bytes = 1000;
    boot();
    for (int i = 0; i < 4; i++)
        story_write(&story, 1, 300);
    story_close(&story);
    boot();
    struct log_read read = {.offset = 1, .end_offset = 4, .max_bytes = 1000, .done = count_done};
    reads_done = 0;
    log_read(story.log, &read);
    for (int turns = 0; turns < _i; turns++)
        world_turn(story.world);
    if (reads_done == 0) {
        log_read_cancel(&read);
        memset(&read, 0xdb, sizeof(read));
    }
    const int done = reads_done;
    world_run(story.world);
    ck_assert_int_eq(reads_done, done);
    story_check(&story, 1000);
}
END_TEST

/* Its bytes come to memory that is the process's: this has to be there until they have come. */
START_TEST(a_folder_closes_after_reads_that_were_given_up)
{
    boot();
    for (int i = 0; i < 4; i++)
        story_write(&story, 1, 300);
    story_close(&story);
    boot();
    struct log_read read = {.offset = 1, .end_offset = 4, .max_bytes = 1000, .done = count_done};
    reads_done = 0;
    world_hold(story.world, EFFECT_READ, ".log");
    log_read(story.log, &read);
    world_run(story.world);
    ck_assert_int_eq(reads_done, 0);
    log_read_cancel(&read);
    story.woken = 0;
    log_close(story.log, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    folder_close(story.folder, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 2);
    ck_assert_int_eq(story.error, ERR_NONE);
    world_exit(story.world);
}
END_TEST

/* Its file is open, and its bytes come to memory that the log gives back. */
START_TEST(a_log_closes_after_an_index_that_is_read)
{
    story.settings.segment_bytes = 1500;
    story.settings.index_interval_bytes = 100;
    boot();
    for (int i = 0; i < 12; i++)
        story_write(&story, 1, 300);
    story_close(&story);
    boot();
    struct log_read read = {.offset = 2, .end_offset = 4, .max_bytes = 1000, .done = count_done};
    reads_done = 0;
    world_hold(story.world, EFFECT_READ, "index");
    log_read(story.log, &read);
    world_run(story.world);
    ck_assert_int_eq(reads_done, 0);
    log_read_cancel(&read);
    story.woken = 0;
    log_close(story.log, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 0);
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 1);
    folder_close(story.folder, &story.waiter);
    world_run(story.world);
    ck_assert_int_eq(story.woken, 2);
    world_exit(story.world);
}
END_TEST

START_TEST(files_nobody_uses_are_closed)
{
    story.settings.segment_bytes = 400;
    boot();
    story.folder->open_files_max = 3;
    for (int i = 0; i < 30; i++)
        story_write(&story, 1, 300);
    ck_assert_int_eq(segments(), 30);
    ck_assert_uint_eq(story.folder->idle_files_count, 3);
    story_check(&story, 1000);
    world_run(story.world);
    ck_assert_uint_eq(story.folder->idle_files_count, 3);
    ck_assert_uint_eq(world_open_files(story.world), 3);
}
END_TEST

START_TEST(indexes_beyond_the_limit_leave_memory)
{
    story.settings.segment_bytes = 1000;
    boot();
    story.folder->indexes_bytes_max = 100;
    for (int i = 0; i < 60; i++)
        story_write(&story, 1, 300);
    ck_assert_uint_le(story.folder->indexes_bytes, 100);
    story_check(&story, 1);
    ck_assert_uint_le(story.folder->indexes_bytes, 100);
}
END_TEST

/* One that takes all the room by itself, or finds it taken by some that are not written yet, is in
 * memory when those who wait for it go on, also when they want different ones. */
START_TEST(an_index_beyond_the_limit_is_used_before_it_goes)
{
    static const int64_t offsets[] = {1, 1, 3};
    struct log_read reads[3];
    story.settings.segment_bytes = 1000;
    boot();
    for (int i = 0; i < 8; i++)
        story_write(&story, 1, 300);
    story_close(&story);
    boot();
    story.folder->indexes_bytes_max = _i == 0 ? 0 : 50;
    if (_i == 1) {
        world_hold(story.world, EFFECT_WRITE, "index");
        for (int i = 0; i < 8; i++)
            story_write(&story, 1, 300);
        ck_assert_uint_gt(story.folder->indexes_bytes, 50);
    }
    reads_done = 0;
    for (int i = 0; i < 3; i++) {
        reads[i] = (struct log_read){
            .offset = offsets[i], .end_offset = 8, .max_bytes = 1000, .done = count_done};
        log_read(story.log, &reads[i]);
    }
    for (int turns = 0; turns < 1000 && reads_done < 3; turns++)
        world_turn(story.world);
    ck_assert_int_eq(reads_done, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(reads[i].error, ERR_NONE);
        ck_assert_uint_gt(reads[i].range.length, 300);
        log_unpin(&reads[i].range);
    }
    world_release(story.world);
    story_check(&story, 1);
    /* Nothing is left but the one that was used last. */
    ck_assert(story.folder->indexes_bytes <= story.folder->indexes_bytes_max ||
              story.folder->indexes.next == story.folder->indexes.previous);
}
END_TEST

SUITE(segments)
{
    TCase *tcase = tcase_create("roll");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, rolls_when_full);
    tcase_add_test(tcase, rolls_within_one_turn);
    tcase_add_test(tcase, rolls_by_the_times_of_batches);
    tcase_add_test(tcase, rolls_when_the_index_is_full);
    tcase_add_test(tcase, too_large_a_batch_is_refused);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("read");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_damaged_index_is_built_anew, HARM_NONE, HARM_LATE + 1);
    tcase_add_test(tcase, index_files_are_kafkas);
    tcase_add_test(tcase, a_pinned_range_outlives_its_segment);
    tcase_add_loop_test(tcase, a_cancelled_read_is_not_answered, 0, 8);
    tcase_add_test(tcase, a_folder_closes_after_reads_that_were_given_up);
    tcase_add_test(tcase, a_log_closes_after_an_index_that_is_read);
    tcase_add_test(tcase, files_nobody_uses_are_closed);
    tcase_add_test(tcase, indexes_beyond_the_limit_leave_memory);
    tcase_add_loop_test(tcase, an_index_beyond_the_limit_is_used_before_it_goes, 0, 2);
    suite_add_tcase(suite, tcase);
}
