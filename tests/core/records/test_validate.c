/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/validate.h"

#include <string.h>

#include "core/records/record.h"
#include "core/wire/error.h"
#include "tests/core/records/sample.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define HOUR_MS     INT64_C(3600000)
#define NO_RECORD   (-1)
#define ARENA_BYTES (1u << 20)

static struct heap heap;
static struct memory memory;
static struct arena arena;
static struct codecs codecs;
static int codec_calls;
static struct batch_rules rules;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_REQUEST, ARENA_BYTES);
    codecs = sample_codecs(&codec_calls);
    rules = (struct batch_rules){
        .max_message_bytes = SAMPLE_BYTES_MAX,
        .produce_version = 9,
        .wall_ms = SAMPLE_TIME_MS,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = HOUR_MS,
        .codecs = &codecs,
        .arena = &arena,
    };
}

static void tear_down(void)
{
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

/* Validates; a refusal leaves the info alone and tells why, exactly once. */
static int validate(struct sample *sample, struct batch_info *ret_info,
                    struct batch_fault *ret_fault)
{
    const struct batch_info untouched = {.producer_id = 4711};
    struct batch_info info = untouched;
    struct batch_fault fault = {.message = NULL};

    const int error = batch_validate(sample->bytes, sample->length, &rules, &info, &fault);
    ck_assert_int_eq(error == ERR_NONE, fault.message == NULL);
    if (error != ERR_NONE)
        ck_assert_mem_eq(&info, &untouched, sizeof(info));
    *ret_info = info;
    *ret_fault = fault;
    return error;
}

START_TEST(good_batch_passes_untouched)
{
    struct sample sample;
    struct sample before;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "ab-");
    before = sample;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
    ck_assert_mem_eq(&sample.bytes, &before.bytes, sample.length);
    ck_assert_uint_eq(info.size_bytes, sample.length);
    ck_assert_int_eq(info.record_count, 3);
    ck_assert_int_eq(info.max_timestamp_ms, SAMPLE_TIME_MS + 2);
    ck_assert_int_eq(info.producer_id, -1);
}
END_TEST

static const struct {
    const char *what;
    size_t at;
    size_t size;
    int64_t value;
    int error;
} fields[] = {
    {"base offset not 0", BATCH_AT_BASE_OFFSET, 8, 1, ERR_INVALID_RECORD},
    {"base offset below 0", BATCH_AT_BASE_OFFSET, 8, -1, ERR_INVALID_RECORD},
    {"length 0", BATCH_AT_LENGTH, 4, 0, ERR_CORRUPT_MESSAGE},
    {"length below 0", BATCH_AT_LENGTH, 4, -1, ERR_CORRUPT_MESSAGE},
    {"length of no header", BATCH_AT_LENGTH, 4, 48, ERR_CORRUPT_MESSAGE},
    {"length beyond the bytes", BATCH_AT_LENGTH, 4, 1 << 20, ERR_INVALID_RECORD},
    {"magic 0", BATCH_AT_MAGIC, 1, 0, ERR_INVALID_RECORD},
    {"magic 1", BATCH_AT_MAGIC, 1, 1, ERR_INVALID_RECORD},
    {"magic 3", BATCH_AT_MAGIC, 1, 3, ERR_INVALID_RECORD},
    {"leader epoch does not matter", BATCH_AT_LEADER_EPOCH, 4, 77, ERR_NONE},
    {"codec 5", BATCH_AT_ATTRIBUTES, 2, 5, ERR_UNSUPPORTED_COMPRESSION_TYPE},
    {"codec 7", BATCH_AT_ATTRIBUTES, 2, 7, ERR_UNSUPPORTED_COMPRESSION_TYPE},
    {"log append time", BATCH_AT_ATTRIBUTES, 2, BATCH_LOG_APPEND_TIME, ERR_INVALID_TIMESTAMP},
    {"transactional", BATCH_AT_ATTRIBUTES, 2, BATCH_TRANSACTIONAL, ERR_INVALID_TXN_STATE},
    {"control", BATCH_AT_ATTRIBUTES, 2, BATCH_CONTROL, ERR_INVALID_RECORD},
    {"transactional control", BATCH_AT_ATTRIBUTES, 2, BATCH_CONTROL | BATCH_TRANSACTIONAL,
     ERR_INVALID_RECORD},
    {"last offset beyond the count", BATCH_AT_LAST_OFFSET_DELTA, 4, 3, ERR_INVALID_RECORD},
    {"last offset before the count", BATCH_AT_LAST_OFFSET_DELTA, 4, 1, ERR_INVALID_RECORD},
    {"last offset below 0", BATCH_AT_LAST_OFFSET_DELTA, 4, -1, ERR_INVALID_RECORD},
    {"no records", BATCH_AT_RECORD_COUNT, 4, 0, ERR_INVALID_RECORD},
    {"count below 0", BATCH_AT_RECORD_COUNT, 4, -1, ERR_INVALID_RECORD},
    {"count of another batch", BATCH_AT_RECORD_COUNT, 4, 4, ERR_INVALID_RECORD},
    {"producer without sequence", BATCH_AT_PRODUCER_ID, 8, 5, ERR_INVALID_RECORD},
    {"latest time beyond 64 bits", BATCH_AT_BASE_TIMESTAMP, 8, INT64_MAX, ERR_INVALID_TIMESTAMP},
};

START_TEST(header_is_judged)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    sample_put(&sample, fields[_i].at, fields[_i].size, fields[_i].value);
    const int error = validate(&sample, &info, &fault);
    ck_assert_msg(error == fields[_i].error, "%s: %s", fields[_i].what, error_name(error));
    ck_assert_uint_eq(fault.records_count, 0);
}
END_TEST

static const struct {
    int32_t count;
    int32_t last_offset_delta;
} counts[] = {{0, -1}, {-1, -2}, {INT32_MIN, INT32_MAX}, {INT32_MAX, INT32_MAX - 1}};

START_TEST(count_is_that_of_the_records)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    sample_put(&sample, BATCH_AT_RECORD_COUNT, 4, counts[_i].count);
    sample_put(&sample, BATCH_AT_LAST_OFFSET_DELTA, 4, counts[_i].last_offset_delta);
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_INVALID_RECORD);
    /* Of compressed records the header is all that is looked at. */
    sample_put(&sample, BATCH_AT_ATTRIBUTES, 2, CODEC_LZ4);
    ck_assert_int_eq(validate(&sample, &info, &fault),
                     counts[_i].count <= 0 ? ERR_INVALID_RECORD : ERR_NONE);
}
END_TEST

START_TEST(wrong_checksum_is_corrupt)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    for (size_t at = BATCH_AT_CRC; at < BATCH_AT_ATTRIBUTES; at++) {
        sample_batch(&sample, "abc");
        sample.bytes[at] ^= 1;
        ck_assert_int_eq(validate(&sample, &info, &fault), ERR_CORRUPT_MESSAGE);
    }
    for (size_t at = BATCH_AT_BASE_TIMESTAMP; at < sample.length; at++) {
        sample_batch(&sample, "abc");
        sample.bytes[at] ^= 0x40;
        ck_assert_int_eq(validate(&sample, &info, &fault), ERR_CORRUPT_MESSAGE);
    }
}
END_TEST

/* Whatever is cut off, it is an error and no byte beyond is read (the sanitizers watch). */
START_TEST(cut_batch_is_refused)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    for (size_t length = 0; length < sample.length; length++) {
        uint8_t *exact = memory_take(&memory, MEMORY_STATE, length + 1);
        memcpy(exact + 1, sample.bytes, length);
        ck_assert_int_eq(batch_validate(exact + 1, length, &rules, &info, &fault),
                         ERR_INVALID_RECORD);
        memory_give(&memory, MEMORY_STATE, exact, length + 1);
    }
    ck_assert_int_eq(batch_validate(NULL, 0, &rules, &info, &fault), ERR_INVALID_RECORD);
}
END_TEST

START_TEST(more_than_one_batch_is_refused)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    memcpy(sample.bytes + sample.length, sample.bytes, sample.length);
    const size_t length = sample.length;
    for (sample.length = length + 1; sample.length <= 2 * length; sample.length++)
        ck_assert_int_eq(validate(&sample, &info, &fault), ERR_INVALID_RECORD);
}
END_TEST

START_TEST(size_limit_counts_the_whole_batch)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    rules.max_message_bytes = sample.length;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
    rules.max_message_bytes = sample.length - 1;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_MESSAGE_TOO_LARGE);
}
END_TEST

static const struct {
    enum codec codec;
    int16_t version;
    int error;
} versions[] = {
    {CODEC_ZSTD, 3, ERR_UNSUPPORTED_COMPRESSION_TYPE},
    {CODEC_ZSTD, 6, ERR_UNSUPPORTED_COMPRESSION_TYPE},
    {CODEC_ZSTD, 7, ERR_NONE},
    {CODEC_ZSTD, 13, ERR_NONE},
    {CODEC_GZIP, 3, ERR_NONE},
    {CODEC_SNAPPY, 3, ERR_NONE},
    {CODEC_LZ4, 3, ERR_NONE},
};

START_TEST(zstd_needs_produce_7)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    sample_put(&sample, BATCH_AT_ATTRIBUTES, 2, versions[_i].codec);
    rules.produce_version = versions[_i].version;
    ck_assert_int_eq(validate(&sample, &info, &fault), versions[_i].error);
    ck_assert_int_eq(codec_calls, 0);
}
END_TEST

static const struct {
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;
    int error;
} producers[] = {
    {5, 0, 0, ERR_NONE},
    {0, 3, INT32_MAX, ERR_NONE},
    {-1, -1, -1, ERR_NONE},
    {5, 0, -1, ERR_INVALID_RECORD},
    {5, -1, 0, ERR_INVALID_RECORD},
    {0, 0, INT32_MIN, ERR_INVALID_RECORD},
};

START_TEST(producer_needs_epoch_and_sequence)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    sample_put(&sample, BATCH_AT_PRODUCER_ID, 8, producers[_i].producer_id);
    sample_put(&sample, BATCH_AT_PRODUCER_EPOCH, 2, producers[_i].epoch);
    sample_put(&sample, BATCH_AT_BASE_SEQUENCE, 4, producers[_i].sequence);
    ck_assert_int_eq(validate(&sample, &info, &fault), producers[_i].error);
}
END_TEST

/* Bytes of records; lengths and numbers in zig-zag form. */
#define RECORD_A    "\x10\0\0\0\2a\2A\0"
#define RECORD_B    "\x10\0\2\2\2b\2B\0"
#define NINE        "\x80\x80\x80\x80\x80\x80\x80\x80\x80"
#define TEXT(bytes) bytes, sizeof(bytes) - 1

static const struct {
    const char *what;
    int count;
    const char *records;
    size_t length;
    int bad_record; /* NO_RECORD: they pass */
} records[] = {
    {"two records", 2, TEXT(RECORD_A RECORD_B), NO_RECORD},
    {"null key and value", 1, TEXT("\x0c\0\0\0\1\1\0"), NO_RECORD},
    {"empty key and value", 1, TEXT("\x0c\0\0\0\0\0\0"), NO_RECORD},
    {"a header", 1, TEXT("\x16\0\0\0\1\1\2\2k\4vv"), NO_RECORD},
    {"a header without value", 1, TEXT("\x12\0\0\0\1\1\2\2k\1"), NO_RECORD},
    {"two headers, one missing", 1, TEXT("\x12\0\0\0\1\1\4\2k\1"), 0},
    {"a header without key", 1, TEXT("\x10\0\0\0\1\1\2\1\1"), 0},
    {"a header beyond the record", 1, TEXT("\x10\0\0\0\1\1\2\4k"), 0},
    {"a header and more", 1, TEXT("\x14\0\0\0\1\1\2\2k\1\0"), 0},
    {"headers below 0", 1, TEXT("\x0c\0\0\0\1\1\1"), 0},
    {"two-byte numbers", 1, TEXT("\x8e\0\0\x80\1\0\1\1\0"), NO_RECORD},
    {"a needlessly long number", 1, TEXT("\x90\x80\0\0\x80\x80\0\0\1\1\0"), NO_RECORD},
    {"time of ten bytes", 1, TEXT("\x1e\0" NINE "\0\0\1\1\0"), NO_RECORD},
    {"time of eleven bytes", 1, TEXT("\x20\0" NINE "\x80\0\0\1\1\0"), 0},
    {"time beyond 64 bits", 1, TEXT("\x1e\0" NINE "\2\0\1\1\0"), 0},
    {"offset delta of another record", 1, TEXT("\x0c\0\0\2\1\1\0"), 0},
    {"offset delta below 0", 1, TEXT("\x0c\0\0\1\1\1\0"), 0},
    {"offset delta twice", 2, TEXT(RECORD_A RECORD_A), 1},
    {"offset delta skips", 2, TEXT(RECORD_A "\x10\0\2\4\2b\2B\0"), 1},
    {"length below 0", 1, TEXT("\1\0\0\0\1\1\0"), 0},
    {"length 0", 1, TEXT("\0\0\0\0\1\1\0"), 0},
    {"length beyond the batch", 1, TEXT("\x0e\0\0\0\1\1\0"), 0},
    {"length short of the record", 1, TEXT("\x0a\0\0\0\1\1\0"), 0},
    {"length of six bytes", 1, TEXT("\x8c\x80\x80\x80\x80\0\0\0\0\1\1\0"), 0},
    {"length beyond 32 bits", 1, TEXT("\x8c\x80\x80\x80\x10\0\0\0\1\1\0"), 0},
    {"key length below -1", 1, TEXT("\x0c\0\0\0\3\1\0"), 0},
    {"key length below -1 with a key", 1, TEXT("\x10\0\0\0\5kk\1\0"), 0},
    {"value length below -1 with a value", 1, TEXT("\x0e\0\0\0\1\3v\0"), 0},
    {"value length below -1", 1, TEXT("\x0c\0\0\0\1\3\0"), 0},
    {"key beyond the record", 1, TEXT("\x0c\0\0\0\6\1\0"), 0},
    {"key up to the record's end", 1, TEXT("\x0c\0\0\0\4\1\0"), 0},
    {"value beyond the record", 1, TEXT("\x0c\0\0\0\1\4\0"), 0},
    {"value up to the record's end", 1, TEXT("\x0c\0\0\0\1\2\0"), 0},
    {"bytes after the headers", 1, TEXT("\x0e\0\0\0\1\1\0\0"), 0},
    {"bytes after the records", 1, TEXT("\x0c\0\0\0\1\1\0\0"), 0},
    {"a record too many", 1, TEXT(RECORD_A RECORD_B), 0},
    {"a record too few", 2, TEXT(RECORD_A), 1},
    {"nothing", 1, TEXT(""), 0},
};

/* Each case alone, and again before plain records, where the walk takes its fast way. */
static void check_records(int case_index, int plain)
{
    const int count = records[case_index].count + plain;
    const bool passes = records[case_index].bad_record == NO_RECORD;
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;
    uint8_t bytes[SAMPLE_BYTES_MAX] = {0};
    size_t length = records[case_index].length;

    memcpy(bytes, records[case_index].records, length);
    for (int i = records[case_index].count; i < count; i++) {
        const uint8_t record[] = {0x10, 0, 0, (uint8_t)(2 * i), 2, 'a', 2, 'A', 0};
        memcpy(bytes + length, record, sizeof(record));
        length += sizeof(record);
    }
    sample_batch(&sample, "a");
    sample_records(&sample, bytes, length);
    sample_put(&sample, BATCH_AT_RECORD_COUNT, 4, count);
    sample_put(&sample, BATCH_AT_LAST_OFFSET_DELTA, 4, count - 1);
    const int error = validate(&sample, &info, &fault);
    ck_assert_msg(error == (passes ? ERR_NONE : ERR_INVALID_RECORD), "%s: %s",
                  records[case_index].what, error_name(error));
    if (passes)
        return;
    ck_assert_uint_eq(fault.records_count, 1);
    ck_assert_int_ge(fault.records[0].index, records[case_index].bad_record);
    if (plain == 0)
        ck_assert_int_eq(fault.records[0].index, records[case_index].bad_record);
}

START_TEST(records_are_judged)
{
    check_records(_i, 0);
}
END_TEST

START_TEST(records_are_judged_before_plain_ones)
{
    check_records(_i, 20);
}
END_TEST

static const struct {
    const char *what;
    int64_t before_max_ms;
    int64_t after_max_ms;
    int64_t wall_ms;
    bool log_append_time;
    int error;
    uint32_t refused; /* records, from the first */
    int32_t first;
} times[] = {
    {"no limits", INT64_MAX, INT64_MAX, 0, false, ERR_NONE, 0, 0},
    {"an hour ahead is taken", INT64_MAX, HOUR_MS, SAMPLE_TIME_MS + 2 - HOUR_MS, false, ERR_NONE, 0,
     0},
    {"the last is too far ahead", INT64_MAX, HOUR_MS, SAMPLE_TIME_MS + 1 - HOUR_MS, false,
     ERR_INVALID_TIMESTAMP, 1, 2},
    {"two are too far ahead", INT64_MAX, HOUR_MS, SAMPLE_TIME_MS - HOUR_MS, false,
     ERR_INVALID_TIMESTAMP, 2, 1},
    {"an hour back is taken", HOUR_MS, HOUR_MS, SAMPLE_TIME_MS + HOUR_MS, false, ERR_NONE, 0, 0},
    {"the first is too old", HOUR_MS, HOUR_MS, SAMPLE_TIME_MS + HOUR_MS + 1, false,
     ERR_INVALID_TIMESTAMP, 1, 0},
    {"all are too old", 0, 0, SAMPLE_TIME_MS + HOUR_MS, false, ERR_INVALID_TIMESTAMP, 3, 0},
    {"times of appending are ours", 0, 0, 0, true, ERR_NONE, 0, 0},
};

START_TEST(times_have_limits)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    rules.timestamp_before_max_ms = times[_i].before_max_ms;
    rules.timestamp_after_max_ms = times[_i].after_max_ms;
    rules.wall_ms = times[_i].wall_ms;
    rules.log_append_time = times[_i].log_append_time;
    const int error = validate(&sample, &info, &fault);
    ck_assert_msg(error == times[_i].error, "%s: %s", times[_i].what, error_name(error));
    ck_assert_uint_eq(fault.records_count, times[_i].refused);
    for (uint32_t i = 0; i < fault.records_count; i++) {
        ck_assert_int_eq(fault.records[i].index, times[_i].first + (int32_t)i);
        ck_assert_ptr_nonnull(fault.records[i].message);
    }
}
END_TEST

START_TEST(compressed_times_are_judged_by_the_header)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    sample_put(&sample, BATCH_AT_ATTRIBUTES, 2, CODEC_LZ4);
    rules.wall_ms = SAMPLE_TIME_MS + 2 - HOUR_MS;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
    rules.wall_ms--;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_INVALID_TIMESTAMP);
    sample_put(&sample, BATCH_AT_MAX_TIMESTAMP, 8, BATCH_NO_TIMESTAMP);
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
}
END_TEST

START_TEST(records_without_time_are_taken)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "a");
    sample_put(&sample, BATCH_AT_BASE_TIMESTAMP, 8, BATCH_NO_TIMESTAMP);
    sample_put(&sample, BATCH_AT_MAX_TIMESTAMP, 8, BATCH_NO_TIMESTAMP);
    rules.timestamp_before_max_ms = HOUR_MS;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
    ck_assert_int_eq(info.max_timestamp_ms, BATCH_NO_TIMESTAMP);
}
END_TEST

/* Times -1, 5 and now: the one that is taken does not hide the one that is not. */
START_TEST(record_without_time_hides_no_other)
{
    static const char bytes[] = "\x0c\0\0\0\1\1\0\x0c\0\x0c\2\1\1\0"
                                "\x16\0\x82\xa0\xab\xfe\xf9\x62\4\1\1\0";
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "abc");
    sample_records(&sample, bytes, sizeof(bytes) - 1);
    sample_put(&sample, BATCH_AT_BASE_TIMESTAMP, 8, BATCH_NO_TIMESTAMP);
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
    ck_assert_int_eq(info.max_timestamp_ms, SAMPLE_TIME_MS);
    rules.timestamp_before_max_ms = HOUR_MS;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_INVALID_TIMESTAMP);
    ck_assert_uint_eq(fault.records_count, 1);
    ck_assert_int_eq(fault.records[0].index, 1);
}
END_TEST

/* Some clients put the first time there; a log is searched by the latest. */
START_TEST(wrong_latest_time_is_put_right)
{
    struct sample sample;
    struct sample good;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&good, "abc");
    sample = good;
    sample_put(&sample, BATCH_AT_MAX_TIMESTAMP, 8, SAMPLE_TIME_MS);
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
    ck_assert_int_eq(info.max_timestamp_ms, SAMPLE_TIME_MS + 2);
    ck_assert_mem_eq(sample.bytes, good.bytes, good.length);
    ck_assert_uint_eq(info.crc, get_be32(good.bytes + BATCH_AT_CRC));
    /* The time of appending replaces it anyway. */
    rules.log_append_time = true;
    sample_put(&sample, BATCH_AT_MAX_TIMESTAMP, 8, SAMPLE_TIME_MS);
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_NONE);
    ck_assert_int_eq(info.max_timestamp_ms, SAMPLE_TIME_MS);
}
END_TEST

static const struct {
    const char *keys;
    bool compacted;
    bool compressed;
    int error;
    uint32_t refused;
    int32_t first;
    int codec_calls;
} keys[] = {
    {"abc", false, false, ERR_NONE, 0, 0, 0},
    {"a-c", false, false, ERR_NONE, 0, 0, 0},
    {"abc", true, false, ERR_NONE, 0, 0, 0},
    {"ab-", true, false, ERR_INVALID_RECORD, 1, 2, 0},
    {"-bcdefgh", true, false, ERR_INVALID_RECORD, 1, 0, 0},
    {"---", true, false, ERR_INVALID_RECORD, 3, 0, 0},
    {"--------------------", true, false, ERR_INVALID_RECORD, BATCH_FAULT_RECORDS_MAX, 0, 0},
    {"a-c", false, true, ERR_NONE, 0, 0, 0},
    {"abc", true, true, ERR_NONE, 0, 0, 1},
    {"a--", true, true, ERR_INVALID_RECORD, 2, 1, 1},
};

START_TEST(compacted_topic_needs_keys)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, keys[_i].keys);
    if (keys[_i].compressed)
        sample_put(&sample, BATCH_AT_ATTRIBUTES, 2, CODEC_GZIP);
    rules.compacted = keys[_i].compacted;
    ck_assert_int_eq(validate(&sample, &info, &fault), keys[_i].error);
    ck_assert_uint_eq(fault.records_count, keys[_i].refused);
    for (uint32_t i = 0; i < fault.records_count; i++)
        ck_assert_int_eq(fault.records[i].index, keys[_i].first + (int32_t)i);
    ck_assert_int_eq(codec_calls, keys[_i].codec_calls);
}
END_TEST

START_TEST(key_fault_goes_before_time_fault)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    sample_batch(&sample, "a-c");
    rules.compacted = true;
    rules.wall_ms = SAMPLE_TIME_MS - HOUR_MS;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_INVALID_RECORD);
    ck_assert_uint_eq(fault.records_count, 2);
    ck_assert_int_eq(fault.records[0].index, 1);
    ck_assert_int_eq(fault.records[1].index, 2);
    ck_assert_str_ne(fault.records[0].message, fault.records[1].message);
}
END_TEST

START_TEST(failed_decompression_is_the_batchs_fault)
{
    struct sample sample;
    struct batch_info info;
    struct batch_fault fault;

    rules.compacted = true;
    sample_batch(&sample, "a");
    sample_records(&sample, "\xff", 1);
    sample_put(&sample, BATCH_AT_ATTRIBUTES, 2, CODEC_ZSTD);
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_CORRUPT_MESSAGE);
    sample_batch(&sample, "a");
    sample_put(&sample, BATCH_AT_ATTRIBUTES, 2, CODEC_ZSTD);
    arena.limit_bytes = 4;
    ck_assert_int_eq(validate(&sample, &info, &fault), ERR_MESSAGE_TOO_LARGE);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(validate)
{
    TCase *tcase = tcase_create("validate");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, good_batch_passes_untouched);
    tcase_add_loop_test(tcase, header_is_judged, 0, COUNT(fields));
    tcase_add_loop_test(tcase, count_is_that_of_the_records, 0, COUNT(counts));
    tcase_add_test(tcase, wrong_checksum_is_corrupt);
    tcase_add_test(tcase, cut_batch_is_refused);
    tcase_add_test(tcase, more_than_one_batch_is_refused);
    tcase_add_test(tcase, size_limit_counts_the_whole_batch);
    tcase_add_loop_test(tcase, zstd_needs_produce_7, 0, COUNT(versions));
    tcase_add_loop_test(tcase, producer_needs_epoch_and_sequence, 0, COUNT(producers));
    tcase_add_loop_test(tcase, records_are_judged, 0, COUNT(records));
    tcase_add_loop_test(tcase, records_are_judged_before_plain_ones, 0, COUNT(records));
    tcase_add_loop_test(tcase, times_have_limits, 0, COUNT(times));
    tcase_add_test(tcase, compressed_times_are_judged_by_the_header);
    tcase_add_test(tcase, records_without_time_are_taken);
    tcase_add_test(tcase, record_without_time_hides_no_other);
    tcase_add_test(tcase, wrong_latest_time_is_put_right);
    tcase_add_loop_test(tcase, compacted_topic_needs_keys, 0, COUNT(keys));
    tcase_add_test(tcase, key_fault_goes_before_time_fault);
    tcase_add_test(tcase, failed_decompression_is_the_batchs_fault);
    suite_add_tcase(suite, tcase);
}
