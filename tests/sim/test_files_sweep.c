/* SPDX-License-Identifier: Apache-2.0 */
/* A disk on which many files come and go. */
#include "core/wire/error.h"
#include "sim/file_node.h"
#include "tests/support/runner.h"

#define MANY 1000

static struct chance chance;
static struct files files;
static uint64_t last_file;

static void start(void)
{
    const struct chance_source source = {.seed = 1};
    chance_stream(&chance, &source, "disk", 1);
    files_init(&files, &chance);
    last_file = 0;
}

static void end(void)
{
    files_free(&files);
}

static int carry_out(struct effect effect)
{
    struct completion completion = {0};
    const uint64_t covers = files_submitted(&files, &effect);
    files_carry_out(&files, &effect, covers, ERR_NONE, 0, &completion);
    return completion.error;
}

static int on_path(enum effect_kind kind, const char *path)
{
    return carry_out((struct effect){.kind = kind, .path = {.path = span_text(path)}});
}

static int on_file(enum effect_kind kind, uint64_t file)
{
    return carry_out((struct effect){.kind = kind, .file = file});
}

static uint64_t create(const char *path, const char *text)
{
    const struct piece piece = {.data = (const uint8_t *)text, .length = strlen(text)};
    const uint64_t file = ++last_file;
    ck_assert_int_eq(carry_out((struct effect){
                         .kind = EFFECT_OPEN,
                         .open = {.file = file, .mode = OPEN_CREATE_NEW, .path = span_text(path)}}),
                     ERR_NONE);
    ck_assert_int_eq(
        carry_out((struct effect){.kind = EFFECT_WRITE,
                                  .write = {.file = file, .pieces = &piece, .pieces_count = 1}}),
        ERR_NONE);
    return file;
}

/* Makes a file, whose bytes no sync covered, and removes it. */
static void come_and_go(void)
{
    const uint64_t file = create("passing", "a file of some bytes");
    ck_assert_int_eq(on_file(EFFECT_CLOSE_FILE, file), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_REMOVE, "passing"), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_SYNC_FOLDER, ""), ERR_NONE);
}

static void many_come_and_go(void)
{
    for (int i = 0; i < MANY; i++)
        come_and_go();
    ck_assert_uint_lt(files.nodes_count, MANY / 5);
}

static size_t nodes_counted(void)
{
    size_t count = 0;
    for (const struct file_node *node = files.nodes; node != NULL; node = node->next_of_all)
        count++;
    return count;
}

START_TEST(what_is_gone_is_let_go)
{
    many_come_and_go();
    ck_assert_uint_eq(files.used_bytes, 0);
    ck_assert_uint_eq(nodes_counted(), files.nodes_count);
    files_sweep(&files);
    ck_assert_uint_eq(files.nodes_count, FILES_FOLDERS_MAX);
}
END_TEST

START_TEST(an_open_file_stays_for_who_has_it_open)
{
    const uint64_t file = create("removed", "still here");
    ck_assert_int_eq(on_file(EFFECT_SYNC, file), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_REMOVE, "removed"), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_SYNC_FOLDER, ""), ERR_NONE);
    many_come_and_go();
    ck_assert_mem_eq(files_bytes(&files, file, 0, 10), "still here", 10);
}
END_TEST

START_TEST(a_closed_file_stays_for_what_was_asked_of_it_before)
{
    const uint64_t file = create("removed", "bytes");
    const struct effect sync = {.kind = EFFECT_SYNC, .file = file};
    struct completion completion = {0};
    const uint64_t covers = files_submitted(&files, &sync);
    ck_assert_int_eq(on_file(EFFECT_CLOSE_FILE, file), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_REMOVE, "removed"), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_SYNC_FOLDER, ""), ERR_NONE);
    many_come_and_go();
    files_carry_out(&files, &sync, covers, ERR_NONE, 0, &completion);
    ck_assert_int_eq(completion.error, ERR_NONE);
    files_sweep(&files);
    ck_assert_uint_eq(files.nodes_count, FILES_FOLDERS_MAX);
}
END_TEST

START_TEST(what_is_not_durably_gone_comes_back)
{
    const uint64_t file = create("kept", "it comes back");
    ck_assert_int_eq(on_file(EFFECT_SYNC, file), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_SYNC_FOLDER, ""), ERR_NONE);
    ck_assert_int_eq(on_file(EFFECT_CLOSE_FILE, file), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_REMOVE, "kept"), ERR_NONE);
    files_sweep(&files);
    const struct file_node *node = files_durable(&files, 0, "kept");
    ck_assert_ptr_nonnull(node);
    ck_assert_mem_eq(node->durable.data, "it comes back", 13);
}
END_TEST

/* A full disk is full of what is there. */
START_TEST(after_a_power_loss_what_was_removed_takes_no_room)
{
    come_and_go();
    const uint64_t file = create("kept", "13 bytes here");
    ck_assert_int_eq(on_file(EFFECT_SYNC, file), ERR_NONE);
    ck_assert_int_eq(on_path(EFFECT_SYNC_FOLDER, ""), ERR_NONE);
    files_process_ended(&files);
    files_power_loss(&files);
    ck_assert_uint_eq(files.used_bytes, 13);
}
END_TEST

SUITE(files_sweep)
{
    TCase *tcase = tcase_create("files_sweep");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, what_is_gone_is_let_go);
    tcase_add_test(tcase, an_open_file_stays_for_who_has_it_open);
    tcase_add_test(tcase, a_closed_file_stays_for_what_was_asked_of_it_before);
    tcase_add_test(tcase, what_is_not_durably_gone_comes_back);
    tcase_add_test(tcase, after_a_power_loss_what_was_removed_takes_no_room);
    suite_add_tcase(suite, tcase);
}
