/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/checkpoint.h"

#include <string.h>

#include "core/wire/error.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct arena arena;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_READ, 100000);
}

static void tear_down(void)
{
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

START_TEST(entries_come_back)
{
    static const char text[] = "0\n2\norders 0 9223372036854775807\na.b-c_D 2147483647 0\n";
    struct text_writer writer;
    uint8_t out[200];
    struct checkpoint_entry *entries;
    uint32_t count;

    for (size_t capacity = 0; capacity <= sizeof(out); capacity++) {
        memset(out, 0xee, sizeof(out));
        checkpoint_write_head(&writer, out, capacity, 2);
        checkpoint_write_entry(&writer, SPAN("orders"), 0, INT64_MAX);
        checkpoint_write_entry(&writer, SPAN("a.b-c_D"), INT32_MAX, 0);
        ck_assert_uint_eq(writer.length, strlen(text));
        const size_t kept = capacity < writer.length ? capacity : writer.length;
        ck_assert(memcmp(out, text, kept) == 0);
        ck_assert(kept == sizeof(out) || out[kept] == 0xee);
    }
    ck_assert_int_eq(checkpoint_read(span_text(text), &arena, &entries, &count), ERR_NONE);
    ck_assert_uint_eq(count, 2);
    ck_assert(span_equal(entries[0].topic, SPAN("orders")));
    ck_assert_int_eq(entries[0].partition, 0);
    ck_assert_int_eq(entries[0].offset, INT64_MAX);
    ck_assert(span_equal(entries[1].topic, SPAN("a.b-c_D")));
    ck_assert_int_eq(entries[1].partition, INT32_MAX);
    ck_assert_int_eq(entries[1].offset, 0);
    ck_assert_int_eq(checkpoint_read(SPAN("0\n0\n"), &arena, &entries, &count), ERR_NONE);
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* The longest topic name there is, and the longest numbers. */
START_TEST(longest_entry_is_written)
{
    struct text_writer writer;
    uint8_t name[249];

    memset(name, 'n', sizeof(name));
    checkpoint_write_head(&writer, NULL, 0, UINT64_MAX);
    const size_t head = writer.length;
    checkpoint_write_entry(&writer, span_of(name, sizeof(name)), INT32_MIN, INT64_MIN);
    ck_assert_uint_eq(writer.length, head + 249 + 1 + 11 + 1 + 20 + 1);
}
END_TEST

static const char *const damaged[] = {
    "",
    "0\n",
    "1\n0\n",
    "0\n1\n",
    "0\n-1\n",
    "0\n1\nt 0 0",
    "0\n1\nt 0\n",
    "0\n1\n 10 100\n",
    "0\n1\nt\x01 0 0\n",
    "0\n1\n../t 0 0\n",
    "0\n1\n\xc3\xa4 0 0\n",
    "0\n1\nt 0 0 0\n",
    "0\n1\nt 0 0 \n",
    "0\n1\nt 0 -1\n",
    "0\n1\nt -1 0\n",
    "0\n1\nt 2147483648 0\n",
    "0\n1\nt 0 9223372036854775808\n",
    "0\n1\nt 0 x\n",
    "0\n1\nt 00 0\n",
    "0\n1\nt 0 0\nt 1 0\n",
    "0\n2\nt 0 0\n",
    "0\n4294967295\nt 0 0\n",
};

START_TEST(damaged_checkpoint_is_refused)
{
    struct checkpoint_entry *entries;
    uint32_t count;

    ck_assert_int_eq(checkpoint_read(span_text(damaged[_i]), &arena, &entries, &count),
                     ERR_MALFORMED);
}
END_TEST

START_TEST(checkpoint_beyond_the_arena_is_refused)
{
    struct checkpoint_entry *entries;
    uint32_t count;

    arena.limit_bytes = sizeof(*entries) - 1;
    ck_assert_int_eq(checkpoint_read(SPAN("0\n1\nt 0 0\n"), &arena, &entries, &count),
                     ERR_ARENA_FULL);
}
END_TEST

START_TEST(partition_metadata_comes_back)
{
    static const char text[] = "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n";
    const struct uuid id = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
    uint8_t out[PARTITION_METADATA_BYTES];
    struct uuid back;

    partition_metadata_write(id, out);
    ck_assert_uint_eq(sizeof(out), strlen(text));
    ck_assert_mem_eq(out, text, sizeof(out));
    ck_assert_int_eq(partition_metadata_read(span_text(text), &back), ERR_NONE);
    ck_assert(uuid_equal(back, id));
    /* As Kafka itself writes it. */
    ck_assert_int_eq(partition_metadata_read(span_of(text, strlen(text) - 1), &back), ERR_NONE);
    ck_assert(uuid_equal(back, id));
}
END_TEST

static const char *const damaged_metadata[] = {
    "",
    "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0OD",
    "version: 1\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n",
    "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0OD\n",
    "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0OD!\n",
    "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n\n",
    "version: 0\ntopic_ie: AAECAwQFBgcICQoLDA0ODw\n",
    "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw ",
};

START_TEST(damaged_partition_metadata_is_refused)
{
    struct uuid back;

    ck_assert_int_eq(partition_metadata_read(span_text(damaged_metadata[_i]), &back),
                     ERR_MALFORMED);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(checkpoint)
{
    TCase *tcase = tcase_create("checkpoint");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, entries_come_back);
    tcase_add_test(tcase, longest_entry_is_written);
    tcase_add_loop_test(tcase, damaged_checkpoint_is_refused, 0, COUNT(damaged));
    tcase_add_test(tcase, checkpoint_beyond_the_arena_is_refused);
    tcase_add_test(tcase, partition_metadata_comes_back);
    tcase_add_loop_test(tcase, damaged_partition_metadata_is_refused, 0, COUNT(damaged_metadata));
    suite_add_tcase(suite, tcase);
}
