/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/producers.h"

#include <string.h>

#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/wire/error.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define ID     INT64_C(1000)
#define DAY_MS INT64_C(86400000)

static struct heap heap;
static struct memory memory;
static struct producers producers;
static int64_t end_offset;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    producers_init(&producers, &memory, 1);
    end_offset = 0;
}

static void tear_down(void)
{
    producers_clear(&producers);
    ck_assert_uint_eq(heap.blocks, 0);
}

static struct batch_info batch_of(int64_t id, int16_t epoch, int32_t sequence, int32_t count)
{
    return (struct batch_info){
        .base_offset = end_offset,
        .max_timestamp_ms = 1000 + end_offset,
        .last_offset_delta = count - 1,
        .producer_id = id,
        .producer_epoch = epoch,
        .base_sequence = sequence,
        .record_count = count,
    };
}

/* Checks, and appends what passes. */
static int append(int64_t id, int16_t epoch, int32_t sequence, int32_t count,
                  struct producer_batch *ret_original)
{
    const struct batch_info info = batch_of(id, epoch, sequence, count);
    const int error = producers_check(&producers, &info, ret_original);

    if (error == ERR_NONE) {
        producers_update(&producers, &info, info.max_timestamp_ms);
        end_offset += count;
    }
    return error;
}

#define GAP       ERR_OUT_OF_ORDER_SEQUENCE_NUMBER
#define OLD       ERR_INVALID_PRODUCER_EPOCH
#define DUPLICATE ERR_DUPLICATE_SEQUENCE_NUMBER
#define STEPS_MAX 9

/* Stories of one producer: the batches that it sends, and what becomes of each. */
static const struct {
    const char *what;
    struct {
        int16_t epoch;
        int32_t sequence;
        int32_t count; /* 0: the story ends */
        int error;
        int64_t original; /* base offset of the batch that this one repeats */
    } steps[STEPS_MAX];
} stories[] = {
    {"in order", {{0, 0, 3, 0, 0}, {0, 3, 1, 0, 0}, {0, 4, 2, 0, 0}}},
    {"sent again",
     {{0, 0, 3, 0, 0},
      {0, 3, 2, 0, 0},
      {0, 0, 3, DUPLICATE, 0},
      {0, 3, 2, DUPLICATE, 3},
      {0, 5, 1, 0, 0}}},
    {"five are remembered",
     {{0, 0, 1, 0, 0},
      {0, 1, 1, 0, 0},
      {0, 2, 1, 0, 0},
      {0, 3, 1, 0, 0},
      {0, 4, 1, 0, 0},
      {0, 5, 1, 0, 0},
      {0, 1, 1, DUPLICATE, 1},
      {0, 5, 1, DUPLICATE, 5},
      {0, 0, 1, GAP, 0}}},
    {"a gap", {{0, 0, 3, 0, 0}, {0, 4, 1, GAP, 0}, {0, 3, 1, 0, 0}}},
    {"a step back that repeats no batch",
     {{0, 0, 3, 0, 0}, {0, 0, 2, GAP, 0}, {0, 1, 2, GAP, 0}, {0, 0, 4, GAP, 0}}},
    {"unknown producers begin anywhere", {{0, 77, 3, 0, 0}, {0, 80, 1, 0, 0}}},
    {"sequences wrap", {{0, INT32_MAX, 1, 0, 0}, {0, 0, 1, 0, 0}, {0, INT32_MAX, 1, DUPLICATE, 0}}},
    {"sequences wrap inside a batch",
     {{0, INT32_MAX - 1, 4, 0, 0},
      {0, INT32_MAX - 1, 4, DUPLICATE, 0},
      {0, 1, 1, GAP, 0},
      {0, 2, 1, 0, 0}}},
    {"a new epoch begins at 0",
     {{0, 0, 3, 0, 0}, {1, 3, 1, GAP, 0}, {1, 0, 1, 0, 0}, {1, 1, 1, 0, 0}}},
    {"an old epoch is fenced",
     {{1, 0, 3, 0, 0}, {0, 3, 1, OLD, 0}, {0, 0, 3, OLD, 0}, {1, 3, 1, 0, 0}}},
    {"a new epoch forgets the batches of the old",
     {{0, 0, 3, 0, 0}, {1, 0, 2, 0, 0}, {1, 0, 3, GAP, 0}, {1, 0, 2, DUPLICATE, 3}}},
};

START_TEST(batches_are_judged)
{
    for (int i = 0; i < STEPS_MAX && stories[_i].steps[i].count > 0; i++) {
        struct producer_batch original;
        const int error = append(ID, stories[_i].steps[i].epoch, stories[_i].steps[i].sequence,
                                 stories[_i].steps[i].count, &original);
        ck_assert_msg(error == stories[_i].steps[i].error, "%s, step %d: %s", stories[_i].what, i,
                      error_name(error));
        if (error == DUPLICATE) {
            ck_assert_int_eq(original.last_offset - original.offset_delta,
                             stories[_i].steps[i].original);
            ck_assert_int_eq(original.offset_delta, stories[_i].steps[i].count - 1);
            ck_assert_int_eq(original.timestamp_ms, 1000 + stories[_i].steps[i].original);
        }
    }
}
END_TEST

START_TEST(producers_do_not_mix)
{
    struct producer_batch original;

    ck_assert_int_eq(append(ID, 0, 0, 1, &original), ERR_NONE);
    ck_assert_int_eq(append(ID + 1, 5, 9, 1, &original), ERR_NONE);
    ck_assert_int_eq(append(ID, 0, 1, 1, &original), ERR_NONE);
    ck_assert_int_eq(append(ID + 1, 5, 10, 1, &original), ERR_NONE);
    ck_assert_uint_eq(producers_count(&producers), 2);
}
END_TEST

START_TEST(batch_without_producer_is_not_noted)
{
    const struct batch_info info = batch_of(BATCH_NO_PRODUCER_ID, -1, -1, 3);

    producers_update(&producers, &info, info.max_timestamp_ms);
    ck_assert_uint_eq(producers_count(&producers), 0);
}
END_TEST

/* A marker of a transaction raises the epoch, and has no sequence. */
START_TEST(control_batch_counts_for_the_epoch_alone)
{
    struct producer_batch original;
    struct batch_info marker = batch_of(ID, 1, -1, 1);

    append(ID, 0, 0, 3, &original);
    marker.attributes = BATCH_CONTROL | BATCH_TRANSACTIONAL;
    producers_update(&producers, &marker, marker.max_timestamp_ms);
    ck_assert_int_eq(append(ID, 0, 3, 1, &original), OLD);
    ck_assert_int_eq(append(ID, 1, 3, 1, &original), GAP);
    ck_assert_int_eq(append(ID, 1, 0, 1, &original), ERR_NONE);
}
END_TEST

START_TEST(silent_producers_expire)
{
    struct producer_batch original;

    ck_assert_int_eq(producers_expire(&producers, INT64_MAX, 1), INT64_MAX);
    append(ID, 0, 0, 500, &original);   /* at 1000 */
    append(ID + 1, 0, 0, 1, &original); /* at 1500 */
    append(ID, 0, 500, 500, &original); /* at 1501 */
    append(ID + 2, 0, 0, 1, &original); /* at 2001 */
    ck_assert_int_eq(producers_expire(&producers, 1500 + DAY_MS - 1, DAY_MS), 1500 + DAY_MS);
    ck_assert_uint_eq(producers_count(&producers), 3);
    ck_assert_int_eq(producers_expire(&producers, 1500 + DAY_MS, DAY_MS), 1501 + DAY_MS);
    ck_assert_uint_eq(producers_count(&producers), 2);
    ck_assert_int_eq(append(ID + 1, 0, 77, 1, &original), ERR_NONE);
    ck_assert_int_eq(producers_expire(&producers, 5000, INT64_MAX), INT64_MAX);
    ck_assert_uint_eq(producers_count(&producers), 3);
    ck_assert_int_eq(producers_expire(&producers, INT64_MAX, INT64_MAX), INT64_MAX);
    ck_assert_uint_eq(producers_count(&producers), 0);
}
END_TEST

START_TEST(too_many_producers_drop_the_oldest)
{
    struct producer_batch original;

    for (int64_t id = 0; id < PRODUCERS_MAX; id++)
        append(id, 0, 0, 1, &original);
    append(0, 0, 1, 1, &original);
    append(PRODUCERS_MAX, 0, 0, 1, &original);
    ck_assert_uint_eq(producers_count(&producers), PRODUCERS_MAX);
    ck_assert_int_eq(append(0, 0, 3, 1, &original), GAP);
    ck_assert_int_eq(append(1, 0, 3, 1, &original), ERR_NONE);
}
END_TEST

#define SNAPSHOT_BYTES_MAX 1000

static size_t write_snapshot(uint8_t *out)
{
    const size_t size = producers_snapshot_size(&producers);

    ck_assert_uint_le(size, SNAPSHOT_BYTES_MAX);
    producers_snapshot_write(&producers, out);
    return size;
}

START_TEST(snapshot_keeps_the_last_batches_of_each)
{
    uint8_t bytes[SNAPSHOT_BYTES_MAX];
    uint8_t again[SNAPSHOT_BYTES_MAX];
    struct producer_batch original;

    append(ID, 3, 0, 2, &original);
    append(ID, 3, 2, 5, &original);
    append(ID + 1, 0, INT32_MAX, 1, &original);
    struct batch_info marker = batch_of(ID + 2, 4, -1, 1);
    marker.attributes = BATCH_CONTROL;
    producers_update(&producers, &marker, marker.max_timestamp_ms);
    const size_t size = write_snapshot(bytes);
    producers_clear(&producers);
    ck_assert_int_eq(producers_snapshot_read(&producers, span_of(bytes, size), 0), ERR_NONE);
    ck_assert_uint_eq(producers_count(&producers), 3);
    ck_assert_uint_eq(write_snapshot(again), size);
    ck_assert_mem_eq(bytes, again, size);
    ck_assert_int_eq(append(ID, 3, 2, 5, &original), DUPLICATE);
    ck_assert_int_eq(original.last_offset, 6);
    ck_assert_int_eq(append(ID, 3, 0, 2, &original), DUPLICATE);
    ck_assert_int_eq(original.last_offset, 1);
    ck_assert_int_eq(append(ID, 3, 0, 1, &original), GAP);
    ck_assert_int_eq(append(ID, 3, 7, 1, &original), ERR_NONE);
    ck_assert_int_eq(append(ID + 1, 0, 0, 1, &original), ERR_NONE);
    ck_assert_int_eq(append(ID + 2, 4, 1, 1, &original), GAP);
    ck_assert_int_eq(append(ID + 2, 4, 0, 1, &original), ERR_NONE);
}
END_TEST

/* Every request of a pipelining producer may have to be sent again. */
START_TEST(snapshot_keeps_all_batches_that_may_come_again)
{
    uint8_t bytes[SNAPSHOT_BYTES_MAX];
    struct producer_batch original;

    for (int32_t i = 0; i < 7; i++)
        append(ID, 3, i, 1, &original);
    const size_t size = write_snapshot(bytes);
    producers_clear(&producers);
    ck_assert_int_eq(producers_snapshot_read(&producers, span_of(bytes, size), 0), ERR_NONE);
    ck_assert_int_eq(append(ID, 3, 1, 1, &original), GAP);
    for (int32_t i = 2; i < 7; i++) {
        ck_assert_int_eq(append(ID, 3, i, 1, &original), DUPLICATE);
        ck_assert_int_eq(original.last_offset, i);
    }
    ck_assert_int_eq(append(ID, 3, 7, 1, &original), ERR_NONE);
}
END_TEST

/* Another broker's log may have it: one that had forgotten the producer meanwhile. */
START_TEST(batches_before_a_gap_are_forgotten)
{
    uint8_t bytes[SNAPSHOT_BYTES_MAX];
    struct producer_batch original;

    append(ID, 3, 0, 2, &original);
    const struct batch_info later = batch_of(ID, 3, 10, 2);
    producers_update(&producers, &later, later.max_timestamp_ms);
    ck_assert_int_eq(append(ID, 3, 0, 2, &original), GAP);
    const size_t size = write_snapshot(bytes);
    producers_clear(&producers);
    ck_assert_int_eq(producers_snapshot_read(&producers, span_of(bytes, size), 0), ERR_NONE);
    ck_assert_int_eq(append(ID, 3, 10, 2, &original), DUPLICATE);
}
END_TEST

/* The layout, byte by byte: of several entries Kafka takes the last. */
START_TEST(snapshot_has_kafkas_bytes)
{
    static const uint8_t expected[] = {
        0,    1,                                        /* version */
        0,    0,    0,    0,                            /* checksum, below */
        0,    0,    0,    2,                            /* entries */
        0,    0,    0,    0,    0,    0,    3,    0xe8, /* producer id */
        0,    7,                                        /* epoch */
        0,    0,    0,    2,                            /* last sequence */
        0,    0,    0,    0,    0,    0,    0,    2,    /* last offset */
        0,    0,    0,    2,                            /* offset delta */
        0,    0,    0,    0,    0,    0,    0x03, 0xe8, /* timestamp */
        0xff, 0xff, 0xff, 0xff,                         /* coordinator epoch */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* first offset of the transaction */
        0,    0,    0,    0,    0,    0,    3,    0xe8, /* producer id */
        0,    7,                                        /* epoch */
        0,    0,    0,    4,                            /* last sequence */
        0,    0,    0,    0,    0,    0,    0,    4,    /* last offset */
        0,    0,    0,    1,                            /* offset delta */
        0,    0,    0,    0,    0,    0,    0x03, 0xeb, /* timestamp */
        0xff, 0xff, 0xff, 0xff,                         /* coordinator epoch */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* first offset of the transaction */
    };
    uint8_t bytes[SNAPSHOT_BYTES_MAX];
    struct producer_batch original;

    append(ID, 7, 0, 3, &original);
    append(ID, 7, 3, 2, &original);
    ck_assert_uint_eq(write_snapshot(bytes), sizeof(expected));
    ck_assert_uint_eq(get_be32(bytes + 2), crc32c(0, expected + 6, sizeof(expected) - 6));
    memset(bytes + 2, 0, 4);
    ck_assert_mem_eq(bytes, expected, sizeof(expected));
}
END_TEST

START_TEST(damaged_snapshot_is_refused)
{
    uint8_t bytes[SNAPSHOT_BYTES_MAX];
    struct producer_batch original;

    append(ID, 3, 0, 2, &original);
    append(ID + 1, 3, 0, 2, &original);
    const size_t size = write_snapshot(bytes);
    producers_clear(&producers);
    for (size_t length = 0; length < size; length++)
        ck_assert_int_eq(producers_snapshot_read(&producers, span_of(bytes, length), 0),
                         ERR_MALFORMED);
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= 1;
        ck_assert_int_eq(producers_snapshot_read(&producers, span_of(bytes, size), 0),
                         ERR_MALFORMED);
        bytes[at] ^= 1;
    }
    ck_assert_uint_eq(producers_count(&producers), 0);
}
END_TEST

static const struct {
    const char *what;
    size_t at;
    size_t size;
    int64_t value;
} entries[] = {
    {"id below 0", 0, 8, -1},
    {"id twice, one not behind the other", 0, 8, ID + 1},
    {"epoch below 0", 8, 2, -1},
    {"sequence below -1", 10, 4, -2},
    {"offset below 0", 14, 8, -1},
    {"offset before the delta", 22, 4, 1000},
    {"offset delta below 0", 22, 4, -1},
};

START_TEST(impossible_snapshot_entry_is_refused)
{
    uint8_t bytes[SNAPSHOT_BYTES_MAX];
    struct producer_batch original;

    append(ID, 3, 0, 2, &original);
    append(ID + 1, 3, 0, 2, &original);
    const size_t size = write_snapshot(bytes);
    producers_clear(&producers);
    for (size_t i = 0; i < entries[_i].size; i++)
        bytes[10 + entries[_i].at + i] =
            (uint8_t)((uint64_t)entries[_i].value >> (8 * (entries[_i].size - 1 - i)));
    put_be32(bytes + 2, crc32c(0, bytes + 6, size - 6));
    ck_assert_int_eq(producers_snapshot_read(&producers, span_of(bytes, size), 0), ERR_MALFORMED);
    ck_assert_uint_eq(producers_count(&producers), 0);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(producers)
{
    TCase *tcase = tcase_create("producers");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, batches_are_judged, 0, COUNT(stories));
    tcase_add_test(tcase, producers_do_not_mix);
    tcase_add_test(tcase, batch_without_producer_is_not_noted);
    tcase_add_test(tcase, control_batch_counts_for_the_epoch_alone);
    tcase_add_test(tcase, silent_producers_expire);
    tcase_add_test(tcase, too_many_producers_drop_the_oldest);
    tcase_add_test(tcase, snapshot_keeps_the_last_batches_of_each);
    tcase_add_test(tcase, snapshot_keeps_all_batches_that_may_come_again);
    tcase_add_test(tcase, batches_before_a_gap_are_forgotten);
    tcase_add_test(tcase, snapshot_has_kafkas_bytes);
    tcase_add_test(tcase, damaged_snapshot_is_refused);
    tcase_add_loop_test(tcase, impossible_snapshot_entry_is_refused, 0, COUNT(entries));
    suite_add_tcase(suite, tcase);
}
