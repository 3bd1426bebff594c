/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/index.h"

#include <string.h>

#include "core/base/endian.h"
#include "core/wire/error.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define BASE        INT64_C(5000000000) /* beyond 32 bits */
#define BATCH_BYTES 1000

static struct heap heap;
static struct memory memory;
static struct index sparse;
static struct index_settings settings;
static uint32_t position;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    index_init(&sparse, &memory, BASE);
    settings = (struct index_settings){.interval_bytes = 2500, .limit_bytes = 1 << 20};
    position = 0;
}

static void tear_down(void)
{
    index_free(&sparse);
    ck_assert_uint_eq(heap.blocks, 0);
}

static struct batch_info batch_of(int64_t relative_offset, int64_t timestamp_ms)
{
    return (struct batch_info){
        .base_offset = BASE + relative_offset,
        .last_offset_delta = 9,
        .record_count = 10,
        .size_bytes = BATCH_BYTES,
        .max_timestamp_ms = timestamp_ms,
    };
}

static void append(int64_t relative_offset, int64_t timestamp_ms)
{
    const struct batch_info info = batch_of(relative_offset, timestamp_ms);

    index_append(&sparse, &settings, &info, position);
    position += info.size_bytes;
}

/* Ten batches of ten records: entries at the 4th, 7th and 10th batch. */
static void append_ten(void)
{
    for (int64_t i = 0; i < 10; i++)
        append(10 * i, 100 + i);
}

START_TEST(entry_is_made_beyond_the_interval)
{
    append_ten();
    ck_assert_uint_eq(sparse.offsets.count, 3);
    ck_assert_uint_eq(sparse.times.count, 3);
    const struct span bytes = index_offset_bytes(&sparse);
    ck_assert_uint_eq(bytes.length, 24);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(get_be32(bytes.data + 8 * i), 39 + 30 * i);
        ck_assert_uint_eq(get_be32(bytes.data + 8 * i + 4), 3000 + 3000 * i);
    }
    const struct span times = index_time_bytes(&sparse);
    ck_assert_uint_eq(times.length, 36);
    ck_assert_uint_eq(get_be64(times.data), 103);
    ck_assert_uint_eq(get_be32(times.data + 8), 39);
}
END_TEST

START_TEST(entry_is_not_made_at_the_interval)
{
    settings.interval_bytes = 3 * BATCH_BYTES;
    for (int64_t i = 0; i < 4; i++)
        append(10 * i, 100 + i);
    ck_assert_uint_eq(sparse.offsets.count, 0);
    append(40, 104);
    ck_assert_uint_eq(sparse.offsets.count, 1);
}
END_TEST

static const struct {
    int64_t offset; /* relative */
    uint32_t position;
} places[] = {
    {-1, 0},    {0, 0},     {38, 0},    {39, 3000},  {40, 3000},        {68, 3000},
    {69, 6000}, {98, 6000}, {99, 9000}, {100, 9000}, {INT32_MAX, 9000},
};

START_TEST(offset_has_a_position_at_or_before_it)
{
    ck_assert_uint_eq(index_position(&sparse, BASE + places[_i].offset), 0);
    append_ten();
    ck_assert_uint_eq(index_position(&sparse, BASE + places[_i].offset), places[_i].position);
}
END_TEST

static const struct {
    int64_t timestamp_ms;
    int64_t offset; /* relative */
} times[] = {
    {INT64_MIN, 0}, {100, 0},  {103, 0},  {104, 39},       {106, 39},
    {107, 69},      {109, 69}, {110, 99}, {INT64_MAX, 99},
};

START_TEST(time_has_an_offset_before_it)
{
    ck_assert_int_eq(index_offset_by_time(&sparse, times[_i].timestamp_ms), BASE);
    append_ten();
    ck_assert_int_eq(index_offset_by_time(&sparse, times[_i].timestamp_ms),
                     BASE + times[_i].offset);
}
END_TEST

START_TEST(times_in_the_file_rise)
{
    const int64_t at[] = {50, 40, 30, 20, 60, 60, 60, 10, 10, 10, 10, 10, 70};

    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        append(10 * (int64_t)i, at[i]);
    ck_assert_uint_eq(sparse.offsets.count, 4);
    /* 50 of the first batch, 60 of the fifth, nothing new, 70 of the last. */
    ck_assert_uint_eq(sparse.times.count, 3);
    const struct span bytes = index_time_bytes(&sparse);
    ck_assert_uint_eq(get_be64(bytes.data), 50);
    ck_assert_uint_eq(get_be32(bytes.data + 8), 9);
    ck_assert_uint_eq(get_be64(bytes.data + 12), 60);
    ck_assert_uint_eq(get_be32(bytes.data + 20), 49);
    ck_assert_uint_eq(get_be64(bytes.data + 24), 70);
    ck_assert_uint_eq(get_be32(bytes.data + 32), 129);
    ck_assert_int_eq(sparse.max_timestamp_ms, 70);
}
END_TEST

START_TEST(latest_time_is_entered_at_the_end)
{
    append(0, 100);
    append(10, 200);
    append(20, 150);
    ck_assert_uint_eq(sparse.times.count, 0);
    index_finish(&sparse);
    index_finish(&sparse);
    ck_assert_uint_eq(sparse.times.count, 1);
    const struct span bytes = index_time_bytes(&sparse);
    ck_assert_uint_eq(get_be64(bytes.data), 200);
    ck_assert_uint_eq(get_be32(bytes.data + 8), 19);
}
END_TEST

START_TEST(batches_without_time_have_no_entry)
{
    for (int64_t i = 0; i < 10; i++)
        append(10 * i, BATCH_NO_TIMESTAMP);
    index_finish(&sparse);
    ck_assert_uint_eq(sparse.offsets.count, 3);
    ck_assert_uint_eq(sparse.times.count, 0);
}
END_TEST

static const struct {
    uint64_t limit_bytes;
    uint32_t entries; /* until it is full */
} limits[] = {{0, 0}, {7, 0}, {23, 0}, {24, 1}, {35, 1}, {36, 2}, {48, 3}};

START_TEST(files_end_at_their_limit)
{
    settings.limit_bytes = limits[_i].limit_bytes;
    for (int64_t i = 0; i < 30; i++) {
        ck_assert_int_eq(index_is_full(&sparse, &settings),
                         sparse.offsets.count == limits[_i].entries);
        append(10 * i, 100 + i);
    }
    ck_assert_uint_eq(sparse.offsets.count, limits[_i].entries);
    if (limits[_i].entries > 0) {
        index_finish(&sparse);
        ck_assert_uint_le(index_time_bytes(&sparse).length, limits[_i].limit_bytes);
        ck_assert_uint_eq(sparse.times.count, limits[_i].entries + 1);
    }
}
END_TEST

START_TEST(truncation_drops_entries)
{
    append_ten();
    index_truncate(&sparse, BASE + 69);
    ck_assert_uint_eq(sparse.offsets.count, 1);
    ck_assert_uint_eq(sparse.times.count, 1);
    ck_assert_int_eq(sparse.max_timestamp_ms, 103);
    const struct batch_info found = batch_of(40, 104);
    index_note_time(&sparse, &found);
    ck_assert_int_eq(sparse.max_timestamp_ms, 104);
    ck_assert_int_eq(sparse.max_timestamp_offset, BASE + 49);
    index_truncate(&sparse, BASE);
    ck_assert_uint_eq(sparse.offsets.count, 0);
    ck_assert_int_eq(sparse.max_timestamp_ms, BATCH_NO_TIMESTAMP);
}
END_TEST

START_TEST(files_come_back)
{
    uint8_t offset_file[1000] = {0};
    uint8_t time_file[1200] = {0};
    struct index loaded;

    append_ten();
    const struct span offset_bytes = index_offset_bytes(&sparse);
    const struct span time_bytes = index_time_bytes(&sparse);
    memcpy(offset_file, offset_bytes.data, offset_bytes.length);
    memcpy(time_file, time_bytes.data, time_bytes.length);
    for (int zeros = 0; zeros < 2; zeros++) {
        index_init(&loaded, &memory, BASE);
        ck_assert_int_eq(
            index_load(&loaded,
                       span_of(offset_file, zeros ? sizeof(offset_file) : offset_bytes.length),
                       span_of(time_file, zeros ? sizeof(time_file) : time_bytes.length), 10000),
            ERR_NONE);
        ck_assert(span_equal(index_offset_bytes(&loaded), offset_bytes));
        ck_assert(span_equal(index_time_bytes(&loaded), time_bytes));
        ck_assert_int_eq(loaded.max_timestamp_ms, 109);
        ck_assert_int_eq(loaded.max_timestamp_offset, BASE + 99);
        index_free(&loaded);
    }
    index_init(&loaded, &memory, BASE);
    ck_assert_int_eq(index_load(&loaded, SPAN_NULL, SPAN_NULL, 0), ERR_NONE);
    index_free(&loaded);
}
END_TEST

#define OFFSETS(bytes)                              \
    {                                               \
        (const uint8_t *)(bytes), sizeof(bytes) - 1 \
    }

static const struct {
    const char *what;
    struct span offsets;
    struct span times;
} damaged[] = {
    {"half an offset entry", OFFSETS("\0\0\0\1\0\0\0"), {NULL, 0}},
    {"half a time entry", {NULL, 0}, OFFSETS("\0\0\0\0\0\0\0\1\0\0\0")},
    {"position beyond the segment", OFFSETS("\0\0\0\1\0\0\x10\0"), {NULL, 0}},
    {"offset below 0", OFFSETS("\x80\0\0\1\0\0\0\1"), {NULL, 0}},
    {"offset twice", OFFSETS("\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\2"), {NULL, 0}},
    {"position twice", OFFSETS("\0\0\0\1\0\0\0\1\0\0\0\2\0\0\0\1"), {NULL, 0}},
    {"a zero between", OFFSETS("\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\2"), {NULL, 0}},
    {"time below 0", {NULL, 0}, OFFSETS("\xff\0\0\0\0\0\0\1\0\0\0\1")},
    {"time twice", {NULL, 0}, OFFSETS("\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\2")},
    {"offset of a time twice",
     {NULL, 0},
     OFFSETS("\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\1")},
    {"offset of a time below 0", {NULL, 0}, OFFSETS("\0\0\0\0\0\0\0\1\x80\0\0\1")},
};

START_TEST(damaged_index_is_refused)
{
    ck_assert_msg(index_load(&sparse, damaged[_i].offsets, damaged[_i].times, 4096) ==
                      ERR_MALFORMED,
                  "%s", damaged[_i].what);
    ck_assert_uint_eq(sparse.offsets.count, 0);
    ck_assert_uint_eq(sparse.times.count, 0);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(index)
{
    TCase *tcase = tcase_create("index");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, entry_is_made_beyond_the_interval);
    tcase_add_test(tcase, entry_is_not_made_at_the_interval);
    tcase_add_loop_test(tcase, offset_has_a_position_at_or_before_it, 0, COUNT(places));
    tcase_add_loop_test(tcase, time_has_an_offset_before_it, 0, COUNT(times));
    tcase_add_test(tcase, times_in_the_file_rise);
    tcase_add_test(tcase, latest_time_is_entered_at_the_end);
    tcase_add_test(tcase, batches_without_time_have_no_entry);
    tcase_add_loop_test(tcase, files_end_at_their_limit, 0, COUNT(limits));
    tcase_add_test(tcase, truncation_drops_entries);
    tcase_add_test(tcase, files_come_back);
    tcase_add_loop_test(tcase, damaged_index_is_refused, 0, COUNT(damaged));
    suite_add_tcase(suite, tcase);
}
