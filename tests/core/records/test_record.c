/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/record.h"

#include <signal.h>
#include <string.h>

#include "core/records/builder.h"
#include "core/records/varint.h"
#include "core/wire/error.h"
#include "tests/core/records/sample.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static const struct {
    int64_t value;
    size_t size;
} numbers[] = {
    {0, 1},
    {-1, 1},
    {63, 1},
    {-64, 1},
    {64, 2},
    {-65, 2},
    {8191, 2},
    {8192, 3},
    {INT32_MAX, 5},
    {INT32_MIN, 5},
    {INT64_C(1) << 33, 5},
    {INT64_C(1) << 34, 6},
    {INT64_MAX, 10},
    {INT64_MIN, 10},
};

START_TEST(numbers_come_back)
{
    const int64_t value = numbers[_i].value;
    uint8_t bytes[10];
    int64_t back = 0;
    int32_t small = 0;

    const uint8_t *end = varlong_write(bytes, value);
    ck_assert_uint_eq(end - bytes, numbers[_i].size);
    ck_assert_uint_eq(varlong_size(value), numbers[_i].size);
    ck_assert_ptr_eq(varlong_read(bytes, end, &back), end);
    ck_assert_int_eq(back, value);
    const bool fits = value >= INT32_MIN && value <= INT32_MAX;
    ck_assert_ptr_eq(varint_read(bytes, end, &small), fits ? end : NULL);
    ck_assert_int_eq(small, fits ? value : 0);
    for (const uint8_t *cut = bytes; cut < end; cut++)
        ck_assert_ptr_null(varlong_read(bytes, cut, &back));
}
END_TEST

START_TEST(records_come_back)
{
    static const char *const keys = "a-bc";
    struct sample sample;
    struct record_cursor cursor;
    struct record record;

    sample_batch(&sample, keys);
    batch_patch(sample.bytes, 1000, 0);
    ck_assert_int_eq(
        record_cursor_open(span_of(sample.bytes, sample.length), NULL, 0, NULL, &cursor), ERR_NONE);
    for (int i = 0; keys[i] != '\0'; i++) {
        ck_assert(record_next(&cursor, &record));
        ck_assert_int_eq(record.offset, 1000 + i);
        ck_assert_int_eq(record.timestamp_ms, SAMPLE_TIME_MS + i);
        ck_assert_int_eq(span_is_null(record.key), keys[i] == '-');
        if (keys[i] != '-')
            ck_assert(span_equal(record.key, span_of(&keys[i], 1)));
        ck_assert(span_equal(record.value, SPAN("value")));
        ck_assert_int_eq(record.headers_count, 0);
        ck_assert(!record_header_next(&record.headers, &record.key, &record.value));
    }
    ck_assert(!record_next(&cursor, &record));
    ck_assert_int_eq(cursor.error, ERR_NONE);
}
END_TEST

START_TEST(headers_come_back)
{
    static const char bytes[] = "\x22\0\0\0\1\1\6\2k\4vv\4kk\1\0\0";
    struct sample sample;
    struct record_cursor cursor;
    struct record record;
    struct span key;
    struct span value;

    sample_batch(&sample, "a");
    sample_records(&sample, bytes, sizeof(bytes) - 1);
    ck_assert_int_eq(
        record_cursor_open(span_of(sample.bytes, sample.length), NULL, 0, NULL, &cursor), ERR_NONE);
    ck_assert(record_next(&cursor, &record));
    ck_assert_int_eq(record.headers_count, 3);
    ck_assert(record_header_next(&record.headers, &key, &value));
    ck_assert(span_equal(key, SPAN("k")) && span_equal(value, SPAN("vv")));
    ck_assert(record_header_next(&record.headers, &key, &value));
    ck_assert(span_equal(key, SPAN("kk")) && span_is_null(value));
    ck_assert(record_header_next(&record.headers, &key, &value));
    ck_assert(span_equal(key, SPAN("")) && !span_is_null(value) && value.length == 0);
    ck_assert(!record_header_next(&record.headers, &key, &value));
}
END_TEST

START_TEST(compressed_records_are_opened)
{
    struct heap heap;
    struct memory memory;
    struct arena arena;
    struct sample sample;
    struct record_cursor cursor;
    struct record record;
    int calls;
    const struct codecs codecs = sample_codecs(&calls);

    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_REQUEST, 1000);
    sample_batch(&sample, "ab");
    sample_put(&sample, BATCH_AT_ATTRIBUTES, 2, CODEC_SNAPPY);
    const struct span batch = span_of(sample.bytes, sample.length);
    ck_assert_int_eq(record_cursor_open(batch, &codecs, 1000, &arena, &cursor), ERR_NONE);
    ck_assert_int_eq(calls, 1);
    ck_assert(record_next(&cursor, &record));
    ck_assert(span_equal(record.key, SPAN("a")));
    ck_assert_int_eq(record_cursor_open(batch, &codecs, 10, &arena, &cursor),
                     ERR_MESSAGE_TOO_LARGE);
    arena_reset(&arena);
}
END_TEST

/* What batch_next() lets pass may still hold no records: the walk ends with an error. */
static const struct {
    const char *what;
    const char *records;
    size_t length;
    int good; /* records before the fault */
} damaged[] = {
    {"nothing", "", 0, 0},
    {"one record of two", "\x0c\0\0\0\1\1\0", 7, 1},
    {"bytes behind", "\x0c\0\0\0\1\1\0\x0c\0\0\2\1\1\0\0", 15, 2},
    {"offset below 0", "\x0c\0\0\1\1\1\0\x0c\0\0\2\1\1\0", 14, 0},
    {"offset beyond the last", "\x0c\0\0\4\1\1\0\x0c\0\0\2\1\1\0", 14, 0},
};

START_TEST(damaged_records_end_the_walk)
{
    struct sample sample;
    struct record_cursor cursor;
    struct record record;
    int good = 0;

    sample_batch(&sample, "ab");
    sample_records(&sample, damaged[_i].records, damaged[_i].length);
    ck_assert_int_eq(
        record_cursor_open(span_of(sample.bytes, sample.length), NULL, 0, NULL, &cursor), ERR_NONE);
    while (record_next(&cursor, &record))
        good++;
    ck_assert_int_eq(cursor.error, ERR_CORRUPT_MESSAGE);
    ck_assert_int_eq(good, damaged[_i].good);
}
END_TEST

/* A compacted batch: fewer records than offsets. */
START_TEST(offsets_may_have_gaps)
{
    static const char bytes[] = "\x0c\0\0\2\1\1\0\x0c\0\0\x0a\1\1\0";
    struct sample sample;
    struct record_cursor cursor;
    struct record record;

    sample_batch(&sample, "ab");
    sample_records(&sample, bytes, sizeof(bytes) - 1);
    sample_put(&sample, BATCH_AT_LAST_OFFSET_DELTA, 4, 9);
    ck_assert_int_eq(
        record_cursor_open(span_of(sample.bytes, sample.length), NULL, 0, NULL, &cursor), ERR_NONE);
    ck_assert(record_next(&cursor, &record));
    ck_assert_int_eq(record.offset, 1);
    ck_assert(record_next(&cursor, &record));
    ck_assert_int_eq(record.offset, 5);
    ck_assert(!record_next(&cursor, &record));
    ck_assert_int_eq(cursor.error, ERR_NONE);
}
END_TEST

/* What the builder says a record takes is what it takes, around lengths that grow a number. */
START_TEST(sizes_are_known_before)
{
    static uint8_t out[40000];
    static uint8_t text[17000];
    static const size_t lengths[] = {0, 1, 56, 57, 58, 63, 64, 8178, 8179, 8185, 8191, 8192, 16500};
    static const int64_t deltas_ms[] = {0, -1, 63, 64, 100000, INT64_C(1) << 40};
    struct batch_builder builder;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t j = 0; j < sizeof(deltas_ms) / sizeof(deltas_ms[0]); j++) {
            const struct span value = span_of(text, lengths[i]);
            const size_t size = BATCH_HEADER_BYTES + batch_record_size(0, 0, SPAN_NULL, value) +
                                batch_record_size(1, deltas_ms[j], value, SPAN_NULL);
            batch_builder_start(&builder, out, size, SAMPLE_TIME_MS, false);
            batch_builder_add(&builder, SAMPLE_TIME_MS, SPAN_NULL, value);
            batch_builder_add(&builder, SAMPLE_TIME_MS + deltas_ms[j], value, SPAN_NULL);
            ck_assert_uint_eq(batch_builder_finish(&builder), size);
            struct span batch;
            struct batch_info info;
            ck_assert_int_eq(batch_next(span_of(out, size), size, BATCH_CHECK_CRC, &batch, &info),
                             BATCH_FOUND);
            ck_assert_int_eq(info.max_timestamp_ms,
                             SAMPLE_TIME_MS + (deltas_ms[j] < 0 ? 0 : deltas_ms[j]));
        }
    }
}
END_TEST

START_TEST(control_batch_says_so)
{
    uint8_t out[200];
    struct batch_builder builder;
    struct batch_info info;

    batch_builder_start(&builder, out, sizeof(out), SAMPLE_TIME_MS, true);
    batch_builder_add(&builder, SAMPLE_TIME_MS, SPAN("\0\0\0\1"), SPAN(""));
    batch_builder_finish(&builder);
    batch_info_read(out, &info);
    ck_assert(batch_is_control(&info));
    ck_assert(!batch_has_producer(&info));
}
END_TEST

START_TEST(builder_without_room_aborts)
{
    uint8_t out[BATCH_HEADER_BYTES + 10];
    struct batch_builder builder;

    batch_builder_start(&builder, out, sizeof(out), SAMPLE_TIME_MS, false);
    batch_builder_add(&builder, SAMPLE_TIME_MS, SPAN_NULL, SPAN("12345"));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(record)
{
    TCase *tcase = tcase_create("record");
    tcase_add_loop_test(tcase, numbers_come_back, 0, COUNT(numbers));
    tcase_add_test(tcase, records_come_back);
    tcase_add_test(tcase, headers_come_back);
    tcase_add_test(tcase, compressed_records_are_opened);
    tcase_add_loop_test(tcase, damaged_records_end_the_walk, 0, COUNT(damaged));
    tcase_add_test(tcase, offsets_may_have_gaps);
    tcase_add_test(tcase, sizes_are_known_before);
    tcase_add_test(tcase, control_batch_says_so);
    tcase_add_test_raise_signal(tcase, builder_without_room_aborts, SIGABRT);
    suite_add_tcase(suite, tcase);
}
