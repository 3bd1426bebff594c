/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/wire/error.h"
#include "tests/disk/rig.h"
#include "tests/support/runner.h"

static struct piece piece(const char *text)
{
    return (struct piece){.data = (const uint8_t *)text, .length = strlen(text)};
}

static void assert_done(const struct completion *completion, int error, uint64_t count)
{
    ck_assert_int_eq(completion->error, error);
    ck_assert_uint_eq(completion->count, count);
}

/* Writes `text` at `offset`. */
static const struct completion *write_text(uint64_t file, uint64_t offset, const char *text)
{
    const struct piece pieces[] = {piece(text)};
    return rig_do(write_effect(file, offset, pieces, 1));
}

static void assert_content(uint64_t file, const char *expected)
{
    char content[4096] = {0};
    const struct completion *done = rig_do(read_effect(file, 0, content, sizeof(content) - 1));
    assert_done(done, ERR_NONE, strlen(expected));
    ck_assert_str_eq(content, expected);
}

static const struct {
    enum open_mode mode;
    bool exists;
    int error;
    uint64_t size_bytes;
} opens[] = {
    {OPEN_READ, true, ERR_NONE, 5},         {OPEN_READ, false, ERR_NOT_FOUND, 0},
    {OPEN_EXISTING, true, ERR_NONE, 5},     {OPEN_EXISTING, false, ERR_NOT_FOUND, 0},
    {OPEN_CREATE, true, ERR_NONE, 5},       {OPEN_CREATE, false, ERR_NONE, 0},
    {OPEN_CREATE_NEW, true, ERR_EXISTS, 0}, {OPEN_CREATE_NEW, false, ERR_NONE, 0},
};

START_TEST(open_tells_the_size_or_why_not)
{
    if (opens[_i].exists)
        rig_make_file("a", "12345");
    assert_done(rig_do(open_effect(1, opens[_i].mode, "a")), opens[_i].error, opens[_i].size_bytes);
    ck_assert_int_eq(disk_file_fd(rig.disk, 1) >= 0, opens[_i].error == ERR_NONE);
    ck_assert_uint_eq(rig.reports_count, 0);
}
END_TEST

static const struct {
    int error;
    int expected;
    uint32_t reports;
} open_faults[] = {
    {EMFILE, ERR_LIMIT, 0},    {ENFILE, ERR_LIMIT, 0}, {ENOSPC, ERR_NO_SPACE, 0},
    {EDQUOT, ERR_NO_SPACE, 0}, {EIO, ERR_IO, 1},       {EROFS, ERR_IO, 1},
    {EMLINK, ERR_NO_SPACE, 0},
};

START_TEST(open_names_what_the_system_lacks)
{
    faults.openat = (struct fault){.error_calls = 1, .error = open_faults[_i].error};
    assert_done(rig_do(open_effect(1, OPEN_CREATE, "a")), open_faults[_i].expected, 0);
    ck_assert_uint_eq(rig.reports_count, open_faults[_i].reports);
    ck_assert_int_eq(disk_file_fd(rig.disk, 1), -1);
}
END_TEST

START_TEST(open_goes_on_after_an_interruption)
{
    faults.openat = (struct fault){.error_calls = 2, .error = EINTR};
    assert_done(rig_do(open_effect(1, OPEN_CREATE, "a")), ERR_NONE, 0);
    ck_assert_int_eq(faults.openat.calls, 3);
}
END_TEST

START_TEST(open_that_cannot_measure_leaves_no_descriptor)
{
    faults.fstatat = (struct fault){.error_calls = 1, .error = EIO};
    assert_done(rig_do(open_effect(1, OPEN_CREATE, "a")), ERR_IO, 0);
    ck_assert_int_eq(faults.close.calls, 1);
    ck_assert_int_eq(disk_file_fd(rig.disk, 1), -1);
}
END_TEST

START_TEST(files_are_for_their_owner_to_write)
{
    rig_open("a");
    char path[128];
    snprintf(path, sizeof(path), "%s/a", rig.path);
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 022, 0);
}
END_TEST

START_TEST(write_gathers_pieces)
{
    const uint64_t file = rig_open("a");
    const struct piece pieces[] = {piece(""), piece("one "),  piece("two "),
                                   piece(""), piece("three"), piece("")};
    assert_done(rig_do(write_effect(file, 0, pieces, 6)), ERR_NONE, 13);
    ck_assert_int_eq(faults.pwritev.calls, 1);
    assert_content(file, "one two three");
}
END_TEST

START_TEST(write_of_nothing_makes_no_call)
{
    const uint64_t file = rig_open("a");
    const struct piece pieces[] = {piece("")};
    assert_done(rig_do(write_effect(file, 7, pieces, 1)), ERR_NONE, 0);
    assert_done(rig_do(write_effect(file, 7, NULL, 0)), ERR_NONE, 0);
    ck_assert_int_eq(faults.pwritev.calls, 0);
    ck_assert_int_eq(rig_size("a"), 0);
}
END_TEST

START_TEST(write_takes_any_number_of_pieces)
{
    enum { COUNT = 1000 };
    static struct piece pieces[COUNT];
    static char expected[COUNT + 1];
    for (int i = 0; i < COUNT; i++) {
        expected[i] = (char)('a' + i % 26);
        pieces[i] = (struct piece){.data = (const uint8_t *)&expected[i], .length = 1};
    }
    const uint64_t file = rig_open("a");
    assert_done(rig_do(write_effect(file, 0, pieces, COUNT)), ERR_NONE, COUNT);
    assert_content(file, expected);
}
END_TEST

START_TEST(write_goes_on_after_short_counts_and_interruptions)
{
    const uint64_t file = rig_open("a");
    const struct piece pieces[] = {piece("one "), piece("two "), piece("three")};
    faults.pwritev = (struct fault){.short_calls = 100, .short_bytes = _i + 1};
    assert_done(rig_do(write_effect(file, 2, pieces, 3)), ERR_NONE, 13);
    faults.pwritev = (struct fault){.error_calls = 3, .error = EINTR};
    assert_done(rig_do(write_effect(file, 0, (struct piece[]){piece("> ")}, 1)), ERR_NONE, 2);
    assert_content(file, "> one two three");
}
END_TEST

static const struct {
    int error;
    int expected;
    uint32_t reports;
} write_faults[] = {
    {ENOSPC, ERR_NO_SPACE, 0},
    {EDQUOT, ERR_NO_SPACE, 0},
    {EIO, ERR_IO, 1},
    {EFBIG, ERR_IO, 1},
};

START_TEST(write_says_how_far_it_came)
{
    const uint64_t file = rig_open("a");
    const struct piece pieces[] = {piece("one "), piece("two "), piece("three")};
    faults.pwritev = (struct fault){
        .short_calls = 1, .short_bytes = 6, .error_calls = 1, .error = write_faults[_i].error};
    assert_done(rig_do(write_effect(file, 0, pieces, 3)), write_faults[_i].expected, 6);
    ck_assert_int_eq(faults.pwritev.calls, 2);
    ck_assert_uint_eq(rig.reports_count, write_faults[_i].reports);
    if (write_faults[_i].reports > 0) {
        ck_assert_ptr_nonnull(strstr(rig.report, "write failed path=/tmp/chronik-test-"));
        ck_assert_ptr_nonnull(strstr(rig.report, "/a error="));
    }
    assert_content(file, "one tw");
}
END_TEST

START_TEST(write_of_which_nothing_is_taken_is_an_error)
{
    const uint64_t file = rig_open("a");
    faults.pwritev = (struct fault){.short_calls = 1, .short_bytes = 0};
    assert_done(write_text(file, 0, "12345"), ERR_IO, 0);
    ck_assert_uint_eq(rig.reports_count, 1);
}
END_TEST

START_TEST(read_falls_short_only_at_the_end)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    char data[16] = {0};
    assert_done(rig_do(read_effect(file, 2, data, 3)), ERR_NONE, 3);
    ck_assert_str_eq(data, "234");
    assert_done(rig_do(read_effect(file, 8, data, 3)), ERR_NONE, 2);
    assert_done(rig_do(read_effect(file, 10, data, 3)), ERR_NONE, 0);
    assert_done(rig_do(read_effect(file, 1000, data, 3)), ERR_NONE, 0);
    assert_done(rig_do(read_effect(file, 0, data, 0)), ERR_NONE, 0);
}
END_TEST

START_TEST(read_of_cached_bytes_is_done_at_once)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    char data[10];
    const uint64_t effect = rig_ask(read_effect(file, 0, data, sizeof(data)));
    ck_assert_ptr_nonnull(rig_completion(effect));
    ck_assert_int_eq(faults.preadv2.calls, 0);
}
END_TEST

static const int cold_errors[] = {EAGAIN, EOPNOTSUPP};

START_TEST(read_of_cold_bytes_is_left_to_a_thread)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    char data[11] = {0};
    faults.preadv2_nowait = (struct fault){.error_calls = 9, .error = cold_errors[_i]};
    const uint64_t effect = rig_ask(read_effect(file, 0, data, 10));
    ck_assert_ptr_null(rig_completion(effect));
    assert_done(rig_await(effect), ERR_NONE, 10);
    ck_assert_str_eq(data, "0123456789");
    ck_assert_int_eq(faults.preadv2.calls, 1);
}
END_TEST

START_TEST(read_goes_on_after_short_counts_and_interruptions)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    char data[11] = {0};
    faults.preadv2_nowait = (struct fault){.short_calls = 100, .short_bytes = 3};
    assert_done(rig_do(read_effect(file, 0, data, 10)), ERR_NONE, 10);
    ck_assert_str_eq(data, "0123456789");
    faults.preadv2_nowait = (struct fault){.error_calls = 2, .error = EINTR};
    assert_done(rig_do(read_effect(file, 5, data, 10)), ERR_NONE, 5);
    faults.preadv2_nowait = (struct fault){.error_calls = 1, .error = EAGAIN};
    faults.preadv2 = (struct fault){.error_calls = 2, .error = EINTR};
    assert_done(rig_do(read_effect(file, 5, data, 10)), ERR_NONE, 5);
}
END_TEST

START_TEST(read_that_fails_is_reported)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    char data[10];
    faults.preadv2_nowait = (struct fault){.error_calls = 1, .error = EIO};
    assert_done(rig_do(read_effect(file, 0, data, 10)), ERR_IO, 0);
    faults.preadv2_nowait = (struct fault){.error_calls = 1, .error = EAGAIN};
    faults.preadv2 = (struct fault){.error_calls = 1, .error = EIO};
    assert_done(rig_do(read_effect(file, 0, data, 10)), ERR_IO, 0);
    ck_assert_uint_eq(rig.reports_count, 2);
}
END_TEST

START_TEST(what_was_just_written_is_warm_without_a_call)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    ck_assert(disk_is_warm(rig.disk, file, 0, 10));
    ck_assert(disk_is_warm(rig.disk, file, 9, 1));
    ck_assert_int_eq(faults.preadv2_nowait.calls, 0);
}
END_TEST

static const struct {
    int error;
    bool is_warm;
} touches[] = {{0, true}, {EINTR, true}, {EAGAIN, false}, {EOPNOTSUPP, true}, {EIO, true}};

START_TEST(what_was_written_before_may_be_cold)
{
    rig_make_file("a", "0123456789");
    const uint64_t file = rig_open("a");
    faults.preadv2_nowait = (struct fault){.error_calls = 1, .error = touches[_i].error};
    ck_assert_int_eq(disk_is_warm(rig.disk, file, 0, 10), touches[_i].is_warm);
}
END_TEST

START_TEST(what_is_cold_is_warmed_by_a_thread)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/a", rig.path);
    ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    ck_assert_int_eq(truncate(path, 200000), 0);
    const uint64_t file = rig_open("a");
    faults.readahead = (struct fault){.error_calls = 1, .error = EINVAL};
    faults.preadv2 = (struct fault){.error_calls = 1, .error = EINTR};
    ck_assert(disk_warm(rig.disk, file, 1000, 150000, 77));
    const uint64_t effect = rig_ask(file_effect(EFFECT_CLOSE_FILE, file));
    ck_assert_ptr_null(rig_completion(effect));
    ck_assert_uint_eq(rig.warmed, 0);
    assert_done(rig_await(effect), ERR_NONE, 0);
    ck_assert_uint_eq(rig.warmed, 77);
    ck_assert_int_eq(faults.preadv2.calls, 5);
}
END_TEST

START_TEST(sync_is_left_to_a_thread)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    faults.fdatasync = (struct fault){.error_calls = 2, .error = EINTR};
    const uint64_t effect = rig_ask(file_effect(EFFECT_SYNC, file));
    ck_assert_ptr_null(rig_completion(effect));
    assert_done(rig_await(effect), ERR_NONE, 0);
    ck_assert_int_eq(faults.fdatasync.calls, 3);
}
END_TEST

START_TEST(sync_that_fails_is_reported_and_not_repeated)
{
    const uint64_t file = rig_open("a");
    faults.fdatasync = (struct fault){.error_calls = 1, .error = EIO};
    assert_done(rig_do(file_effect(EFFECT_SYNC, file)), ERR_IO, 0);
    ck_assert_int_eq(faults.fdatasync.calls, 1);
    ck_assert_uint_eq(rig.reports_count, 1);
    ck_assert_ptr_nonnull(strstr(rig.report, "fdatasync failed"));
    faults.fdatasync = (struct fault){.error_calls = 1, .error = ENOSPC};
    assert_done(rig_do(file_effect(EFFECT_SYNC, file)), ERR_NO_SPACE, 0);
}
END_TEST

START_TEST(syncs_run_side_by_side)
{
    enum { FILES = 32 };
    uint64_t effects[FILES];
    faults.sync_sleep_us = 5000;
    for (int i = 0; i < FILES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", i);
        effects[i] = rig_ask(file_effect(EFFECT_SYNC, rig_open(name)));
    }
    for (int i = 0; i < FILES; i++)
        assert_done(rig_await(effects[i]), ERR_NONE, 0);
    ck_assert_int_eq(faults.fdatasync.calls, FILES);
    ck_assert_int_gt(faults.syncs_running_most, 1);
    ck_assert_int_le(faults.syncs_running_most, 4);
}
END_TEST

START_TEST(close_waits_for_what_a_thread_does)
{
    const uint64_t file = rig_open("a");
    faults.sync_sleep_us = 20000;
    const uint64_t sync = rig_ask(file_effect(EFFECT_SYNC, file));
    const uint64_t close_effect = rig_ask(file_effect(EFFECT_CLOSE_FILE, file));
    ck_assert_ptr_null(rig_completion(close_effect));
    ck_assert_int_eq(faults.close.calls, 0);
    assert_done(rig_await(close_effect), ERR_NONE, 0);
    assert_done(rig_completion(sync), ERR_NONE, 0);
    ck_assert_int_eq(disk_file_fd(rig.disk, file), -1);
    ck_assert_int_eq(faults.close.calls, 1);
}
END_TEST

START_TEST(close_frees_the_number_whatever_the_system_says)
{
    const uint64_t first = rig_open("a");
    faults.close = (struct fault){.error_calls = 1, .error = EINTR};
    assert_done(rig_do(file_effect(EFFECT_CLOSE_FILE, first)), ERR_NONE, 0);
    const uint64_t second = rig_open("a");
    faults.close = (struct fault){.error_calls = 1, .error = EIO};
    assert_done(rig_do(file_effect(EFFECT_CLOSE_FILE, second)), ERR_IO, 0);
    ck_assert_int_eq(disk_file_fd(rig.disk, first), -1);
    ck_assert_int_eq(disk_file_fd(rig.disk, second), -1);
}
END_TEST

START_TEST(truncate_cuts_and_grows)
{
    const uint64_t file = rig_open("a");
    write_text(file, 0, "0123456789");
    faults.ftruncate = (struct fault){.error_calls = 1, .error = EINTR};
    assert_done(rig_do(range_effect(EFFECT_TRUNCATE, file, 4, 0)), ERR_NONE, 0);
    assert_content(file, "0123");
    assert_done(rig_do(range_effect(EFFECT_TRUNCATE, file, 100, 0)), ERR_NONE, 0);
    ck_assert_int_eq(rig_size("a"), 100);
    faults.ftruncate = (struct fault){.error_calls = 1, .error = EIO};
    assert_done(rig_do(range_effect(EFFECT_TRUNCATE, file, 0, 0)), ERR_IO, 0);
    ck_assert_uint_eq(rig.reports_count, 1);
}
END_TEST

START_TEST(reserve_leaves_the_visible_size)
{
    const uint64_t file = rig_open("a");
    const struct completion *done =
        rig_do(range_effect(EFFECT_RESERVE, file, 0, (uint64_t)1024 * 1024));
    ck_assert(done->error == ERR_NONE || done->error == ERR_IO);
    ck_assert_int_eq(rig_size("a"), 0);
    struct stat status;
    ck_assert_int_eq(fstat(disk_file_fd(rig.disk, file), &status), 0);
    if (done->error == ERR_NONE)
        ck_assert_int_ge(status.st_blocks * 512, 1024 * 1024);
}
END_TEST

static const struct {
    int error;
    int expected;
    uint32_t reports;
} reserve_faults[] = {
    {EINTR, ERR_NONE, 0},
    {EOPNOTSUPP, ERR_IO, 0},
    {ENOSPC, ERR_NO_SPACE, 0},
    {EIO, ERR_IO, 1},
};

START_TEST(reserve_may_be_refused)
{
    const uint64_t file = rig_open("a");
    faults.fallocate = (struct fault){.error_calls = 1, .error = reserve_faults[_i].error};
    assert_done(rig_do(range_effect(EFFECT_RESERVE, file, 0, 4096)), reserve_faults[_i].expected,
                0);
    ck_assert_uint_eq(rig.reports_count, reserve_faults[_i].reports);
}
END_TEST

START_TEST(many_files_are_found_by_number)
{
    enum { FILES = 300 };
    for (uint64_t i = 1; i <= FILES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", (int)i);
        ck_assert_uint_eq(rig_open(name), i);
        write_text(i, 0, name);
    }
    for (uint64_t i = 1; i <= FILES; i += 2)
        rig_do(file_effect(EFFECT_CLOSE_FILE, i));
    for (uint64_t i = 2; i <= FILES; i += 2) {
        char name[16];
        snprintf(name, sizeof(name), "%d", (int)i);
        assert_content(i, name);
    }
}
END_TEST

START_TEST(end_waits_for_what_is_under_way)
{
    const uint64_t file = rig_open("a");
    faults.sync_sleep_us = 20000;
    const uint64_t first = rig_ask(file_effect(EFFECT_SYNC, file));
    const uint64_t second = rig_ask(path_effect(EFFECT_REMOVE, "a"));
    disk_free(rig.disk);
    rig.disk = NULL;
    assert_done(rig_completion(first), ERR_NONE, 0);
    assert_done(rig_completion(second), ERR_NONE, 0);
    /* The file, the data folder, its lock, and what woke the loop. */
    ck_assert_int_eq(faults.close.calls, 4);
}
END_TEST

SUITE(disk_file)
{
    TCase *tcase = tcase_create("file");
    tcase_add_checked_fixture(tcase, rig_start, rig_end);
    tcase_add_loop_test(tcase, open_tells_the_size_or_why_not, 0, sizeof(opens) / sizeof(opens[0]));
    tcase_add_loop_test(tcase, open_names_what_the_system_lacks, 0,
                        sizeof(open_faults) / sizeof(open_faults[0]));
    tcase_add_test(tcase, open_goes_on_after_an_interruption);
    tcase_add_test(tcase, open_that_cannot_measure_leaves_no_descriptor);
    tcase_add_test(tcase, files_are_for_their_owner_to_write);
    tcase_add_test(tcase, write_gathers_pieces);
    tcase_add_test(tcase, write_of_nothing_makes_no_call);
    tcase_add_test(tcase, write_takes_any_number_of_pieces);
    tcase_add_loop_test(tcase, write_goes_on_after_short_counts_and_interruptions, 0, 14);
    tcase_add_loop_test(tcase, write_says_how_far_it_came, 0,
                        sizeof(write_faults) / sizeof(write_faults[0]));
    tcase_add_test(tcase, write_of_which_nothing_is_taken_is_an_error);
    tcase_add_test(tcase, read_falls_short_only_at_the_end);
    tcase_add_test(tcase, read_of_cached_bytes_is_done_at_once);
    tcase_add_loop_test(tcase, read_of_cold_bytes_is_left_to_a_thread, 0, 2);
    tcase_add_test(tcase, read_goes_on_after_short_counts_and_interruptions);
    tcase_add_test(tcase, read_that_fails_is_reported);
    tcase_add_test(tcase, what_was_just_written_is_warm_without_a_call);
    tcase_add_loop_test(tcase, what_was_written_before_may_be_cold, 0,
                        sizeof(touches) / sizeof(touches[0]));
    tcase_add_test(tcase, what_is_cold_is_warmed_by_a_thread);
    tcase_add_test(tcase, sync_is_left_to_a_thread);
    tcase_add_test(tcase, sync_that_fails_is_reported_and_not_repeated);
    tcase_add_test(tcase, syncs_run_side_by_side);
    tcase_add_test(tcase, close_waits_for_what_a_thread_does);
    tcase_add_test(tcase, close_frees_the_number_whatever_the_system_says);
    tcase_add_test(tcase, truncate_cuts_and_grows);
    tcase_add_test(tcase, reserve_leaves_the_visible_size);
    tcase_add_loop_test(tcase, reserve_may_be_refused, 0,
                        sizeof(reserve_faults) / sizeof(reserve_faults[0]));
    tcase_add_test(tcase, many_files_are_found_by_number);
    tcase_add_test(tcase, end_waits_for_what_is_under_way);
    suite_add_tcase(suite, tcase);
}
