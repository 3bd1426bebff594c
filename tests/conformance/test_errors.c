/* SPDX-License-Identifier: Apache-2.0 */
/* What effects leave behind that fail for the world's reasons, and that they work afterwards. */
#include <string.h>

#include "tests/conformance/conformance.h"

/* Which errors an effect may end with, other than for what its path or peer is. */
static const struct {
    enum effect_kind kind;
    int error;
} errors[] = {
    {EFFECT_OPEN, ERR_IO},           {EFFECT_OPEN, ERR_NO_SPACE},
    {EFFECT_OPEN, ERR_LIMIT},        {EFFECT_READ, ERR_IO},
    {EFFECT_WRITE, ERR_IO},          {EFFECT_WRITE, ERR_NO_SPACE},
    {EFFECT_SYNC, ERR_IO},           {EFFECT_TRUNCATE, ERR_IO},
    {EFFECT_RESERVE, ERR_IO},        {EFFECT_RESERVE, ERR_NO_SPACE},
    {EFFECT_LIST, ERR_IO},           {EFFECT_LIST, ERR_LIMIT},
    {EFFECT_MAKE_FOLDER, ERR_IO},    {EFFECT_MAKE_FOLDER, ERR_NO_SPACE},
    {EFFECT_RENAME, ERR_IO},         {EFFECT_RENAME, ERR_NO_SPACE},
    {EFFECT_REMOVE, ERR_IO},         {EFFECT_SYNC_FOLDER, ERR_IO},
    {EFFECT_SYNC_FOLDER, ERR_LIMIT},
};

/* An effect of that kind which would change something. */
static struct effect effect_of(enum effect_kind kind, uint64_t file, const struct piece *piece,
                               char *buffer)
{
    switch (kind) {
    case EFFECT_OPEN:
        return open_effect(new_file(), OPEN_CREATE, "new");
    case EFFECT_READ:
        return read_effect(file, 0, buffer, 4);
    case EFFECT_WRITE:
        return write_effect(file, 1 << 20, piece, 1);
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        return range_effect(kind, file, 2, 1 << 16);
    case EFFECT_SYNC:
        return file_effect(kind, file);
    case EFFECT_RENAME:
        return rename_effect("t/inner", "new");
    case EFFECT_MAKE_FOLDER:
        return path_effect(kind, "new");
    default:
        return path_effect(kind, "t");
    }
}

START_TEST(a_failure_leaves_everything_as_it_was)
{
    const struct piece piece = {.data = (const uint8_t *)"456", .length = 3};
    const enum effect_kind kind = errors[_i].kind;
    char buffer[8];
    put_folder("t");
    put_file("t/inner", "inner");
    put_file("file", "0123");
    const uint64_t file = open_file(OPEN_EXISTING, "file");
    if (!make_fail(kind, errors[_i].error))
        return;
    const struct completion *done = carry_out(effect_of(kind, file, &piece, buffer));
    ck_assert_int_eq(done->error, errors[_i].error);
    ck_assert_ptr_null(done->entries);
    if (kind == EFFECT_WRITE)
        ck_assert_uint_le(done->count, piece.length);
    else
        ck_assert_uint_eq(done->count, 0);
    if (done->count == 0)
        assert_text("file", "0123");
    assert_text("t/inner", "inner");
    assert_no_file("new");
    mend();
    ck_assert_int_eq(error_of(effect_of(kind, file, &piece, buffer)), ERR_NONE);
}
END_TEST

START_TEST(a_file_number_is_free_after_a_failed_open)
{
    put_file("file", "0123");
    if (!make_fail(EFFECT_OPEN, ERR_LIMIT))
        return;
    ck_assert_int_eq(error_of(open_effect(new_file(), OPEN_READ, "file")), ERR_LIMIT);
    mend();
    const uint64_t file = open_file(OPEN_READ, "file");
    char text[4];
    ck_assert_uint_eq(count_of(read_effect(file, 0, text, 4)), 4);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_failure_leaves_everything_as_it_was, 0,
                        sizeof(errors) / sizeof(errors[0]));
    tcase_add_test(tcase, a_file_number_is_free_after_a_failed_open);
}

SUITE(conformance_errors)
{
    conformance_cases(suite, add);
}
