/* SPDX-License-Identifier: Apache-2.0 */
#include "core/input.h"

#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define LEAST ((uint32_t)1000)

static struct heap heap;
static struct memory memory;
static struct input_room room;
static struct input input;

static void start(void)
{
    heap_memory(&heap, &memory);
    room = (struct input_room){&memory, MEMORY_RECEIVE, LEAST};
    input = (struct input){0};
}

static void end(void)
{
    buffer_release(input.buffer);
    ck_assert_uint_eq(heap.blocks, 0);
}

static uint32_t room_made(void)
{
    ck_assert_uint_eq(input_make_room(&input, &room, 0), 0);
    return input.buffer->capacity - input.end;
}

/* A burst of so many bytes comes, and is taken. Returns in how many pieces it came. */
static int receive(uint32_t count)
{
    int pieces = 0;
    for (; count > 0; pieces++) {
        const uint32_t made = room_made();
        const uint32_t came = count < made ? count : made;
        input_received(&input, came);
        count -= came;
    }
    input.start = input.end;
    input_settle(&input);
    return pieces;
}

START_TEST(room_grows_with_what_comes_at_once)
{
    ck_assert_int_eq(receive(LEAST - 1), 1);
    ck_assert_uint_eq(room_made(), LEAST);
    ck_assert_int_eq(receive(LEAST + LEAST / 50), 2);
    ck_assert_int_eq(receive(LEAST + LEAST / 50), 1);
    ck_assert_int_eq(receive(LEAST + LEAST / 50), 1);
    ck_assert_uint_eq(room_made(), 2 * LEAST);
}
END_TEST

START_TEST(room_grows_so_far_and_no_further)
{
    for (int i = 0; i < 10; i++)
        receive(50 * LEAST);
    ck_assert_uint_eq(room_made(), LEAST << INPUT_DOUBLINGS_MAX);
}
END_TEST

START_TEST(room_shrinks_again)
{
    receive(50 * LEAST);
    for (int i = 0; i < INPUT_DOUBLINGS_MAX; i++)
        receive(1);
    ck_assert_uint_eq(room_made(), LEAST);
}
END_TEST

/* Readiness that had nothing behind it says nothing of what the peer sends. */
START_TEST(nothing_received_changes_nothing)
{
    receive(50 * LEAST);
    const uint32_t made = room_made();
    input_received(&input, 0);
    input_settle(&input);
    ck_assert_uint_eq(room_made(), made);
}
END_TEST

START_TEST(half_of_the_memory_is_left_to_others)
{
    receive(50 * LEAST);
    memory.limit_bytes[MEMORY_RECEIVE] = (uint64_t)6 * LEAST;
    ck_assert_uint_eq(room_made(), 2 * LEAST);
    buffer_release(input.buffer);
    input.buffer = NULL;
    memory.limit_bytes[MEMORY_RECEIVE] = (uint64_t)2 * LEAST;
    ck_assert_uint_eq(room_made(), LEAST);
}
END_TEST

START_TEST(the_beginning_of_a_frame_moves_to_the_room)
{
    receive(50 * LEAST);
    receive(50 * LEAST);
    ck_assert_uint_eq(room_made(), LEAST << INPUT_DOUBLINGS_MAX);
    input_received(&input, 10);
    input_shrink(&input);
    ck_assert_uint_eq(input.buffer->capacity, 10);
    ck_assert_uint_ge(room_made(), LEAST);
    ck_assert_uint_eq(input_length(&input), 10);
}
END_TEST

SUITE(input)
{
    TCase *tcase = tcase_create("input");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, room_grows_with_what_comes_at_once);
    tcase_add_test(tcase, room_grows_so_far_and_no_further);
    tcase_add_test(tcase, room_shrinks_again);
    tcase_add_test(tcase, nothing_received_changes_nothing);
    tcase_add_test(tcase, half_of_the_memory_is_left_to_others);
    tcase_add_test(tcase, the_beginning_of_a_frame_moves_to_the_room);
    suite_add_tcase(suite, tcase);
}
