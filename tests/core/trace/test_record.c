/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/record.h"

#include <stdio.h>

#include "core/trace/header.h"
#include "core/wire/error.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define ROOM_BYTES 1024

/* One of each, with the least and the greatest numbers. */
static const struct trace_item items[] = {
    {.kind = TRACE_EVENT,
     .event = {.kind = EVENT_START,
               .mono_us = 5,
               .wall_ms = INT64_MIN,
               .start = {.entropy = {1, 2, 3, [START_ENTROPY_BYTES - 1] = 255}}}},
    {.kind = TRACE_RESULT, .effects = 3, .digest = UINT64_C(0x0123456789abcdef)},
    {.kind = TRACE_EVENT,
     .cleared = true,
     .event = {.kind = EVENT_ACCEPTED,
               .mono_us = UINT64_MAX,
               .wall_ms = INT64_MAX,
               .accepted = {UINT64_MAX, UINT32_MAX, {(const uint8_t *)"::1:5", 5}}}},
    {.kind = TRACE_EVENT,
     .event = {.kind = EVENT_COMPLETED,
               .completed = {.effect = UINT64_MAX, .error = ERR_IO, .count = UINT64_MAX}},
     .bytes = {(const uint8_t *)"payload", 7}},
    {.kind = TRACE_EVENT, .event = {.kind = EVENT_COMPLETED, .completed = {.effect = 1}}},
    {.kind = TRACE_EVENT, .event = {.kind = EVENT_TIMER, .mono_us = 1}},
    {.kind = TRACE_EVENT, .cleared = true, .event = {.kind = EVENT_STOP, .wall_ms = 1}},
    {.kind = TRACE_EVENT, .event = {.kind = EVENT_TURN_END}},
    {.kind = TRACE_RESULT, .effects = UINT32_MAX, .digest = UINT64_MAX},
    {.kind = TRACE_END, .ending = TRACE_ENDING_LIMIT},
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

/* All of them; returns the length. */
static size_t write_items(uint8_t *room)
{
    struct trace_before before = {0};
    uint8_t *at = room;
    for (size_t i = 0; i < ITEMS; i++) {
        const struct span bytes = trace_item_bytes(&items[i]);
        const size_t length = trace_item_write(at, &before, &items[i]);
        ck_assert_uint_le(length, TRACE_ITEM_BYTES_MAX);
        if (bytes.length > 0)
            memcpy(at + length, bytes.data, bytes.length);
        at += length + bytes.length;
    }
    ck_assert_int_le(at - room, ROOM_BYTES);
    return (size_t)(at - room);
}

static void expect_same(const struct trace_item *is, const struct trace_item *was)
{
    ck_assert_int_eq(is->kind, was->kind);
    ck_assert_uint_eq(is->cleared, was->cleared);
    ck_assert_uint_eq(is->effects, was->effects);
    ck_assert_uint_eq(is->digest, was->digest);
    ck_assert_int_eq(is->ending, was->ending);
    ck_assert(span_equal(is->bytes, was->bytes));
    if (is->kind != TRACE_EVENT)
        return;
    ck_assert_int_eq(is->event.kind, was->event.kind);
    ck_assert_uint_eq(is->event.mono_us, was->event.mono_us);
    ck_assert_int_eq(is->event.wall_ms, was->event.wall_ms);
    if (is->event.kind == EVENT_START) {
        ck_assert_mem_eq(is->event.start.entropy, was->event.start.entropy, START_ENTROPY_BYTES);
    } else if (is->event.kind == EVENT_ACCEPTED) {
        ck_assert_uint_eq(is->event.accepted.connection, was->event.accepted.connection);
        ck_assert_uint_eq(is->event.accepted.listener, was->event.accepted.listener);
        ck_assert(span_equal(is->event.accepted.peer, was->event.accepted.peer));
    } else if (is->event.kind == EVENT_COMPLETED) {
        ck_assert_uint_eq(is->event.completed.effect, was->event.completed.effect);
        ck_assert_int_eq(is->event.completed.error, was->event.completed.error);
        ck_assert_uint_eq(is->event.completed.count, was->event.completed.count);
    }
}

START_TEST(items_come_back_as_they_were)
{
    uint8_t room[ROOM_BYTES];
    struct span rest = span_of(room, write_items(room));
    struct trace_before before = {0};
    for (size_t i = 0; i < ITEMS; i++) {
        struct trace_item item;
        ck_assert(trace_item_read(&rest, &before, &item));
        expect_same(&item, &items[i]);
    }
    ck_assert_uint_eq(rest.length, 0);
}
END_TEST

/* How many items a run of bytes holds before one that is none. */
static size_t count_items(struct span rest)
{
    struct trace_before before = {0};
    struct trace_item item;
    size_t count = 0;
    while (rest.length > 0 && trace_item_read(&rest, &before, &item))
        count++;
    return rest.length > 0 ? count : ITEMS + count;
}

START_TEST(items_that_are_cut_or_spoilt_are_refused)
{
    uint8_t room[ROOM_BYTES];
    const size_t length = write_items(room);
    ck_assert_uint_eq(count_items(span_of(room, length)), 2 * ITEMS);
    for (size_t cut = 0; cut < length; cut++)
        ck_assert_uint_lt(count_items(span_of(room, cut)), 2 * ITEMS);
    static const uint8_t spoilt[][12] = {
        {0x06},                      /* no event */
        {0x12},                      /* no item */
        {0x90},                      /* a result cannot be after anything */
        {0x11, TRACE_ENDINGS},       /* no ending */
        {0x10, 0x80, 0x80},          /* a number without an end */
        {0x01, 0, 0, 2, 2, 0xfe, 1}, /* a name longer than what is left */
    };
    for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++)
        ck_assert_uint_eq(count_items(span_of(spoilt[i], i == 4 ? 3 : sizeof(spoilt[i]))), 0);
}
END_TEST

START_TEST(entries_come_back_as_they_were)
{
    const struct folder_entry entries[] = {
        {.name = SPAN("a"), .size_bytes = 0, .is_folder = true},
        {.name = SPAN("00000000000000000000.log"), .size_bytes = UINT64_MAX},
        {.name = SPAN(""), .size_bytes = 1},
    };
    uint8_t room[128];
    const size_t size = trace_entries_size(entries, 3);
    ck_assert_uint_le(size, sizeof(room));
    trace_entries_write(room, entries, 3);
    struct span rest = span_of(room, size);
    struct folder_entry entry;
    for (int i = 0; i < 3; i++) {
        ck_assert(trace_entry_read(&rest, &entry));
        ck_assert(span_equal(entry.name, entries[i].name));
        ck_assert_uint_eq(entry.size_bytes, entries[i].size_bytes);
        ck_assert_int_eq(entry.is_folder, entries[i].is_folder);
    }
    ck_assert_uint_eq(rest.length, 0);
    ck_assert(!trace_entry_read(&rest, &entry));
    room[size - 1] = 2;
    rest = span_of(room + size - 3, 3);
    ck_assert(!trace_entry_read(&rest, &entry));
}
END_TEST

START_TEST(chunks_are_whole_or_not_there)
{
    uint8_t file[64] = {0};
    struct span items_read;
    memcpy(file + TRACE_CHUNK_HEAD_BYTES, "0123456789", 10);
    trace_chunk_head(file, span_of(file + TRACE_CHUNK_HEAD_BYTES, 4),
                     span_of(file + TRACE_CHUNK_HEAD_BYTES + 4, 6));
    const size_t length = TRACE_CHUNK_HEAD_BYTES + 10;
    struct span rest = span_of(file, length + 3);
    ck_assert(trace_chunk_read(&rest, &items_read));
    ck_assert(span_equal(items_read, SPAN("0123456789")));
    ck_assert_ptr_eq(rest.data, file + length);
    ck_assert_uint_eq(rest.length, 3);
    for (size_t cut = 0; cut < length; cut++) {
        rest = span_of(file, cut);
        ck_assert(!trace_chunk_read(&rest, &items_read));
        ck_assert_uint_eq(rest.length, cut);
    }
    for (size_t i = 0; i < length; i++) {
        file[i] ^= 1;
        rest = span_of(file, sizeof(file));
        ck_assert(!trace_chunk_read(&rest, &items_read));
        file[i] ^= 1;
    }
}
END_TEST

static void report(void *context, bool is_refused, uint32_t place, struct span text)
{
    (void)context;
    (void)place;
    (void)text;
    ck_assert(!is_refused);
}

/* Its header in `room`. Returns the length. */
static size_t write_header(uint8_t *room, size_t room_bytes, const struct conf *conf)
{
    const size_t length = trace_header_size(SPAN("1.2.3"), conf);
    ck_assert_uint_le(length, room_bytes);
    trace_header_write(room, SPAN("1.2.3"), conf);
    return length;
}

START_TEST(settings_come_back_as_they_were)
{
    static uint8_t room[8192];
    struct heap heap;
    struct memory memory;
    struct conf was;
    struct conf is;
    struct trace_header header;
    heap_memory(&heap, &memory);
    conf_init(&was, &memory, report, NULL);
    conf_set(&was, SPAN("listeners"), SPAN("PLAINTEXT://:9092"), 3);
    conf_set(&was, SPAN("node.id"), SPAN(" 7 "), 4);
    conf_set(&was, SPAN("broker.rack"), SPAN(""), 5);
    ck_assert_int_eq(conf_check(&was, SPAN("host.example")), 0);
    struct span file = span_of(room, write_header(room, sizeof(room), &was));
    ck_assert_ptr_null(trace_header_read(&file, &header));
    ck_assert_uint_eq(file.length, 0);
    ck_assert(span_equal(header.program, SPAN("1.2.3")));
    conf_init(&is, &memory, report, NULL);
    ck_assert_int_eq(trace_header_conf(&header, &is), 0);
    for (int key = 0; key < CONF_KEYS; key++) {
        ck_assert_int_eq(is.values[key].source, was.values[key].source);
        ck_assert_int_eq(is.values[key].integer, was.values[key].integer);
        ck_assert(is.values[key].real == was.values[key].real);
        ck_assert(span_equal(is.values[key].text, was.values[key].text));
        ck_assert_int_eq(conf_has(&is, (enum conf_key)key), conf_has(&was, (enum conf_key)key));
    }
    ck_assert_int_eq(is.node_id, 7);
    ck_assert(span_equal(is.listeners[0].advertised_host, SPAN("host.example")));
    conf_free(&is);
    conf_free(&was);
    ck_assert_uint_eq(heap.blocks, 0);
}
END_TEST

START_TEST(headers_that_are_cut_or_spoilt_are_refused)
{
    static uint8_t room[8192];
    struct heap heap;
    struct memory memory;
    struct conf conf;
    struct trace_header header;
    heap_memory(&heap, &memory);
    conf_init(&conf, &memory, report, NULL);
    ck_assert_int_eq(conf_check(&conf, SPAN("host.example")), 0);
    const size_t length = write_header(room, sizeof(room), &conf);
    for (size_t cut = 0; cut < length; cut++) {
        struct span file = span_of(room, cut);
        ck_assert_ptr_nonnull(trace_header_read(&file, &header));
    }
    for (size_t i = 0; i < length; i++) {
        struct span file = span_of(room, length);
        room[i] ^= 1;
        ck_assert_ptr_nonnull(trace_header_read(&file, &header));
        room[i] ^= 1;
    }
    room[TRACE_RECORD_MAGIC_BYTES + 3] = TRACE_RECORD_VERSION + 1;
    struct span file = span_of(room, length);
    ck_assert_str_eq(trace_header_read(&file, &header),
                     "it has another version of the format than this program reads");
    conf_free(&conf);
}
END_TEST

SUITE(record)
{
    TCase *tcase = tcase_create("record");
    tcase_add_test(tcase, items_come_back_as_they_were);
    tcase_add_test(tcase, items_that_are_cut_or_spoilt_are_refused);
    tcase_add_test(tcase, entries_come_back_as_they_were);
    tcase_add_test(tcase, chunks_are_whole_or_not_there);
    tcase_add_test(tcase, settings_come_back_as_they_were);
    tcase_add_test(tcase, headers_that_are_cut_or_spoilt_are_refused);
    suite_add_tcase(suite, tcase);
}
