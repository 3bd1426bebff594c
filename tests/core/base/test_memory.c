/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/format.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;

static void set_up(void)
{
    heap_memory(&heap, &memory);
}

static void nothing_is_out(void)
{
    ck_assert_uint_eq(heap.blocks, 0);
    for (int budget = 0; budget < MEMORY_BUDGETS; budget++)
        ck_assert_uint_eq(memory.used_bytes[budget], 0);
}

static bool is_zero(const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((const uint8_t *)bytes)[i] != 0)
            return false;
    return true;
}

START_TEST(memory_is_counted_by_budget)
{
    void *state = memory_take(&memory, MEMORY_STATE, 100);
    void *read = memory_take(&memory, MEMORY_READ, 50);

    ck_assert(is_zero(state, 100));
    ck_assert_uint_eq(memory.used_bytes[MEMORY_STATE], 100);
    ck_assert_uint_eq(memory.used_bytes[MEMORY_READ], 50);
    memory_give(&memory, MEMORY_STATE, state, 100);
    memory_give(&memory, MEMORY_READ, read, 50);
    memory_give(&memory, MEMORY_READ, NULL, 50);
}
END_TEST

static const struct {
    uint64_t limit_bytes;
    size_t used;
    size_t asked;
    bool given;
} limits[] = {
    {0, 1000, 1 << 20, true}, /* no limit */
    {100, 60, 40, true},      {100, 60, 41, false},      {100, 100, 1, false},
    {100, 1, 101, false},     {100, 1, SIZE_MAX, false}, {1, 1, 1, false},
};

START_TEST(memory_beyond_the_limit_is_refused)
{
    memory.limit_bytes[MEMORY_SEND] = limits[_i].limit_bytes;
    void *first = memory_take(&memory, MEMORY_SEND, limits[_i].used);
    ck_assert_ptr_nonnull(first);
    void *second = memory_take(&memory, MEMORY_SEND, limits[_i].asked);
    ck_assert_int_eq(second != NULL, limits[_i].given);
    if (second == NULL)
        ck_assert_uint_eq(memory.used_bytes[MEMORY_SEND], limits[_i].used);
    memory_give(&memory, MEMORY_SEND, second, limits[_i].asked);
    memory_give(&memory, MEMORY_SEND, first, limits[_i].used);
}
END_TEST

START_TEST(memory_that_the_allocator_lacks_is_refused)
{
    heap.fail_at = 1;
    ck_assert_ptr_null(memory_take(&memory, MEMORY_REQUEST, 8));
}
END_TEST

START_TEST(memory_for_state_is_never_refused)
{
    heap.fail_at = 1;
    memory_take(&memory, MEMORY_STATE, 8);
}
END_TEST

START_TEST(array_grows_and_keeps_what_it_has)
{
    uint32_t *items = NULL;
    uint32_t capacity = 0;
    uint32_t moves = 0;

    for (uint32_t count = 0; count < 1000; count++) {
        const uint32_t *before = items;
        items = memory_grow(&memory, items, &capacity, count + 1, sizeof(*items));
        moves += items != before;
        ck_assert_uint_eq(items[count], 0);
        items[count] = count + 1;
    }
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(items[i], i + 1);
    ck_assert_uint_le(moves, 10);
    items = memory_grow(&memory, items, &capacity, 5000, sizeof(*items));
    ck_assert_uint_eq(capacity, 5000);
    memory_give(&memory, MEMORY_STATE, items, capacity * sizeof(*items));
}
END_TEST

START_TEST(arena_pieces_are_zeroed_aligned_and_apart)
{
    struct arena arena;
    uint8_t *pieces[200];

    arena_init(&arena, &memory, MEMORY_REQUEST, 1 << 20);
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_take(&arena, i);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        ck_assert(is_zero(pieces[i], i));
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_eq(pieces[i][j], i);
    arena_reset(&arena);
    nothing_is_out();
    ck_assert_ptr_nonnull(arena_take(&arena, 3 << 10));
    arena_reset(&arena);
}
END_TEST

START_TEST(arena_ends_at_its_limit)
{
    struct arena arena;

    arena_init(&arena, &memory, MEMORY_REQUEST, 100);
    ck_assert_ptr_null(arena_take(&arena, 101));
    ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 8 + 2, 8));
    ck_assert_ptr_null(arena_take(&arena, SIZE_MAX));
    ck_assert_ptr_nonnull(arena_array(&arena, 10, 6));
    ck_assert_ptr_nonnull(arena_take(&arena, 40));
    ck_assert_ptr_null(arena_take(&arena, 1));
    ck_assert_ptr_null(arena_take(&arena, 0));
    arena_reset(&arena);
    ck_assert_ptr_nonnull(arena_take(&arena, 100));
    arena_reset(&arena);
}
END_TEST

START_TEST(arena_ends_at_the_budgets_limit)
{
    struct arena arena;

    memory.limit_bytes[MEMORY_REQUEST] = 2000;
    arena_init(&arena, &memory, MEMORY_REQUEST, 1 << 20);
    ck_assert_ptr_nonnull(arena_take(&arena, 500));
    ck_assert_ptr_null(arena_take(&arena, 1500));
    ck_assert_ptr_nonnull(arena_take(&arena, 100));
    arena_reset(&arena);
}
END_TEST

START_TEST(arena_copies_and_formats)
{
    struct arena arena;
    char text[] = "topic";

    arena_init(&arena, &memory, MEMORY_REQUEST, 64);
    const struct span copy = arena_copy(&arena, span_text(text));
    text[0] = 'x';
    ck_assert(span_equal(copy, SPAN("topic")));
    ck_assert(span_is_null(arena_copy(&arena, SPAN_NULL)));
    const struct span empty = arena_copy(&arena, SPAN(""));
    ck_assert(!span_is_null(empty) && empty.length == 0);
    const struct span line = arena_format(&arena, "%.*s-%d", SPAN_ARGS(copy), 7);
    ck_assert(span_equal(line, SPAN("topic-7")));
    ck_assert_uint_eq(line.data[line.length], '\0');
    ck_assert(span_is_null(arena_format(&arena, "%100d", 1)));
    arena_reset(&arena);
}
END_TEST

START_TEST(buffer_lives_until_the_last_release)
{
    struct buffer *buffer = buffer_new(&memory, MEMORY_RECEIVE, 1000);

    ck_assert_uint_eq(buffer->capacity, 1000);
    ck_assert_ptr_eq(buffer_hold(buffer), buffer);
    buffer_release(buffer);
    ck_assert_uint_eq(heap.blocks, 1);
    buffer_release(buffer);
    ck_assert_uint_eq(heap.blocks, 0);
    buffer_release(NULL);
    memory.limit_bytes[MEMORY_RECEIVE] = 1000;
    ck_assert_ptr_null(buffer_new(&memory, MEMORY_RECEIVE, 1000));
}
END_TEST

SUITE(memory)
{
    TCase *tcase = tcase_create("memory");
    tcase_add_checked_fixture(tcase, set_up, nothing_is_out);
    tcase_add_test(tcase, memory_is_counted_by_budget);
    tcase_add_loop_test(tcase, memory_beyond_the_limit_is_refused, 0,
                        sizeof(limits) / sizeof(limits[0]));
    tcase_add_test(tcase, memory_that_the_allocator_lacks_is_refused);
    tcase_add_test_raise_signal(tcase, memory_for_state_is_never_refused, SIGABRT);
    tcase_add_test(tcase, array_grows_and_keeps_what_it_has);
    tcase_add_test(tcase, arena_pieces_are_zeroed_aligned_and_apart);
    tcase_add_test(tcase, arena_ends_at_its_limit);
    tcase_add_test(tcase, arena_ends_at_the_budgets_limit);
    tcase_add_test(tcase, arena_copies_and_formats);
    tcase_add_test(tcase, buffer_lives_until_the_last_release);
    suite_add_tcase(suite, tcase);
}
