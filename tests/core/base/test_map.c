/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/map.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/endian.h"
#include "core/base/list.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define NAMES 1000

struct item {
    char name[24];
    struct map_node node;
};

static struct heap heap;
static struct memory memory;
static struct map map;
static struct item items[NAMES];

static void set_up(void)
{
    heap_memory(&heap, &memory);
    map_init(&map, &memory, 4711);
    for (int i = 0; i < NAMES; i++)
        snprintf(items[i].name, sizeof(items[i].name), "name %d", i);
}

static void tear_down(void)
{
    map_clear(&map);
    ck_assert_uint_eq(heap.blocks, 0);
}

static struct item *find(const char *name)
{
    struct map_node *node = map_find(&map, span_text(name));

    return node == NULL ? NULL : container_of(node, struct item, node);
}

static void add_all(void)
{
    for (int i = 0; i < NAMES; i++)
        map_add(&map, &items[i].node, span_text(items[i].name));
}

START_TEST(members_are_found_by_their_bytes)
{
    ck_assert_ptr_null(find("name 1"));
    ck_assert_uint_eq(map_count(&map), 0);
    add_all();
    ck_assert_uint_eq(map_count(&map), NAMES);
    for (int i = 0; i < NAMES; i++)
        ck_assert_ptr_eq(find(items[i].name), &items[i]);
    ck_assert_ptr_null(find("name 1000"));
    ck_assert_ptr_null(find("name"));
    ck_assert_ptr_null(find(""));
}
END_TEST

START_TEST(members_go_and_come_back)
{
    add_all();
    for (int i = 0; i < NAMES; i += 2)
        map_remove(&map, &items[i].node);
    ck_assert_uint_eq(map_count(&map), NAMES / 2);
    for (int i = 0; i < NAMES; i++)
        ck_assert_ptr_eq(find(items[i].name), i % 2 == 0 ? NULL : &items[i]);
    for (int i = 1; i < NAMES; i += 2)
        map_remove(&map, &items[i].node);
    ck_assert_ptr_null(map.first);
    ck_assert_uint_eq(heap.blocks, 0);
    map_add(&map, &items[3].node, span_text(items[3].name));
    ck_assert_ptr_eq(find("name 3"), &items[3]);
}
END_TEST

/* The walk is in the order of insertion under every seed. */
START_TEST(walk_is_in_insertion_order)
{
    int at = 0;

    map_init(&map, &memory, (uint64_t)_i * UINT64_C(0x9e3779b97f4a7c15));
    add_all();
    map_remove(&map, &items[7].node);
    map_add(&map, &items[7].node, span_text(items[7].name));
    for (struct map_node *node = map.first; node != NULL; node = map_next(node)) {
        at += at == 7;
        ck_assert_ptr_eq(node, &items[at == NAMES ? 7 : at].node);
        at++;
    }
    ck_assert_int_eq(at, NAMES + 1);
}
END_TEST

START_TEST(keys_may_hold_any_bytes)
{
    struct map_node nodes[20] = {0};
    const uint8_t zeros[20] = {0};

    for (size_t i = 0; i < 20; i++)
        map_add(&map, &nodes[i], span_of(zeros, i));
    for (size_t i = 0; i < 20; i++)
        ck_assert_ptr_eq(map_find(&map, span_of(zeros, i)), &nodes[i]);
    map_clear(&map);
}
END_TEST

START_TEST(seed_decides_where_a_name_lies)
{
    struct map other;
    struct item twin = {.name = "name 1"};

    map_init(&other, &memory, 4712);
    map_add(&map, &items[1].node, span_text(items[1].name));
    map_add(&other, &twin.node, span_text(twin.name));
    ck_assert_uint_ne(items[1].node.hh.hashv, twin.node.hh.hashv);
    map_clear(&other);
}
END_TEST

/* Keys of any length, whose words differ in few bits. */
START_TEST(trusted_keys_are_found_by_all_their_bytes)
{
    struct item keys[NAMES] = {0};
    const size_t length = (size_t)_i;

    map_init_trusted(&map, &memory, 4711);
    for (int i = 0; i < NAMES; i++) {
        put_be64((uint8_t *)keys[i].name + length - 8, (uint64_t)i << 16);
        map_add(&map, &keys[i].node, span_of(keys[i].name, length));
    }
    for (int i = 0; i < NAMES; i++) {
        struct item twin = keys[i];
        ck_assert_ptr_eq(map_find(&map, span_of(twin.name, length)), &keys[i].node);
        twin.name[length - 1] ^= 1;
        ck_assert_ptr_null(map_find(&map, span_of(twin.name, length)));
    }
    map_clear(&map);
}
END_TEST

/* Keys in a row do not end up in few places: a table of 2048 would be a list else. */
START_TEST(trusted_keys_spread)
{
    struct item keys[NAMES] = {0};
    uint8_t in_place[64] = {0};

    map_init_trusted(&map, &memory, _i);
    for (int i = 0; i < NAMES; i++) {
        put_be64((uint8_t *)keys[i].name, (uint64_t)i << (8 * _i));
        map_add(&map, &keys[i].node, span_of(keys[i].name, 16));
        in_place[keys[i].node.hh.hashv % 64]++;
    }
    for (int i = 0; i < 64; i++)
        ck_assert_uint_le(in_place[i], 4 * NAMES / 64);
    map_clear(&map);
}
END_TEST

SUITE(map)
{
    TCase *tcase = tcase_create("map");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, members_are_found_by_their_bytes);
    tcase_add_test(tcase, members_go_and_come_back);
    tcase_add_loop_test(tcase, walk_is_in_insertion_order, 0, 5);
    tcase_add_test(tcase, keys_may_hold_any_bytes);
    tcase_add_test(tcase, seed_decides_where_a_name_lies);
    tcase_add_loop_test(tcase, trusted_keys_are_found_by_all_their_bytes, 8, 24);
    tcase_add_loop_test(tcase, trusted_keys_spread, 0, 7);
    suite_add_tcase(suite, tcase);
}
