/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/file_node.h"
#include "tests/support/runner.h"

static void is_text(const struct file_bytes *bytes, const char *text)
{
    ck_assert_uint_eq(bytes->length, strlen(text));
    ck_assert_int_eq(memcmp(bytes->data, text, strlen(text)), 0);
}

static struct file_bytes made(const char *text)
{
    struct file_bytes bytes = {0};
    file_bytes_set(&bytes, 0, text, strlen(text));
    return bytes;
}

START_TEST(what_is_shared_is_one_memory)
{
    struct file_bytes one = made("abc");
    struct file_bytes other = made("something else");
    file_bytes_share(&other, &one);
    is_text(&other, "abc");
    ck_assert_ptr_eq(one.data, other.data);
    file_bytes_share(&other, &other);
    file_bytes_free(&one);
    is_text(&other, "abc");
    file_bytes_free(&other);
    file_bytes_free(&other);
}
END_TEST

START_TEST(a_change_is_ones_own)
{
    struct file_bytes one = made("abc");
    struct file_bytes other = {0};
    file_bytes_share(&other, &one);
    file_bytes_set(&other, 1, "X", 1);
    is_text(&one, "abc");
    is_text(&other, "aXc");
    file_bytes_share(&other, &one);
    file_bytes_set(&one, 2, "XYZ", 3);
    is_text(&one, "abXYZ");
    is_text(&other, "abc");
    file_bytes_share(&other, &one);
    file_bytes_own(&other);
    other.data[0] ^= 1;
    is_text(&one, "abXYZ");
    is_text(&other, "`bXYZ");
    file_bytes_free(&one);
    file_bytes_free(&other);
}
END_TEST

/* What was cut off is zeros when the bytes grow again, and is still there for the others. */
START_TEST(shorter_and_longer)
{
    struct file_bytes one = made("abcdef");
    struct file_bytes other = {0};
    file_bytes_share(&other, &one);
    file_bytes_resize(&other, 2);
    is_text(&other, "ab");
    file_bytes_resize(&other, 4);
    ck_assert_int_eq(memcmp(other.data, "ab\0\0", 4), 0);
    is_text(&one, "abcdef");
    file_bytes_set(&other, 1000, "x", 1);
    ck_assert_uint_eq(other.length, 1001);
    is_text(&one, "abcdef");
    file_bytes_free(&one);
    file_bytes_free(&other);
}
END_TEST

SUITE(file_bytes)
{
    TCase *tcase = tcase_create("file_bytes");
    tcase_add_test(tcase, what_is_shared_is_one_memory);
    tcase_add_test(tcase, a_change_is_ones_own);
    tcase_add_test(tcase, shorter_and_longer);
    suite_add_tcase(suite, tcase);
}
