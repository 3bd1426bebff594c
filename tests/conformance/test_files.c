/* SPDX-License-Identifier: Apache-2.0 */
/* Files: opening, reading, writing, syncing, cutting. */
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/conformance.h"

#define MANY_PIECES 2500 /* more than the system takes at a time (IOV_MAX, 1024) */
#define LARGE_BYTES ((size_t)3 * 1024 * 1024)

/* What OPEN does to a path, by what is there. */
static const struct {
    const char *label;
    enum open_mode mode;
    const char *path;
    int error;
    uint64_t size_bytes;
    const char *text; /* of the file, afterwards; NULL: there is none */
} opens[] = {
    {"reading what is there", OPEN_READ, "file", ERR_NONE, 5, "12345"},
    {"reading what is not", OPEN_READ, "none", ERR_NOT_FOUND, 0, NULL},
    {"an existing one", OPEN_EXISTING, "file", ERR_NONE, 5, "12345"},
    {"one that should exist", OPEN_EXISTING, "none", ERR_NOT_FOUND, 0, NULL},
    {"an existing one, or else made", OPEN_CREATE, "file", ERR_NONE, 5, "12345"},
    {"a missing one, made", OPEN_CREATE, "none", ERR_NONE, 0, ""},
    {"one that has to be new and is", OPEN_CREATE_NEW, "none", ERR_NONE, 0, ""},
    {"one that has to be new and is not", OPEN_CREATE_NEW, "file", ERR_EXISTS, 0, "12345"},
    {"in a folder", OPEN_READ, "t/inner", ERR_NONE, 3, "123"},
    {"in no folder", OPEN_READ, "u/inner", ERR_NOT_FOUND, 0, NULL},
    {"made in no folder", OPEN_CREATE, "u/inner", ERR_NOT_FOUND, 0, NULL},
    {"in what is a file", OPEN_READ, "file/inner", ERR_IO, 0, NULL},
    {"made in what is a file", OPEN_CREATE, "file/inner", ERR_IO, 0, NULL},
    {"a folder, for reading", OPEN_READ, "t", ERR_IO, 0, NULL},
    {"a folder", OPEN_EXISTING, "t", ERR_IO, 0, NULL},
    {"a folder, or else made", OPEN_CREATE, "t", ERR_IO, 0, NULL},
    {"a folder as something new", OPEN_CREATE_NEW, "t", ERR_EXISTS, 0, NULL},
};

START_TEST(open_by_what_is_there)
{
    put_folder("t");
    put_file("t/inner", "123");
    put_file("file", "12345");
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        const uint64_t file = new_file();
        const struct completion *done = carry_out(open_effect(file, opens[i].mode, opens[i].path));
        ck_assert_msg(done->error == opens[i].error && done->count == opens[i].size_bytes,
                      "%s: error %d, size %d", opens[i].label, done->error, (int)done->count);
        if (opens[i].text != NULL)
            assert_text(opens[i].path, opens[i].text);
        if (done->error == ERR_NONE)
            ck_assert_int_eq(error_of(file_effect(EFFECT_CLOSE_FILE, file)), ERR_NONE);
        if (done->error == ERR_NONE && strcmp(opens[i].path, "none") == 0)
            ck_assert_int_eq(error_of(path_effect(EFFECT_REMOVE, "none")), ERR_NONE);
    }
}
END_TEST

START_TEST(files_of_one_path_are_one_file)
{
    const uint64_t first = open_file(OPEN_CREATE, "file");
    const uint64_t second = open_file(OPEN_READ, "file");
    char text[8] = {0};
    write_text(first, 0, "hello");
    ck_assert_uint_eq(count_of(read_effect(second, 0, text, sizeof(text))), 5);
    ck_assert_int_eq(memcmp(text, "hello", 5), 0);
    ck_assert_int_eq(error_of(file_effect(EFFECT_CLOSE_FILE, first)), ERR_NONE);
    ck_assert_uint_eq(count_of(read_effect(second, 1, text, 3)), 3);
    ck_assert_int_eq(memcmp(text, "ell", 3), 0);
}
END_TEST

/* Reads of a file of ten bytes. */
static const struct {
    uint64_t offset;
    size_t length;
    uint64_t count;
} reads[] = {
    {0, 10, 10}, {0, 4, 4},  {6, 4, 4},  {6, 5, 4},  {0, 30, 10},     {9, 1, 1},
    {9, 2, 1},   {10, 1, 0}, {10, 9, 0}, {11, 1, 0}, {1 << 30, 7, 0}, {3, 0, 0},
};

START_TEST(read_falls_short_only_at_the_end)
{
    put_file("file", "0123456789");
    const uint64_t file = open_file(OPEN_READ, "file");
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        char text[32];
        ck_assert_uint_eq(count_of(read_effect(file, reads[i].offset, text, reads[i].length)),
                          reads[i].count);
        ck_assert_int_eq(
            memcmp(text, &"0123456789"[reads[i].count == 0 ? 0 : reads[i].offset], reads[i].count),
            0);
    }
}
END_TEST

START_TEST(reads_under_way_do_not_mix)
{
    static uint8_t content[40000];
    static uint8_t got[40][1000];
    uint64_t asked[40];
    const uint64_t file = open_file(OPEN_CREATE, "file");
    const struct piece piece = {.data = content, .length = sizeof(content)};
    fill(content, sizeof(content), 3);
    ck_assert_uint_eq(count_of(write_effect(file, 0, &piece, 1)), sizeof(content));
    for (size_t i = 0; i < 40; i++)
        asked[i] = ask(read_effect(file, i * 1000, got[i], 1000));
    for (size_t i = 0; i < 40; i++) {
        ck_assert_int_eq(await(asked[i])->error, ERR_NONE);
        ck_assert_uint_eq(await(asked[i])->count, 1000);
        ck_assert_int_eq(memcmp(got[i], content + i * 1000, 1000), 0);
    }
}
END_TEST

START_TEST(write_puts_all_pieces_in_order)
{
    static uint8_t content[MANY_PIECES * 7];
    static struct piece pieces[MANY_PIECES * 2];
    size_t at = 0;
    fill(content, sizeof(content), 1);
    for (size_t i = 0; i < MANY_PIECES * 2; i++) {
        /* 0 to 7 bytes, among them runs of pieces without any. */
        size_t length = i % 5 < 2 ? 0 : i % 8;
        if (length > sizeof(content) - at)
            length = sizeof(content) - at;
        pieces[i] = (struct piece){.data = length == 0 ? NULL : content + at, .length = length};
        at += length;
    }
    const uint64_t file = open_file(OPEN_CREATE, "file");
    ck_assert_uint_eq(count_of(write_effect(file, 0, pieces, MANY_PIECES * 2)), at);
    assert_file("file", span_of(content, at));
}
END_TEST

START_TEST(write_of_much)
{
    uint8_t *content = malloc(LARGE_BYTES);
    ck_assert_ptr_nonnull(content);
    fill(content, LARGE_BYTES, 9);
    const struct piece pieces[] = {
        {.data = content, .length = LARGE_BYTES / 3},
        {.data = content + LARGE_BYTES / 3, .length = LARGE_BYTES - LARGE_BYTES / 3},
    };
    const uint64_t file = open_file(OPEN_CREATE, "file");
    ck_assert_uint_eq(count_of(write_effect(file, 0, pieces, 2)), LARGE_BYTES);
    assert_file("file", span_of(content, LARGE_BYTES));
    free(content);
}
END_TEST

START_TEST(write_of_nothing)
{
    const struct piece nothing[] = {{.data = NULL}, {.data = NULL}};
    const uint64_t file = open_file(OPEN_CREATE, "file");
    ck_assert_uint_eq(count_of(write_effect(file, 0, NULL, 0)), 0);
    ck_assert_uint_eq(count_of(write_effect(file, 100, nothing, 2)), 0);
    assert_text("file", "");
}
END_TEST

START_TEST(write_anywhere)
{
    const uint64_t file = open_file(OPEN_CREATE, "file");
    write_text(file, 4, "efgh");
    assert_file("file", SPAN("\0\0\0\0efgh"));
    write_text(file, 2, "cde");
    assert_file("file", SPAN("\0\0cdefgh"));
    write_text(file, 7, "HIJ");
    assert_file("file", SPAN("\0\0cdefgHIJ"));
}
END_TEST

START_TEST(truncate_cuts_and_grows)
{
    const uint64_t file = open_file(OPEN_CREATE, "file");
    write_text(file, 0, "0123456789");
    ck_assert_int_eq(error_of(range_effect(EFFECT_TRUNCATE, file, 4, 0)), ERR_NONE);
    assert_text("file", "0123");
    ck_assert_int_eq(error_of(range_effect(EFFECT_TRUNCATE, file, 7, 0)), ERR_NONE);
    assert_file("file", SPAN("0123\0\0\0"));
    ck_assert_int_eq(error_of(range_effect(EFFECT_TRUNCATE, file, 7, 0)), ERR_NONE);
    assert_file("file", SPAN("0123\0\0\0"));
    ck_assert_int_eq(error_of(range_effect(EFFECT_TRUNCATE, file, 0, 0)), ERR_NONE);
    assert_text("file", "");
    write_text(file, 0, "ab");
    assert_text("file", "ab");
}
END_TEST

START_TEST(reserve_leaves_what_is_visible)
{
    char text[8];
    const uint64_t file = open_file(OPEN_CREATE, "file");
    write_text(file, 0, "01");
    const int error = error_of(range_effect(EFFECT_RESERVE, file, 0, 1 << 16));
    ck_assert(error == ERR_NONE || error == ERR_IO || error == ERR_NO_SPACE);
    assert_text("file", "01");
    ck_assert_uint_eq(count_of(read_effect(file, 0, text, sizeof(text))), 2);
    const struct completion *done = carry_out(open_effect(new_file(), OPEN_READ, "file"));
    ck_assert_uint_eq(done->count, 2);
    write_text(file, 2, "23");
    assert_text("file", "0123");
}
END_TEST

START_TEST(sync_says_when_it_is_done)
{
    const uint64_t file = open_file(OPEN_CREATE, "file");
    write_text(file, 0, "01");
    const uint64_t first = ask(file_effect(EFFECT_SYNC, file));
    const uint64_t second = ask(file_effect(EFFECT_SYNC, file));
    write_text(file, 2, "23");
    ck_assert_int_eq(await(first)->error, ERR_NONE);
    ck_assert_int_eq(await(second)->error, ERR_NONE);
    ck_assert_int_eq(error_of(file_effect(EFFECT_SYNC, file)), ERR_NONE);
    assert_text("file", "0123");
}
END_TEST

START_TEST(sync_is_done_when_the_device_says_so)
{
    char text[2];
    put_file("file", "01");
    const uint64_t file = open_file(OPEN_EXISTING, "file");
    hold_syncs();
    const uint64_t sync = ask(file_effect(EFFECT_SYNC, file));
    settle();
    ck_assert_ptr_null(completion_of(sync));
    /* Nothing else waits for it. */
    write_text(file, 2, "23");
    ck_assert_uint_eq(count_of(read_effect(file, 2, text, 2)), 2);
    ck_assert_int_eq(error_of(range_effect(EFFECT_TRUNCATE, file, 3, 0)), ERR_NONE);
    assert_text("file", "012");
    ck_assert_int_eq(error_of(path_effect(EFFECT_REMOVE, "file")), ERR_NONE);
    ck_assert_ptr_null(completion_of(sync));
    release_syncs();
    ck_assert_int_eq(await(sync)->error, ERR_NONE);
}
END_TEST

START_TEST(close_leaves_a_sync_its_end)
{
    put_file("file", "01");
    const uint64_t file = open_file(OPEN_EXISTING, "file");
    hold_syncs();
    const uint64_t sync = ask(file_effect(EFFECT_SYNC, file));
    const uint64_t close = ask(file_effect(EFFECT_CLOSE_FILE, file));
    settle();
    ck_assert_ptr_null(completion_of(sync));
    release_syncs();
    ck_assert_int_eq(await(sync)->error, ERR_NONE);
    ck_assert_int_eq(await(close)->error, ERR_NONE);
}
END_TEST

START_TEST(close_leaves_what_is_under_way_its_end)
{
    char text[8] = {0};
    put_file("file", "0123");
    const uint64_t file = open_file(OPEN_EXISTING, "file");
    const uint64_t read = ask(read_effect(file, 0, text, sizeof(text)));
    const struct piece piece = {.data = (const uint8_t *)"45", .length = 2};
    const uint64_t write = ask(write_effect(file, 4, &piece, 1));
    const uint64_t syncs[] = {ask(file_effect(EFFECT_SYNC, file)),
                              ask(file_effect(EFFECT_SYNC, file))};
    const uint64_t close = ask(file_effect(EFFECT_CLOSE_FILE, file));
    ck_assert_int_eq(await(close)->error, ERR_NONE);
    ck_assert_int_eq(await(read)->error, ERR_NONE);
    ck_assert_uint_ge(await(read)->count, 4);
    ck_assert_uint_le(await(read)->count, 6); /* the write may be in pieces */
    ck_assert_int_eq(memcmp(text, "0123", 4), 0);
    ck_assert_int_eq(await(write)->error, ERR_NONE);
    ck_assert_uint_eq(await(write)->count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(await(syncs[i])->error, ERR_NONE);
    assert_text("file", "012345");
}
END_TEST

START_TEST(an_open_file_outlives_its_name)
{
    char text[8] = {0};
    put_file("file", "0123");
    const uint64_t file = open_file(OPEN_EXISTING, "file");
    ck_assert_int_eq(error_of(path_effect(EFFECT_REMOVE, "file")), ERR_NONE);
    assert_no_file("file");
    write_text(file, 4, "45");
    ck_assert_uint_eq(count_of(read_effect(file, 0, text, sizeof(text))), 6);
    ck_assert_int_eq(memcmp(text, "012345", 6), 0);
    put_file("file", "another");
    ck_assert_int_eq(error_of(file_effect(EFFECT_SYNC, file)), ERR_NONE);
    ck_assert_int_eq(error_of(file_effect(EFFECT_CLOSE_FILE, file)), ERR_NONE);
    assert_text("file", "another");
}
END_TEST

START_TEST(an_open_file_keeps_to_its_bytes_when_renamed)
{
    put_file("old", "01");
    const uint64_t file = open_file(OPEN_EXISTING, "old");
    ck_assert_int_eq(error_of(rename_effect("old", "new")), ERR_NONE);
    write_text(file, 2, "23");
    assert_text("new", "0123");
    assert_no_file("old");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, open_by_what_is_there);
    tcase_add_test(tcase, files_of_one_path_are_one_file);
    tcase_add_test(tcase, read_falls_short_only_at_the_end);
    tcase_add_test(tcase, reads_under_way_do_not_mix);
    tcase_add_test(tcase, write_puts_all_pieces_in_order);
    tcase_add_test(tcase, write_of_much);
    tcase_add_test(tcase, write_of_nothing);
    tcase_add_test(tcase, write_anywhere);
    tcase_add_test(tcase, truncate_cuts_and_grows);
    tcase_add_test(tcase, reserve_leaves_what_is_visible);
    tcase_add_test(tcase, sync_says_when_it_is_done);
    tcase_add_test(tcase, sync_is_done_when_the_device_says_so);
    tcase_add_test(tcase, close_leaves_a_sync_its_end);
    tcase_add_test(tcase, close_leaves_what_is_under_way_its_end);
    tcase_add_test(tcase, an_open_file_outlives_its_name);
    tcase_add_test(tcase, an_open_file_keeps_to_its_bytes_when_renamed);
}

SUITE(conformance_files)
{
    conformance_cases(suite, add);
}
