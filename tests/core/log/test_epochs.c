/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/epochs.h"

#include <string.h>

#include "core/wire/error.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct epochs epochs;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    epochs_init(&epochs, &memory);
}

static void tear_down(void)
{
    epochs_free(&epochs);
    ck_assert_uint_eq(heap.blocks, 0);
}

/* All entries as text: the file without its head, lines joined by ", ". */
static void expect(const char *entries)
{
    char text[400] = "";
    uint8_t file[400];
    const size_t length = epochs_encode(&epochs, file, sizeof(file));
    size_t out = 0;
    int line = 0;

    ck_assert_uint_lt(length, sizeof(file));
    for (size_t i = 0; i < length; i++) {
        if (file[i] == '\n') {
            line++;
            if (line > 2 && i + 1 < length) {
                text[out++] = ',';
                text[out++] = ' ';
            }
        } else if (line >= 2) {
            text[out++] = (char)file[i];
        }
    }
    text[out] = '\0';
    ck_assert_str_eq(text, entries);
}

/* Epoch 2 from 0, 5 from 100, 6 from 250. */
static void assign_some(void)
{
    epochs_assign(&epochs, 2, 0);
    epochs_assign(&epochs, 5, 100);
    epochs_assign(&epochs, 6, 250);
}

static const struct {
    int32_t epoch;
    int64_t offset;
    bool changed;
    const char *entries;
} assigned[] = {
    {7, 300, true, "2 0, 5 100, 6 250, 7 300"},
    {6, 300, false, "2 0, 5 100, 6 250"},
    {6, 250, false, "2 0, 5 100, 6 250"},
    {6, 200, true, "2 0, 5 100, 6 200"},
    {7, 250, true, "2 0, 5 100, 7 250"},
    {7, 100, true, "2 0, 7 100"},
    {5, 300, true, "2 0, 5 300"},
    {3, 300, true, "2 0, 3 300"},
    {0, 0, true, "0 0"},
};

START_TEST(new_epoch_drops_what_it_contradicts)
{
    assign_some();
    ck_assert_int_eq(epochs_assign(&epochs, assigned[_i].epoch, assigned[_i].offset),
                     assigned[_i].changed);
    expect(assigned[_i].entries);
}
END_TEST

static const struct {
    int64_t offset;
    int32_t epoch;
} places[] = {{-1, -1}, {0, 2}, {99, 2}, {100, 5}, {249, 5}, {250, 6}, {INT64_MAX, 6}};

START_TEST(offset_has_its_epoch)
{
    ck_assert_int_eq(epochs_at(&epochs, places[_i].offset), EPOCH_NONE);
    ck_assert_int_eq(epochs_latest(&epochs), EPOCH_NONE);
    assign_some();
    ck_assert_int_eq(epochs_at(&epochs, places[_i].offset), places[_i].epoch);
    ck_assert_int_eq(epochs_latest(&epochs), 6);
}
END_TEST

static const struct {
    int32_t asked;
    int32_t epoch;
    int64_t end_offset;
} ends[] = {
    {-1, -1, -1}, {0, 0, 0},   {1, 1, 0},   {2, 2, 100}, {3, 2, 100},
    {4, 2, 100},  {5, 5, 250}, {6, 6, 400}, {7, -1, -1}, {INT32_MAX, -1, -1},
};

START_TEST(epoch_has_its_end)
{
    int32_t epoch;
    int64_t end_offset;

    epochs_end(&epochs, ends[_i].asked, 400, &epoch, &end_offset);
    ck_assert_int_eq(epoch, -1);
    ck_assert_int_eq(end_offset, -1);
    assign_some();
    epochs_end(&epochs, ends[_i].asked, 400, &epoch, &end_offset);
    ck_assert_int_eq(epoch, ends[_i].epoch);
    ck_assert_int_eq(end_offset, ends[_i].end_offset);
}
END_TEST

static const struct {
    int64_t offset;
    const char *end;   /* the log was cut there */
    const char *start; /* the log begins there now */
} cuts[] = {
    {0, "", "2 0, 5 100, 6 250"},        {1, "2 0", "2 1, 5 100, 6 250"},
    {100, "2 0", "5 100, 6 250"},        {101, "2 0, 5 100", "5 101, 6 250"},
    {250, "2 0, 5 100", "6 250"},        {251, "2 0, 5 100, 6 250", "6 251"},
    {900, "2 0, 5 100, 6 250", "6 900"},
};

START_TEST(cut_log_forgets_epochs)
{
    assign_some();
    ck_assert_int_eq(epochs_truncate_end(&epochs, cuts[_i].offset),
                     strcmp(cuts[_i].end, "2 0, 5 100, 6 250") != 0);
    expect(cuts[_i].end);
    ck_assert(!epochs_truncate_end(&epochs, cuts[_i].offset));
}
END_TEST

START_TEST(trimmed_log_forgets_epochs)
{
    assign_some();
    ck_assert_int_eq(epochs_truncate_start(&epochs, cuts[_i].offset),
                     strcmp(cuts[_i].start, "2 0, 5 100, 6 250") != 0);
    expect(cuts[_i].start);
    ck_assert(!epochs_truncate_start(&epochs, cuts[_i].offset));
}
END_TEST

START_TEST(file_is_kafkas)
{
    static const char text[] = "0\n3\n2 0\n5 100\n6 250\n";
    uint8_t out[100];

    assign_some();
    ck_assert_uint_eq(epochs_encode(&epochs, NULL, 0), strlen(text));
    ck_assert_uint_eq(epochs_encode(&epochs, out, sizeof(out)), strlen(text));
    ck_assert_mem_eq(out, text, strlen(text));
    ck_assert_uint_eq(epochs_encode(&epochs, out, 3), strlen(text));
    epochs_free(&epochs);
    ck_assert_int_eq(epochs_decode(&epochs, span_text(text)), ERR_NONE);
    expect("2 0, 5 100, 6 250");
    epochs_free(&epochs);
    ck_assert_int_eq(epochs_decode(&epochs, SPAN("0\n0\n")), ERR_NONE);
    ck_assert_uint_eq(epochs.count, 0);
}
END_TEST

static const char *const damaged[] = {
    "",
    "0",
    "0\n",
    "0\n1",
    "1\n0\n",
    "0\n-1\n",
    "0\n1\n",
    "0\n1\n2 0",
    "0\n1\n2\n",
    "0\n1\n2 0 0\n",
    "0\n1\n2 0 \n",
    "0\n1\n2  0\n",
    "0\n1\n 2 0\n",
    "0\n1\n2 0\n\n",
    "0\n1\n2 0\n3 1\n",
    "0\n2\n2 0\n",
    "0\n2\n2 0\n2 1\n",
    "0\n2\n2 0\n1 1\n",
    "0\n2\n2 0\n3 0\n",
    "0\n1\n-1 0\n",
    "0\n1\n2 -1\n",
    "0\n1\n02 0\n",
    "0\n1\n2147483648 0\n",
    "0\n1\n2 9223372036854775808\n",
    "0\n1\r\n2 0\r\n",
    "0\n4294967296\n2 0\n",
};

START_TEST(damaged_file_is_refused)
{
    ck_assert_int_eq(epochs_decode(&epochs, span_text(damaged[_i])), ERR_MALFORMED);
    ck_assert_uint_eq(epochs.count, 0);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(epochs)
{
    TCase *tcase = tcase_create("epochs");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, new_epoch_drops_what_it_contradicts, 0, COUNT(assigned));
    tcase_add_loop_test(tcase, offset_has_its_epoch, 0, COUNT(places));
    tcase_add_loop_test(tcase, epoch_has_its_end, 0, COUNT(ends));
    tcase_add_loop_test(tcase, cut_log_forgets_epochs, 0, COUNT(cuts));
    tcase_add_loop_test(tcase, trimmed_log_forgets_epochs, 0, COUNT(cuts));
    tcase_add_test(tcase, file_is_kafkas);
    tcase_add_loop_test(tcase, damaged_file_is_refused, 0, COUNT(damaged));
    suite_add_tcase(suite, tcase);
}
