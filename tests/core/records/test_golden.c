/* SPDX-License-Identifier: Apache-2.0 */
/* Batches that Kafka's own client has written. */
#include <string.h>

#include "core/records/batch.h"
#include "core/records/builder.h"
#include "core/records/record.h"
#include "core/records/validate.h"
#include "core/wire/error.h"
#include "tests/support/golden.h"
#include "tests/support/runner.h"

#define GOLDEN_BYTES_MAX 5000

static struct batch_rules rules = {
    .max_message_bytes = GOLDEN_BYTES_MAX,
    .produce_version = 13,
    .wall_ms = INT64_C(1700000000000),
    .timestamp_before_max_ms = INT64_MAX,
    .timestamp_after_max_ms = INT64_C(3600000),
};

static const struct {
    const char *name;
    enum codec codec;
} batches[] = {
    {"records/none.batch", CODEC_NONE},     {"records/gzip.batch", CODEC_GZIP},
    {"records/snappy.batch", CODEC_SNAPPY}, {"records/lz4.batch", CODEC_LZ4},
    {"records/zstd.batch", CODEC_ZSTD},
};

START_TEST(clients_batches_pass)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const size_t length = golden_read(batches[_i].name, bytes, sizeof(bytes));
    struct batch_info info;
    struct batch_fault fault;
    struct span batch;

    ck_assert_int_eq(batch_validate(bytes, length, &rules, &info, &fault), ERR_NONE);
    ck_assert_int_eq(batch_codec(&info), batches[_i].codec);
    ck_assert_int_eq(info.record_count, 20);
    ck_assert_int_eq(info.producer_id, 4711);
    ck_assert_int_eq(info.producer_epoch, 3);
    ck_assert_int_eq(info.base_sequence, 10);
    ck_assert_int_eq(batch_last_sequence(&info), 29);
    ck_assert_int_eq(info.base_timestamp_ms, INT64_C(1700000000000));
    ck_assert_int_eq(info.max_timestamp_ms, INT64_C(1700000000000) + 7 * 19);
    ck_assert_int_eq(info.leader_epoch, -1);
    ck_assert_int_eq(batch_next(span_of(bytes, length), length, BATCH_CHECK_CRC, &batch, NULL),
                     BATCH_FOUND);
}
END_TEST

START_TEST(clients_records_are_read)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const size_t length = golden_read("records/none.batch", bytes, sizeof(bytes));
    struct record_cursor cursor;
    struct record record;
    struct span key;
    struct span value;
    int headers = 0;
    int count = 0;

    ck_assert_int_eq(record_cursor_open(span_of(bytes, length), NULL, 0, NULL, &cursor), ERR_NONE);
    while (record_next(&cursor, &record)) {
        ck_assert_int_eq(record.offset, count);
        ck_assert_int_eq(record.timestamp_ms, INT64_C(1700000000000) + 7 * count);
        ck_assert_int_eq(span_is_null(record.key), count % 4 == 3);
        ck_assert_int_eq(span_is_null(record.value), count == 5);
        ck_assert_int_eq(record.headers_count, count % 3 == 0 ? 2 : 0);
        while (record_header_next(&record.headers, &key, &value)) {
            ck_assert(span_equal(key, headers % 2 == 0 ? SPAN("h") : SPAN("n")));
            ck_assert_int_eq(span_is_null(value), headers % 2 == 1);
            headers++;
        }
        count++;
    }
    ck_assert_int_eq(cursor.error, ERR_NONE);
    ck_assert_int_eq(count, 20);
    ck_assert_int_eq(headers, 14);
}
END_TEST

START_TEST(marker_is_refused_from_clients_and_read_in_logs)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const size_t length = golden_read("records/commit.batch", bytes, sizeof(bytes));
    struct batch_info info;
    struct batch_fault fault;
    struct span batch;

    ck_assert_int_eq(batch_next(span_of(bytes, length), length, BATCH_CHECK_CRC, &batch, &info),
                     BATCH_FOUND);
    ck_assert(batch_is_control(&info) && batch_is_transactional(&info));
    ck_assert_int_eq(info.base_offset, 42);
    ck_assert_int_eq(info.leader_epoch, 5);
    ck_assert_int_eq(batch_last_sequence(&info), BATCH_NO_SEQUENCE);
    batch_patch(bytes, 0, -1);
    ck_assert_int_eq(batch_validate(bytes, length, &rules, &info, &fault), ERR_INVALID_RECORD);
}
END_TEST

START_TEST(old_message_format_is_refused)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const size_t length = golden_read("records/version1.batch", bytes, sizeof(bytes));
    struct batch_info info;
    struct batch_fault fault;

    ck_assert_int_eq(batch_validate(bytes, length, &rules, &info, &fault), ERR_INVALID_RECORD);
}
END_TEST

/* What we build from the same records is the client's batch, byte for byte. */
START_TEST(builder_writes_what_the_client_writes)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    uint8_t built[GOLDEN_BYTES_MAX];
    const size_t length = golden_read("records/commit.batch", bytes, sizeof(bytes));
    struct batch_builder builder;
    struct record_cursor cursor;
    struct record record;

    ck_assert_int_eq(record_cursor_open(span_of(bytes, length), NULL, 0, NULL, &cursor), ERR_NONE);
    ck_assert(record_next(&cursor, &record));
    batch_builder_start(&builder, built, sizeof(built), record.timestamp_ms, true);
    batch_builder_add(&builder, record.timestamp_ms, record.key, record.value);
    ck_assert_uint_eq(batch_builder_finish(&builder), length);
    batch_patch(built, 42, 5);
    /* Ours has no producer, and is no transaction's. */
    memcpy(built + BATCH_AT_PRODUCER_ID, bytes + BATCH_AT_PRODUCER_ID, 14);
    memcpy(built + BATCH_AT_ATTRIBUTES, bytes + BATCH_AT_ATTRIBUTES, 2);
    put_be32(built + BATCH_AT_CRC, batch_checksum(built, length));
    ck_assert_mem_eq(built, bytes, length);
}
END_TEST

SUITE(golden)
{
    TCase *tcase = tcase_create("golden");
    tcase_add_loop_test(tcase, clients_batches_pass, 0, sizeof(batches) / sizeof(batches[0]));
    tcase_add_test(tcase, clients_records_are_read);
    tcase_add_test(tcase, marker_is_refused_from_clients_and_read_in_logs);
    tcase_add_test(tcase, old_message_format_is_refused);
    tcase_add_test(tcase, builder_writes_what_the_client_writes);
    suite_add_tcase(suite, tcase);
}
