/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/file_node.h"
#include "tests/support/runner.h"

static void is_text(const struct file_bytes *bytes, const char *text)
{
    ck_assert_uint_eq(bytes->length, strlen(text));
    ck_assert(text[0] == '\0' || memcmp(bytes->data, text, strlen(text)) == 0);
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

/* Only what is durable as it is visible is held once, and no change of one shows in the other. */
START_TEST(a_folder_shares)
{
    struct files files = {0};
    struct file_node *folder = node_new(&files, true);
    struct file_node *synced = node_new(&files, false);
    struct file_node *written = node_new(&files, false);
    struct file_node *lost = node_new(&files, false);
    entry_change(folder, "synced", synced, false);
    entry_change(folder, "written", written, false);
    entry_change(folder, "lost", lost, false);
    struct file_node *const nodes[] = {synced, written, lost};
    for (size_t i = 0; i < 3; i++) {
        struct change *change = change_add(nodes[i]);
        file_bytes_set(&change->data, 0, "abc", 3);
        file_bytes_set(&nodes[i]->visible, 0, "abc", 3);
    }
    changes_settle(synced, UINT64_MAX, true);
    changes_settle(lost, UINT64_MAX, false);
    folder_share(folder);
    ck_assert_ptr_eq(synced->visible.data, synced->durable.data);
    is_text(&written->durable, "");
    is_text(&lost->durable, "");
    file_bytes_set(&synced->visible, 0, "X", 1);
    is_text(&synced->durable, "abc");
    folder_share(folder);
    is_text(&synced->durable, "abc");
    nodes_free(&files);
}
END_TEST

SUITE(file_bytes)
{
    TCase *tcase = tcase_create("file_bytes");
    tcase_add_test(tcase, what_is_shared_is_one_memory);
    tcase_add_test(tcase, a_change_is_ones_own);
    tcase_add_test(tcase, shorter_and_longer);
    tcase_add_test(tcase, a_folder_shares);
    suite_add_tcase(suite, tcase);
}
