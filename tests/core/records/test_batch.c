/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/batch.h"

#include <string.h>

#include "core/records/record.h"
#include "core/wire/error.h"
#include "tests/core/records/sample.h"
#include "tests/support/runner.h"

START_TEST(patch_leaves_the_checksum_alone)
{
    struct sample sample;
    struct batch_info info;

    sample_batch(&sample, "ab");
    batch_patch(sample.bytes, INT64_C(0x0123456789abcdef), 0x1234567);
    batch_info_read(sample.bytes, &info);
    ck_assert_int_eq(info.base_offset, INT64_C(0x0123456789abcdef));
    ck_assert_int_eq(info.leader_epoch, 0x1234567);
    ck_assert_int_eq(batch_last_offset(&info), INT64_C(0x0123456789abcdef) + 1);
    ck_assert_uint_eq(batch_checksum(sample.bytes, sample.length), info.crc);
}
END_TEST

START_TEST(log_append_time_is_summed_anew)
{
    struct sample sample;
    struct batch_info info;
    struct record_cursor cursor;
    struct record record;

    sample_batch(&sample, "ab");
    batch_set_log_append_time(sample.bytes, sample.length, 4711);
    batch_info_read(sample.bytes, &info);
    ck_assert_int_eq(info.attributes, BATCH_LOG_APPEND_TIME);
    ck_assert_int_eq(info.max_timestamp_ms, 4711);
    ck_assert_uint_eq(batch_checksum(sample.bytes, sample.length), info.crc);
    ck_assert_int_eq(
        record_cursor_open(span_of(sample.bytes, sample.length), NULL, 0, NULL, &cursor), ERR_NONE);
    while (record_next(&cursor, &record))
        ck_assert_int_eq(record.timestamp_ms, 4711);
    ck_assert_int_eq(cursor.error, ERR_NONE);
}
END_TEST

static const struct {
    int32_t base_sequence;
    int32_t last_offset_delta;
    int32_t last_sequence;
} sequences[] = {
    {0, 0, 0},         {10, 4, 14},           {INT32_MAX, 0, INT32_MAX},
    {INT32_MAX, 1, 0}, {INT32_MAX - 2, 5, 2}, {-1, 3, -1},
};

START_TEST(sequences_wrap)
{
    const struct batch_info info = {
        .base_sequence = sequences[_i].base_sequence,
        .last_offset_delta = sequences[_i].last_offset_delta,
    };

    ck_assert_int_eq(batch_last_sequence(&info), sequences[_i].last_sequence);
}
END_TEST

/* Three batches in a row are found one after another, through windows of every size. */
START_TEST(batches_are_found_in_a_row)
{
    uint8_t file[3 * SAMPLE_BYTES_MAX];
    struct sample sample;
    size_t ends[3];
    size_t length = 0;

    for (int i = 0; i < 3; i++) {
        sample_batch(&sample, i == 0 ? "a" : i == 1 ? "bcd" : "ef");
        batch_patch(sample.bytes, 10 * i, 0);
        memcpy(file + length, sample.bytes, sample.length);
        length += sample.length;
        ends[i] = length;
    }
    for (size_t window_size = 0; window_size <= length; window_size++) {
        size_t at = 0;
        size_t window = window_size;
        int found = 0;
        while (at < length) {
            struct span batch;
            struct batch_info info;
            const size_t rest = length - at;
            const enum batch_found result =
                batch_next(span_of(file + at, window < rest ? window : rest), rest, BATCH_CHECK_CRC,
                           &batch, &info);
            if (result == BATCH_NEEDS_MORE) {
                ck_assert_uint_gt(batch.length, window);
                ck_assert_uint_le(batch.length, rest);
                window = batch.length;
                continue;
            }
            ck_assert_int_eq(result, BATCH_FOUND);
            ck_assert_int_eq(info.base_offset, 10 * found);
            at += batch.length;
            ck_assert_uint_eq(at, ends[found]);
            found++;
            window = window_size;
        }
        ck_assert_int_eq(found, 3);
    }
}
END_TEST

START_TEST(header_is_enough_when_asked)
{
    struct sample sample;
    struct span batch;

    sample_batch(&sample, "abc");
    sample.bytes[BATCH_AT_CRC] ^= 1;
    const struct span window = span_of(sample.bytes, BATCH_HEADER_BYTES);
    ck_assert_int_eq(batch_next(window, sample.length, BATCH_CHECK_HEADER, &batch, NULL),
                     BATCH_FOUND);
    ck_assert_uint_eq(batch.length, sample.length);
    ck_assert_int_eq(batch_next(window, sample.length, BATCH_CHECK_CRC, &batch, NULL),
                     BATCH_NEEDS_MORE);
    ck_assert_int_eq(batch_next(span_of(sample.bytes, sample.length), sample.length,
                                BATCH_CHECK_CRC, &batch, NULL),
                     BATCH_CORRUPT);
}
END_TEST

START_TEST(file_that_ends_inside_a_batch_is_torn)
{
    struct sample sample;
    struct span batch;

    sample_batch(&sample, "abc");
    ck_assert_int_eq(batch_next(SPAN_NULL, 0, BATCH_CHECK_CRC, &batch, NULL), BATCH_END);
    for (size_t length = 1; length < sample.length; length++)
        ck_assert_int_eq(
            batch_next(span_of(sample.bytes, length), length, BATCH_CHECK_CRC, &batch, NULL),
            BATCH_TORN);
}
END_TEST

static const struct {
    const char *what;
    size_t at;
    size_t size;
    int64_t value;
    enum batch_found found;
} headers[] = {
    {"good", BATCH_AT_LEADER_EPOCH, 4, 3, BATCH_FOUND},
    {"compaction left no record", BATCH_AT_RECORD_COUNT, 4, 0, BATCH_FOUND},
    {"compaction left some records", BATCH_AT_LAST_OFFSET_DELTA, 4, 100, BATCH_FOUND},
    {"magic", BATCH_AT_MAGIC, 1, 1, BATCH_CORRUPT},
    {"base offset below 0", BATCH_AT_BASE_OFFSET, 8, -1, BATCH_CORRUPT},
    {"offsets beyond 64 bits", BATCH_AT_BASE_OFFSET, 8, INT64_MAX, BATCH_CORRUPT},
    {"last offset below 0", BATCH_AT_LAST_OFFSET_DELTA, 4, -1, BATCH_CORRUPT},
    {"more records than offsets", BATCH_AT_LAST_OFFSET_DELTA, 4, 1, BATCH_CORRUPT},
    {"count below 0", BATCH_AT_RECORD_COUNT, 4, -1, BATCH_CORRUPT},
    {"codec", BATCH_AT_ATTRIBUTES, 2, 6, BATCH_CORRUPT},
    {"length 0", BATCH_AT_LENGTH, 4, 0, BATCH_CORRUPT},
    {"length of no header", BATCH_AT_LENGTH, 4, 48, BATCH_CORRUPT},
    {"length below 0", BATCH_AT_LENGTH, 4, -1, BATCH_CORRUPT},
    {"length beyond the file", BATCH_AT_LENGTH, 4, INT32_MAX, BATCH_TORN},
};

START_TEST(headers_are_sane)
{
    struct sample sample;
    struct span batch;

    sample_batch(&sample, "abc");
    sample_put(&sample, headers[_i].at, headers[_i].size, headers[_i].value);
    for (int check = BATCH_CHECK_HEADER; check <= BATCH_CHECK_CRC; check++)
        ck_assert_msg(batch_next(span_of(sample.bytes, sample.length), sample.length,
                                 (enum batch_check)check, &batch, NULL) == headers[_i].found,
                      "%s", headers[_i].what);
}
END_TEST

START_TEST(zeros_are_torn_not_corrupt)
{
    const uint8_t zeros[1000] = {0};
    struct span batch;

    ck_assert_int_eq(
        batch_next(span_of(zeros, sizeof(zeros)), sizeof(zeros), BATCH_CHECK_HEADER, &batch, NULL),
        BATCH_TORN);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(batch)
{
    TCase *tcase = tcase_create("batch");
    tcase_add_test(tcase, patch_leaves_the_checksum_alone);
    tcase_add_test(tcase, log_append_time_is_summed_anew);
    tcase_add_loop_test(tcase, sequences_wrap, 0, COUNT(sequences));
    tcase_add_test(tcase, batches_are_found_in_a_row);
    tcase_add_test(tcase, header_is_enough_when_asked);
    tcase_add_test(tcase, file_that_ends_inside_a_batch_is_torn);
    tcase_add_loop_test(tcase, headers_are_sane, 0, COUNT(headers));
    tcase_add_test(tcase, zeros_are_torn_not_corrupt);
    suite_add_tcase(suite, tcase);
}
