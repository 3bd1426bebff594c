/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: listing, making, renaming, removing, syncing. */
#include <stdio.h>
#include <string.h>

#include "tests/conformance/conformance.h"

#define MANY_FILES 300

/* A folder with this in it, for the tables below:
 *
 *     file  t/inner  t/deep/er/file  empty/  */
static void furnish(void)
{
    put_file("file", "12345");
    put_folder("t");
    put_file("t/inner", "123");
    put_folder("t/deep");
    put_folder("t/deep/er");
    put_file("t/deep/er/file", "");
    put_folder("empty");
}

struct row {
    enum effect_kind kind;
    const char *path;
    int error;
};

/* None of these changes what the others find. */
static const struct row rows[] = {
    {EFFECT_LIST, "", ERR_NONE},
    {EFFECT_LIST, "t", ERR_NONE},
    {EFFECT_LIST, "t/deep/er", ERR_NONE},
    {EFFECT_LIST, "none", ERR_NOT_FOUND},
    {EFFECT_LIST, "none/none", ERR_NOT_FOUND},
    {EFFECT_LIST, "file", ERR_IO},
    {EFFECT_LIST, "file/none", ERR_IO},
    {EFFECT_MAKE_FOLDER, "t", ERR_EXISTS},
    {EFFECT_MAKE_FOLDER, "file", ERR_EXISTS},
    {EFFECT_MAKE_FOLDER, "none/new", ERR_NOT_FOUND},
    {EFFECT_MAKE_FOLDER, "file/new", ERR_IO},
    {EFFECT_REMOVE, "none", ERR_NOT_FOUND},
    {EFFECT_REMOVE, "none/none", ERR_NOT_FOUND},
    {EFFECT_REMOVE, "t/none", ERR_NOT_FOUND},
    {EFFECT_REMOVE, "file/none", ERR_IO},
    {EFFECT_REMOVE, "", ERR_IO},
    {EFFECT_SYNC_FOLDER, "", ERR_NONE},
    {EFFECT_SYNC_FOLDER, "t", ERR_NONE},
    {EFFECT_SYNC_FOLDER, "t/deep/er", ERR_NONE},
    {EFFECT_SYNC_FOLDER, "none", ERR_NOT_FOUND},
    {EFFECT_SYNC_FOLDER, "file", ERR_IO},
};

START_TEST(what_a_path_gives)
{
    furnish();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int error = error_of(path_effect(rows[i].kind, rows[i].path));
        ck_assert_msg(error == rows[i].error, "row %zu, \"%s\": error %d, wanted %d", i,
                      rows[i].path, error, rows[i].error);
    }
    assert_text("file", "12345");
    assert_text("t/inner", "123");
}
END_TEST

/* Each in a data folder as furnish() leaves it. */
static const struct {
    const char *path;
    const char *path_to;
    int error;
    const char *is;   /* a file, afterwards; NULL: nothing to look at */
    const char *text; /* of it */
    const char *gone; /* no file, afterwards */
} renames[] = {
    {"file", "new", ERR_NONE, "new", "12345", "file"},
    {"file", "t/new", ERR_NONE, "t/new", "12345", "file"},
    {"file", "t/inner", ERR_NONE, "t/inner", "12345", "file"},
    {"file", "file", ERR_NONE, "file", "12345", "new"},
    {"file", "none/new", ERR_NOT_FOUND, "file", "12345", "new"},
    {"none", "new", ERR_NOT_FOUND, "file", "12345", "new"},
    {"none", "file", ERR_NOT_FOUND, "file", "12345", "new"},
    {"none/none", "file", ERR_NOT_FOUND, "file", "12345", "new"},
    {"file", "t", ERR_IO, "file", "12345", "new"},
    {"file", "empty", ERR_IO, "file", "12345", "new"},
    {"t", "new", ERR_NONE, "new/inner", "123", "t/inner"},
    {"t", "empty", ERR_NONE, "empty/inner", "123", "t/inner"},
    {"t", "empty/new", ERR_NONE, "empty/new/inner", "123", "t/inner"},
    {"t/deep", "new", ERR_NONE, "new/er/file", "", "t/deep/er/file"},
    {"t", "file", ERR_IO, "t/inner", "123", "file/inner"},
    {"empty", "t", ERR_EXISTS, "t/inner", "123", "new"},
    {"empty", "t/deep", ERR_EXISTS, "t/deep/er/file", "", "new"},
    {"t", "t/deep/new", ERR_IO, "t/inner", "123", "t/deep/new/inner"},
    {"t", "t", ERR_NONE, "t/inner", "123", "new"},
    {"file/none", "new", ERR_IO, "file", "12345", "new"},
};

START_TEST(what_a_rename_replaces)
{
    furnish();
    const int error = error_of(rename_effect(renames[_i].path, renames[_i].path_to));
    ck_assert_msg(error == renames[_i].error, "%s to %s: error %d, wanted %d", renames[_i].path,
                  renames[_i].path_to, error, renames[_i].error);
    assert_text(renames[_i].is, renames[_i].text);
    assert_no_file(renames[_i].gone);
}
END_TEST

START_TEST(make_folder_makes_one)
{
    ck_assert_int_eq(error_of(path_effect(EFFECT_MAKE_FOLDER, "t")), ERR_NONE);
    ck_assert_int_eq(error_of(path_effect(EFFECT_MAKE_FOLDER, "t")), ERR_EXISTS);
    ck_assert_int_eq(error_of(path_effect(EFFECT_MAKE_FOLDER, "t/u")), ERR_NONE);
    const uint64_t file = open_file(OPEN_CREATE_NEW, "t/u/file");
    write_text(file, 0, "1");
    assert_text("t/u/file", "1");
}
END_TEST

START_TEST(remove_takes_all_that_is_below)
{
    furnish();
    ck_assert_int_eq(error_of(path_effect(EFFECT_REMOVE, "t")), ERR_NONE);
    assert_no_file("t/inner");
    assert_no_file("t/deep/er/file");
    ck_assert_int_eq(error_of(path_effect(EFFECT_LIST, "t")), ERR_NOT_FOUND);
    ck_assert_int_eq(error_of(path_effect(EFFECT_REMOVE, "empty")), ERR_NONE);
    ck_assert_int_eq(error_of(path_effect(EFFECT_LIST, "empty")), ERR_NOT_FOUND);
    ck_assert_int_eq(error_of(path_effect(EFFECT_REMOVE, "file")), ERR_NONE);
    ck_assert_int_eq(error_of(path_effect(EFFECT_REMOVE, "file")), ERR_NOT_FOUND);
    /* The name is free for something else. */
    ck_assert_int_eq(error_of(path_effect(EFFECT_MAKE_FOLDER, "file")), ERR_NONE);
}
END_TEST

/* A data folder may hold more than the core made: names that start with a dot. */
static uint32_t next_entry(const struct completion *done, uint32_t from)
{
    while (from < done->entries_count && done->entries[from].name.data[0] == '.')
        from++;
    return from;
}

START_TEST(list_is_sorted_by_bytes)
{
    static const struct {
        const char *name;
        uint64_t size_bytes;
        bool is_folder;
    } wanted[] = {
        {"B", 1, false},  {"a", 0, false}, {"a-", 3, false},
        {"a0", 2, false}, {"t", 0, true},  {"\xc3\xa4", 4, false},
    };
    put_file("a0", "12");
    put_file("\xc3\xa4", "1234");
    put_file("B", "1");
    put_folder("t");
    put_file("t/inner", "12345");
    put_file("a-", "123");
    put_file("a", "");
    const struct completion *done = carry_out(path_effect(EFFECT_LIST, ""));
    uint32_t at = next_entry(done, 0);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        ck_assert_uint_lt(at, done->entries_count);
        const struct folder_entry *entry = &done->entries[at];
        ck_assert_msg(span_equal(entry->name, span_text(wanted[i].name)), "%zu: %.*s", i,
                      (int)entry->name.length, (const char *)entry->name.data);
        ck_assert_uint_eq(entry->size_bytes, wanted[i].size_bytes);
        ck_assert_int_eq(entry->is_folder, wanted[i].is_folder);
        at = next_entry(done, at + 1);
    }
    ck_assert_uint_eq(at, done->entries_count);
}
END_TEST

START_TEST(list_of_nothing_and_of_much)
{
    put_folder("t");
    ck_assert_uint_eq(carry_out(path_effect(EFFECT_LIST, "t"))->entries_count, 0);
    for (int i = 0; i < MANY_FILES; i++) {
        char path[64];
        snprintf(path, sizeof(path), "t/a-name-of-some-length-%03d", (i * 7) % MANY_FILES);
        put_file(path, "");
    }
    const struct completion *done = carry_out(path_effect(EFFECT_LIST, "t"));
    ck_assert_uint_eq(done->entries_count, MANY_FILES);
    for (uint32_t i = 0; i + 1 < MANY_FILES; i++)
        ck_assert_int_lt(span_compare(done->entries[i].name, done->entries[i + 1].name), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, what_a_path_gives);
    tcase_add_loop_test(tcase, what_a_rename_replaces, 0, sizeof(renames) / sizeof(renames[0]));
    tcase_add_test(tcase, make_folder_makes_one);
    tcase_add_test(tcase, remove_takes_all_that_is_below);
    tcase_add_test(tcase, list_is_sorted_by_bytes);
    tcase_add_test(tcase, list_of_nothing_and_of_much);
}

SUITE(conformance_folders)
{
    conformance_cases(suite, add);
}
