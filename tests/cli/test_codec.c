/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/codec.h"

#include <stdio.h>
#include <string.h>

#include "core/base/endian.h"
#include "core/records/batch.h"
#include "core/records/record.h"
#include "core/wire/error.h"
#include "tests/support/golden.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define GOLDEN_BYTES_MAX 5000
#define LONG_VALUE_BYTES 70000
#define LIMIT_BYTES      (1u << 20)

static struct heap heap;
static struct memory memory;
static struct arena arena;
static struct codec_libraries libraries;
static struct codecs codecs;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_REQUEST, 4 * LIMIT_BYTES);
    codec_libraries_init(&libraries);
    codecs = codec_libraries_lend(&libraries);
}

static void tear_down(void)
{
    codec_libraries_close(&libraries);
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

static const struct {
    enum codec codec;
    const char *name;
} batches[] = {
    {CODEC_GZIP, "records/gzip.batch"},
    {CODEC_SNAPPY, "records/snappy.batch"},
    {CODEC_LZ4, "records/lz4.batch"},
    {CODEC_ZSTD, "records/zstd.batch"},
};

/* The compressed records of a golden batch. */
static struct span golden_records(int batch, uint8_t bytes[GOLDEN_BYTES_MAX])
{
    return batch_records(span_of(bytes, golden_read(batches[batch].name, bytes, GOLDEN_BYTES_MAX)));
}

static int decompress(enum codec codec, struct span in, size_t limit_bytes, struct span *ret_out)
{
    return codecs.decompress(codecs.context, codec, in, limit_bytes, &arena, ret_out);
}

static bool is_long_value(struct span value)
{
    if (value.length != LONG_VALUE_BYTES)
        return false;
    for (size_t i = 0; i < value.length; i++)
        if (value.data[i] != 'a' + i % 23)
            return false;
    return true;
}

START_TEST(clients_records_are_opened)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const size_t length = golden_read(batches[_i].name, bytes, sizeof(bytes));
    struct record_cursor cursor;
    struct record record;
    int count = 0;

    ck_assert_int_eq(
        record_cursor_open(span_of(bytes, length), &codecs, LIMIT_BYTES, &arena, &cursor),
        ERR_NONE);
    for (; record_next(&cursor, &record); count++) {
        char text[20];
        snprintf(text, sizeof(text), "key-%d", count);
        ck_assert(span_equal(record.key, count % 4 == 3 ? SPAN_NULL : span_text(text)));
        snprintf(text, sizeof(text), "value-%d", count);
        if (count == 7)
            ck_assert(is_long_value(record.value));
        else
            ck_assert(span_equal(record.value, count == 5 ? SPAN_NULL : span_text(text)));
        ck_assert_int_eq(record.timestamp_ms, INT64_C(1700000000000) + 7 * count);
        ck_assert_int_eq(record.headers_count, count % 3 == 0 ? 2 : 0);
    }
    ck_assert_int_eq(cursor.error, ERR_NONE);
    ck_assert_int_eq(count, 20);
}
END_TEST

START_TEST(only_the_library_in_use_is_loaded)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const struct span in = golden_records(_i, bytes);
    struct span out;

    for (int codec = 0; codec < CODECS; codec++)
        ck_assert(!libraries.libraries[codec].tried);
    ck_assert_int_eq(decompress(batches[_i].codec, in, LIMIT_BYTES, &out), ERR_NONE);
    for (int codec = 0; codec < CODECS; codec++)
        ck_assert_int_eq(libraries.libraries[codec].handle != NULL,
                         codec == (int)batches[_i].codec);
}
END_TEST

START_TEST(output_ends_at_its_limit)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const struct span in = golden_records(_i, bytes);
    const enum codec codec = batches[_i].codec;
    struct span out;
    struct span again;

    ck_assert_int_eq(decompress(codec, in, LIMIT_BYTES, &out), ERR_NONE);
    ck_assert_uint_gt(out.length, LONG_VALUE_BYTES);
    ck_assert_int_eq(decompress(codec, in, out.length, &again), ERR_NONE);
    ck_assert(span_equal(out, again));
    ck_assert_int_eq(decompress(codec, in, SIZE_MAX, &again), ERR_NONE);
    ck_assert(span_equal(out, again));
    for (size_t less = 1; less < out.length; less *= 3)
        ck_assert_int_eq(decompress(codec, in, out.length - less, &again), ERR_MESSAGE_TOO_LARGE);
    ck_assert_int_eq(decompress(codec, in, 0, &again), ERR_MESSAGE_TOO_LARGE);
    arena.limit_bytes = arena.used_bytes + out.length - 1;
    ck_assert_int_eq(decompress(codec, in, LIMIT_BYTES, &again), ERR_MESSAGE_TOO_LARGE);
}
END_TEST

START_TEST(cut_input_is_corrupt)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const struct span in = golden_records(_i, bytes);
    struct span out;
    int whole = 0;

    for (size_t length = 0; length < in.length; length++) {
        /* A copy of its own, so that the sanitizers see a step beyond. */
        uint8_t *cut = memory_take(&memory, MEMORY_STATE, length + 1);
        memcpy(cut + 1, in.data, length);
        const int error =
            decompress(batches[_i].codec, span_of(cut + 1, length), LIMIT_BYTES, &out);
        memory_give(&memory, MEMORY_STATE, cut, length + 1);
        /* snappy-java's frames have no end of their own: whole blocks are a whole. */
        if (error == ERR_NONE && batches[_i].codec == CODEC_SNAPPY)
            whole++;
        else
            ck_assert_msg(error == ERR_CORRUPT_MESSAGE, "%zu of %zu: %s", length, in.length,
                          error_name(error));
        arena_reset(&arena);
    }
    /* The head alone, and after each of the two blocks of 32 KiB. */
    ck_assert_int_eq(whole, batches[_i].codec == CODEC_SNAPPY ? 3 : 0);
}
END_TEST

/* Every single byte changed: an error or another result, never a crash or endless work. */
START_TEST(damaged_input_does_no_harm)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const struct span in = golden_records(_i, bytes);
    uint8_t *at = bytes + BATCH_HEADER_BYTES;
    struct span out;
    int errors = 0;

    for (size_t i = 0; i < in.length; i++) {
        at[i] ^= 0x55;
        errors += decompress(batches[_i].codec, in, LIMIT_BYTES, &out) != ERR_NONE;
        at[i] ^= 0x55;
        arena_reset(&arena);
    }
    ck_assert_int_gt(errors, 0);
}
END_TEST

START_TEST(several_frames_are_one_result)
{
    uint8_t bytes[GOLDEN_BYTES_MAX];
    uint8_t twice[2 * GOLDEN_BYTES_MAX];
    const struct span in = golden_records(_i, bytes);
    struct span once;
    struct span out;

    if (batches[_i].codec == CODEC_SNAPPY)
        return;
    memcpy(twice, in.data, in.length);
    memcpy(twice + in.length, in.data, in.length);
    ck_assert_int_eq(decompress(batches[_i].codec, in, LIMIT_BYTES, &once), ERR_NONE);
    ck_assert_int_eq(
        decompress(batches[_i].codec, span_of(twice, 2 * in.length), LIMIT_BYTES, &out), ERR_NONE);
    ck_assert_uint_eq(out.length, 2 * once.length);
    ck_assert(span_equal(once, span_of(out.data + once.length, once.length)));
    twice[in.length] ^= 0x55;
    ck_assert_int_eq(
        decompress(batches[_i].codec, span_of(twice, 2 * in.length), LIMIT_BYTES, &out),
        ERR_CORRUPT_MESSAGE);
}
END_TEST

/* The limit is that of the bytes that come out, not of the work until the end is seen. */
START_TEST(empty_member_behind_the_limit_is_taken)
{
    static const char empty[] = "\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0";
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const struct span in = golden_records(0, bytes);
    struct span out;

    ck_assert_int_eq(decompress(CODEC_GZIP, in, LIMIT_BYTES, &out), ERR_NONE);
    const size_t length = out.length;
    memcpy(bytes + BATCH_HEADER_BYTES + in.length, empty, sizeof(empty) - 1);
    ck_assert_int_eq(
        decompress(CODEC_GZIP, span_of(in.data, in.length + sizeof(empty) - 1), length, &out),
        ERR_NONE);
    ck_assert_uint_eq(out.length, length);
}
END_TEST

static const struct {
    const char *what;
    struct span in;
    int error;
    const char *out;
} raw[] = {
    {"a literal", {(const uint8_t *)"\5\x10hello", 7}, ERR_NONE, "hello"},
    {"a copy", {(const uint8_t *)"\6\4ab\x0e\2\0", 7}, ERR_NONE, "ababab"},
    {"nothing", {(const uint8_t *)"\0", 1}, ERR_NONE, ""},
    {"bytes behind nothing", {(const uint8_t *)"\0\0", 2}, ERR_CORRUPT_MESSAGE, NULL},
    {"a length that is not met", {(const uint8_t *)"\6\x10hello", 7}, ERR_CORRUPT_MESSAGE, NULL},
    {"a huge length", {(const uint8_t *)"\xff\xff\xff\xff\x0f", 5}, ERR_MESSAGE_TOO_LARGE, NULL},
    {"no length", {(const uint8_t *)"\xff\xff\xff", 3}, ERR_CORRUPT_MESSAGE, NULL},
};

START_TEST(raw_snappy_is_taken)
{
    struct span out;

    const int error = decompress(CODEC_SNAPPY, raw[_i].in, LIMIT_BYTES, &out);
    ck_assert_msg(error == raw[_i].error, "%s: %s", raw[_i].what, error_name(error));
    if (error == ERR_NONE)
        ck_assert(span_equal(out, span_text(raw[_i].out)));
}
END_TEST

START_TEST(missing_library_is_unsupported)
{
    struct span out;

    libraries.libraries[CODEC_ZSTD].tried = true;
    ck_assert_int_eq(decompress(CODEC_ZSTD, SPAN("x"), LIMIT_BYTES, &out),
                     ERR_UNSUPPORTED_COMPRESSION_TYPE);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(codec)
{
    TCase *tcase = tcase_create("codec");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, clients_records_are_opened, 0, COUNT(batches));
    tcase_add_loop_test(tcase, only_the_library_in_use_is_loaded, 0, COUNT(batches));
    tcase_add_loop_test(tcase, output_ends_at_its_limit, 0, COUNT(batches));
    tcase_add_loop_test(tcase, cut_input_is_corrupt, 0, COUNT(batches));
    tcase_add_loop_test(tcase, damaged_input_does_no_harm, 0, COUNT(batches));
    tcase_add_loop_test(tcase, several_frames_are_one_result, 0, COUNT(batches));
    tcase_add_test(tcase, empty_member_behind_the_limit_is_taken);
    tcase_add_loop_test(tcase, raw_snappy_is_taken, 0, COUNT(raw));
    tcase_add_test(tcase, missing_library_is_unsupported);
    suite_add_tcase(suite, tcase);
}
