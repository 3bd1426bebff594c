/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/wire/error.h"
#include "tests/disk/rig.h"
#include "tests/support/runner.h"

static void make_folder(const char *path)
{
    ck_assert_int_eq(rig_do(path_effect(EFFECT_MAKE_FOLDER, path))->error, ERR_NONE);
}

START_TEST(list_is_sorted_by_bytes_and_tells_sizes)
{
    make_folder("t");
    make_folder("t/inner");
    rig_make_file("t/b", "12");
    rig_make_file("t/a", "1");
    rig_make_file("t/B", "");
    rig_make_file("t/\xc3\xa9", "123");
    static const struct {
        const char *name;
        uint64_t size_bytes;
        bool is_folder;
    } expected[] = {
        {"B", 0, false},    {"a", 1, false},        {"b", 2, false},
        {"inner", 0, true}, {"\xc3\xa9", 3, false},
    };
    const struct completion *done = rig_do(path_effect(EFFECT_LIST, "t"));
    ck_assert_int_eq(done->error, ERR_NONE);
    ck_assert_uint_eq(done->entries_count, sizeof(expected) / sizeof(expected[0]));
    for (uint32_t i = 0; i < done->entries_count; i++) {
        ck_assert(span_equal(done->entries[i].name, span_text(expected[i].name)));
        ck_assert_uint_eq(done->entries[i].size_bytes, expected[i].size_bytes);
        ck_assert_int_eq(done->entries[i].is_folder, expected[i].is_folder);
    }
}
END_TEST

START_TEST(list_of_the_data_folder_itself)
{
    make_folder("t");
    const struct completion *done = rig_do(path_effect(EFFECT_LIST, ""));
    ck_assert_uint_eq(done->entries_count, 2);
    ck_assert(span_equal(done->entries[0].name, SPAN(".lock")));
    ck_assert(span_equal(done->entries[1].name, SPAN("t")));
}
END_TEST

START_TEST(list_of_nothing_and_of_very_many)
{
    make_folder("t");
    ck_assert_uint_eq(rig_do(path_effect(EFFECT_LIST, "t"))->entries_count, 0);
    for (int i = 0; i < 1000; i++) {
        char name[64];
        snprintf(name, sizeof(name), "t/a-rather-long-name-%03d", i);
        rig_make_file(name, "");
    }
    const struct completion *done = rig_do(path_effect(EFFECT_LIST, "t"));
    ck_assert_uint_eq(done->entries_count, 1000);
    ck_assert(span_equal(done->entries[0].name, SPAN("a-rather-long-name-000")));
    ck_assert(span_equal(done->entries[999].name, SPAN("a-rather-long-name-999")));
}
END_TEST

START_TEST(list_that_fails)
{
    rig_make_file("a", "");
    ck_assert_int_eq(rig_do(path_effect(EFFECT_LIST, "t"))->error, ERR_NOT_FOUND);
    ck_assert_int_eq(rig_do(path_effect(EFFECT_LIST, "a"))->error, ERR_IO);
    faults.openat = (struct fault){.error_calls = 1, .error = EMFILE};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_LIST, ""))->error, ERR_LIMIT);
    faults.fstatat = (struct fault){.error_calls = 1, .error = EIO};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_LIST, ""))->error, ERR_IO);
    ck_assert_uint_eq(rig.reports_count, 2);
}
END_TEST

START_TEST(folders_that_cannot_be_read)
{
    make_folder("t");
    rig_make_file("t/a", "1");
    faults.fdopendir = (struct fault){.error_calls = 1, .error = ENOMEM};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_LIST, "t"))->error, ERR_IO);
    faults.readdir = (struct fault){.error_calls = 1, .error = EIO};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_LIST, "t"))->error, ERR_IO);
    faults.fdopendir = (struct fault){.error_calls = 1, .error = ENOMEM};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "t"))->error, ERR_IO);
    faults.readdir = (struct fault){.error_calls = 1, .error = EIO};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "t"))->error, ERR_IO);
    ck_assert_int_eq(rig_size("t/a"), 1);
}
END_TEST

START_TEST(folders_are_opened_again_after_an_interruption)
{
    static const enum effect_kind kinds[] = {EFFECT_LIST, EFFECT_SYNC_FOLDER, EFFECT_REMOVE};
    make_folder("t");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        faults.openat = (struct fault){.error_calls = 2, .error = EINTR};
        ck_assert_int_eq(rig_do(path_effect(kinds[i], "t"))->error, ERR_NONE);
        ck_assert_int_eq(faults.openat.calls, 3);
    }
}
END_TEST

START_TEST(list_leaves_out_what_went_meanwhile)
{
    rig_make_file("a", "");
    faults.fstatat = (struct fault){.error_calls = 2, .error = ENOENT};
    const struct completion *done = rig_do(path_effect(EFFECT_LIST, ""));
    ck_assert_int_eq(done->error, ERR_NONE);
    ck_assert_uint_eq(done->entries_count, 0);
}
END_TEST

START_TEST(make_folder_once)
{
    make_folder("t");
    ck_assert_int_eq(rig_do(path_effect(EFFECT_MAKE_FOLDER, "t"))->error, ERR_EXISTS);
    ck_assert_int_eq(rig_do(path_effect(EFFECT_MAKE_FOLDER, "u/v"))->error, ERR_NOT_FOUND);
    faults.mkdirat = (struct fault){.error_calls = 1, .error = ENOSPC};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_MAKE_FOLDER, "u"))->error, ERR_NO_SPACE);
    faults.mkdirat = (struct fault){.error_calls = 1, .error = EIO};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_MAKE_FOLDER, "u"))->error, ERR_IO);
    ck_assert_uint_eq(rig.reports_count, 1);
    ck_assert_ptr_nonnull(strstr(rig.report, "/u error="));
}
END_TEST

START_TEST(rename_replaces)
{
    rig_make_file("a", "1");
    rig_make_file("b", "12");
    ck_assert_int_eq(rig_do(rename_effect("b", "a"))->error, ERR_NONE);
    ck_assert_int_eq(rig_size("a"), 2);
    ck_assert_int_eq(rig_size("b"), -1);
    ck_assert_int_eq(rig_do(rename_effect("b", "a"))->error, ERR_NOT_FOUND);
    faults.renameat = (struct fault){.error_calls = 1, .error = EIO};
    ck_assert_int_eq(rig_do(rename_effect("a", "b"))->error, ERR_IO);
}
END_TEST

START_TEST(rename_of_a_folder_never_replaces_a_full_one)
{
    make_folder("t");
    make_folder("u");
    rig_make_file("u/a", "1");
    ck_assert_int_eq(rig_do(rename_effect("t", "u"))->error, ERR_EXISTS);
    ck_assert_int_eq(rig_do(rename_effect("u", "t"))->error, ERR_NONE);
    ck_assert_int_eq(rig_size("t/a"), 1);
}
END_TEST

START_TEST(remove_file_and_tree)
{
    make_folder("t");
    make_folder("t/inner");
    rig_make_file("t/inner/a", "1");
    rig_make_file("t/b", "1");
    rig_make_file("c", "1");
    const uint64_t effect = rig_ask(path_effect(EFFECT_REMOVE, "t"));
    ck_assert_ptr_null(rig_completion(effect));
    ck_assert_int_eq(rig_await(effect)->error, ERR_NONE);
    ck_assert_int_eq(rig_size("t"), -1);
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "c"))->error, ERR_NONE);
    ck_assert_int_eq(rig_size("c"), -1);
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "c"))->error, ERR_NOT_FOUND);
}
END_TEST

START_TEST(remove_does_not_follow_links)
{
    make_folder("t");
    make_folder("kept");
    rig_make_file("kept/a", "1");
    char link[128];
    char target[128];
    snprintf(target, sizeof(target), "%s/kept", rig.path);
    snprintf(link, sizeof(link), "%s/t/link", rig.path);
    ck_assert_int_eq(symlink(target, link), 0);
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "t"))->error, ERR_NONE);
    ck_assert_int_eq(rig_size("kept/a"), 1);
}
END_TEST

START_TEST(remove_that_fails)
{
    make_folder("t");
    rig_make_file("t/a", "1");
    faults.unlinkat = (struct fault){.error_calls = 1, .error = EIO};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "t/a"))->error, ERR_IO);
    faults.openat = (struct fault){.error_calls = 1, .error = EMFILE};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "t"))->error, ERR_LIMIT);
    ck_assert_int_eq(rig_size("t/a"), 1);
    /* The data folder itself is never removed. */
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, ""))->error, ERR_IO);
    ck_assert_int_eq(rig_size("t/a"), 1);
}
END_TEST

START_TEST(remove_ends_at_a_depth)
{
    static const char path[] = "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d";
    for (size_t length = 1; length < sizeof(path); length += 2) {
        char part[sizeof(path)] = {0};
        memcpy(part, path, length);
        make_folder(part);
    }
    ck_assert_int_eq(rig_do(path_effect(EFFECT_REMOVE, "d"))->error, ERR_IO);
}
END_TEST

START_TEST(sync_folder_is_left_to_a_thread)
{
    make_folder("t");
    faults.fsync = (struct fault){.error_calls = 1, .error = EINTR};
    const uint64_t effect = rig_ask(path_effect(EFFECT_SYNC_FOLDER, "t"));
    ck_assert_ptr_null(rig_completion(effect));
    ck_assert_int_eq(rig_await(effect)->error, ERR_NONE);
    ck_assert_int_eq(faults.fsync.calls, 2);
    ck_assert_int_eq(rig_do(path_effect(EFFECT_SYNC_FOLDER, ""))->error, ERR_NONE);
    ck_assert_int_eq(rig_do(path_effect(EFFECT_SYNC_FOLDER, "u"))->error, ERR_NOT_FOUND);
    faults.fsync = (struct fault){.error_calls = 1, .error = EIO};
    ck_assert_int_eq(rig_do(path_effect(EFFECT_SYNC_FOLDER, "t"))->error, ERR_IO);
    ck_assert_int_eq(faults.fsync.calls, 1);
    ck_assert_uint_eq(rig.reports_count, 1);
}
END_TEST

static const char *const refused_paths[] = {
    "/", "/etc/passwd", "..", "../a", "a/..", "a/../b", ".", "./a", "a/.", "a//b", "a/", "//",
};

START_TEST(paths_stay_inside_the_data_folder)
{
    static const enum effect_kind kinds[] = {EFFECT_LIST, EFFECT_MAKE_FOLDER, EFFECT_REMOVE,
                                             EFFECT_SYNC_FOLDER};
    make_folder("a");
    const char *path = refused_paths[_i];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        ck_assert_int_eq(rig_do(path_effect(kinds[i], path))->error, ERR_IO);
    ck_assert_int_eq(rig_do(open_effect(1, OPEN_CREATE, path))->error, ERR_IO);
    ck_assert_int_eq(rig_do(rename_effect("a", path))->error, ERR_IO);
    ck_assert_int_eq(rig_do(rename_effect(path, "b"))->error, ERR_IO);
}
END_TEST

START_TEST(names_with_dots_are_names)
{
    static const char *const paths[] = {"...", "..a", "a..", ".a", "a.b"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        make_folder(paths[i]);
}
END_TEST

START_TEST(paths_have_a_limit_and_no_zero_byte)
{
    char path[DISK_PATH_BYTES_MAX + 2];
    memset(path, 'a', sizeof(path));
    struct effect effect = path_effect(EFFECT_MAKE_FOLDER, "");
    effect.path.path = span_of(path, sizeof(path));
    ck_assert_int_eq(rig_do(effect)->error, ERR_IO);
    effect.path.path = SPAN("a\0b");
    ck_assert_int_eq(rig_do(effect)->error, ERR_IO);
    ck_assert_int_eq(rig_size("a"), -1);
}
END_TEST

/* Adds a data folder to a disk of its own; returns what disk_add_folder did. */
static int add_folder(const char *path, char *ret_reason, size_t reason_bytes)
{
    const struct disk_options options = {.calls = &disk_calls_system, .threads_max = 1};
    struct disk *disk = disk_new(&options);
    ck_assert_ptr_nonnull(disk);
    const int result = disk_add_folder(disk, path, ret_reason, reason_bytes);
    disk_free(disk);
    return result;
}

START_TEST(data_folder_has_one_broker)
{
    char reason[256];
    ck_assert_int_eq(add_folder(rig.path, reason, sizeof(reason)), -1);
    ck_assert_ptr_nonnull(strstr(reason, rig.path));
    ck_assert_ptr_nonnull(strstr(reason, "in use by another broker"));
    disk_free(rig.disk);
    rig.disk = NULL;
    ck_assert_int_eq(add_folder(rig.path, reason, sizeof(reason)), 0);
}
END_TEST

START_TEST(data_folder_locked_as_kafka_does_is_in_use)
{
    disk_free(rig.disk);
    rig.disk = NULL;
    int held[2];
    int done[2];
    ck_assert_int_eq(pipe(held), 0);
    ck_assert_int_eq(pipe(done), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        /* Java's FileChannel.tryLock() is a POSIX lock. */
        char path[128];
        snprintf(path, sizeof(path), "%s/.lock", rig.path);
        const int fd = open(path, O_RDWR);
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        char byte = fcntl(fd, F_SETLK, &whole) == 0 ? 'y' : 'n';
        if (write(held[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    char byte = 0;
    ck_assert_int_eq(read(held[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    char reason[256];
    ck_assert_int_eq(add_folder(rig.path, reason, sizeof(reason)), -1);
    ck_assert_ptr_nonnull(strstr(reason, "in use by another broker"));
    ck_assert_int_eq(write(done[1], "x", 1), 1);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(add_folder(rig.path, reason, sizeof(reason)), 0);
}
END_TEST

START_TEST(data_folder_is_made_with_its_parents)
{
    char path[128];
    char reason[256];
    snprintf(path, sizeof(path), "%s/one//two/three/", rig.path);
    ck_assert_int_eq(disk_add_folder(rig.disk, path, reason, sizeof(reason)), 0);
    ck_assert_int_ge(rig_size("one/two/three/.lock"), 0);
    struct effect effect = path_effect(EFFECT_MAKE_FOLDER, "t");
    effect.path.folder = 1;
    ck_assert_int_eq(rig_do(effect)->error, ERR_NONE);
    ck_assert_int_ge(rig_size("one/two/three/t"), 0);
}
END_TEST

/* Whoever made it may have ended before it was durable; whoever locked it had come further. */
START_TEST(data_folder_that_was_found_is_made_durable)
{
    char path[128];
    char reason[256];
    for (int locked = 0; locked < 2; locked++) {
        snprintf(path, sizeof(path), "%s/%d", rig.path, locked);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        if (locked)
            rig_make_file("1/.lock", "");
        faults.fsync = (struct fault){0};
        ck_assert_int_eq(disk_add_folder(rig.disk, path, reason, sizeof(reason)), 0);
        ck_assert_int_eq(faults.fsync.calls > 0, !locked);
    }
    /* Parents that are somebody else's cannot be synced, and need not. */
    snprintf(path, sizeof(path), "%s/2", rig.path);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    faults.fsync = (struct fault){.error_calls = 100, .error = EACCES};
    ck_assert_int_eq(disk_add_folder(rig.disk, path, reason, sizeof(reason)), 0);
}
END_TEST

START_TEST(data_folder_may_be_relative)
{
    char reason[256];
    ck_assert_int_eq(chdir(rig.path), 0);
    ck_assert_int_eq(disk_add_folder(rig.disk, "one/two", reason, sizeof(reason)), 0);
    ck_assert_int_ge(rig_size("one/two/.lock"), 0);
}
END_TEST

START_TEST(data_folder_that_cannot_be_says_why)
{
    rig_make_file("a", "");
    char path[128];
    char reason[256];
    snprintf(path, sizeof(path), "%s/a", rig.path);
    ck_assert_int_eq(add_folder(path, reason, sizeof(reason)), -1);
    ck_assert_ptr_nonnull(strstr(reason, path));
    ck_assert_ptr_nonnull(strstr(reason, "Not a directory"));
    ck_assert_int_eq(add_folder("", reason, sizeof(reason)), -1);
}
END_TEST

SUITE(disk_folder)
{
    TCase *tcase = tcase_create("folder");
    tcase_add_checked_fixture(tcase, rig_start, rig_end);
    tcase_add_test(tcase, list_is_sorted_by_bytes_and_tells_sizes);
    tcase_add_test(tcase, list_of_the_data_folder_itself);
    tcase_add_test(tcase, list_of_nothing_and_of_very_many);
    tcase_add_test(tcase, list_that_fails);
    tcase_add_test(tcase, list_leaves_out_what_went_meanwhile);
    tcase_add_test(tcase, folders_that_cannot_be_read);
    tcase_add_test(tcase, folders_are_opened_again_after_an_interruption);
    tcase_add_test(tcase, make_folder_once);
    tcase_add_test(tcase, rename_replaces);
    tcase_add_test(tcase, rename_of_a_folder_never_replaces_a_full_one);
    tcase_add_test(tcase, remove_file_and_tree);
    tcase_add_test(tcase, remove_does_not_follow_links);
    tcase_add_test(tcase, remove_that_fails);
    tcase_add_test(tcase, remove_ends_at_a_depth);
    tcase_add_test(tcase, sync_folder_is_left_to_a_thread);
    tcase_add_loop_test(tcase, paths_stay_inside_the_data_folder, 0,
                        sizeof(refused_paths) / sizeof(refused_paths[0]));
    tcase_add_test(tcase, names_with_dots_are_names);
    tcase_add_test(tcase, paths_have_a_limit_and_no_zero_byte);
    tcase_add_test(tcase, data_folder_has_one_broker);
    tcase_add_test(tcase, data_folder_locked_as_kafka_does_is_in_use);
    tcase_add_test(tcase, data_folder_is_made_with_its_parents);
    tcase_add_test(tcase, data_folder_that_was_found_is_made_durable);
    tcase_add_test(tcase, data_folder_may_be_relative);
    tcase_add_test(tcase, data_folder_that_cannot_be_says_why);
    suite_add_tcase(suite, tcase);
}
