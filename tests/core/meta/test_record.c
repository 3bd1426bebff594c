/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/record.h"

#include "core/wire/error.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct arena arena;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_STATE, 65536);
}

static void tear_down(void)
{
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

static struct span frame_of(const char *bytes, size_t length)
{
    return span_of(bytes, length);
}

#define FRAME(literal) frame_of(literal, sizeof(literal) - 1)

START_TEST(a_frame_is_kafkas)
{
    /* Frame version 1, type 2, version 0; then a compact string, an id, no tagged fields. */
    const struct span expected =
        FRAME("\x01\x02\x00\x04"
              "foo"
              "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x00");
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    record.body.topic.name = SPAN("foo");
    for (uint8_t i = 0; i < 16; i++)
        record.body.topic.topic_id.bytes[i] = i;
    const struct span frame = meta_record_encode(&record, &arena);
    ck_assert_uint_eq(frame.length, expected.length);
    ck_assert_mem_eq(frame.data, expected.data, expected.length);
}
END_TEST

START_TEST(a_partition_change_holds_only_what_changes)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    ck_assert_int_eq(record.body.partition_change.leader, META_LEADER_UNCHANGED);
    ck_assert_int_eq(record.body.partition_change.isr_count, -1);
    record.body.partition_change.partition_id = 7;
    record.body.partition_change.leader = 3;
    const struct span frame = meta_record_encode(&record, &arena);
    const struct span expected = FRAME("\x01\x05\x00"
                                       "\x00\x00\x00\x07"
                                       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                       "\x01\x01\x04\x00\x00\x00\x03");
    ck_assert_uint_eq(frame.length, expected.length);
    ck_assert_mem_eq(frame.data, expected.data, expected.length);
    struct meta_record back;
    ck_assert_int_eq(meta_record_decode(frame, &arena, &back), ERR_NONE);
    ck_assert_int_eq(back.type, META_RECORD_PARTITION_CHANGE);
    ck_assert_int_eq(back.body.partition_change.partition_id, 7);
    ck_assert_int_eq(back.body.partition_change.leader, 3);
    ck_assert_int_eq(back.body.partition_change.isr_count, -1);
}
END_TEST

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    int error;
} frames[] = {
#define ROW(name, literal, error)                 \
    {                                             \
        name, literal, sizeof(literal) - 1, error \
    }
    ROW("empty", "", ERR_CORRUPT_MESSAGE),
    ROW("no type", "\x01", ERR_CORRUPT_MESSAGE),
    ROW("no version", "\x01\x02", ERR_CORRUPT_MESSAGE),
    ROW("no body", "\x01\x02\x00", ERR_CORRUPT_MESSAGE),
    ROW("a varint without an end", "\x81\x80\x80\x80\x80\x80", ERR_CORRUPT_MESSAGE),
    ROW("a varint beyond 32 bits", "\xff\xff\xff\xff\x7f", ERR_CORRUPT_MESSAGE),
    ROW("a frame to come", "\x02\x02\x00", ERR_UNSUPPORTED_VERSION),
    ROW("a type to come", "\x01\x7f\x00", ERR_UNSUPPORTED_VERSION),
    ROW("a version to come", "\x01\x02\x01", ERR_UNSUPPORTED_VERSION),
    ROW("a removed topic", "\x01\x09\x00\1\2\3\4\5\6\7\1\1\2\3\4\5\6\7\1\0", ERR_NONE),
    ROW("bytes behind it", "\x01\x09\x00\1\2\3\4\5\6\7\1\1\2\3\4\5\6\7\1\0x", ERR_CORRUPT_MESSAGE),
#undef ROW
};

START_TEST(frames_are_judged)
{
    struct meta_record record;
    ck_assert_msg(meta_record_decode(span_of(frames[_i].bytes, frames[_i].length), &arena,
                                     &record) == frames[_i].error,
                  "%s", frames[_i].name);
}
END_TEST

SUITE(record)
{
    TCase *tcase = tcase_create("record");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_frame_is_kafkas);
    tcase_add_test(tcase, a_partition_change_holds_only_what_changes);
    tcase_add_loop_test(tcase, frames_are_judged, 0, sizeof(frames) / sizeof(frames[0]));
    suite_add_tcase(suite, tcase);
}
