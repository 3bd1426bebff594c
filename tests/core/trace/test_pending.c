/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/pending.h"

#include "core/base/rng.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct trace_pending pending;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    trace_pending_init(&pending, &memory);
}

static void tear_down(void)
{
    trace_pending_free(&pending);
    ck_assert_uint_eq(heap.blocks, 0);
}

START_TEST(an_effect_is_known_until_it_is_removed)
{
    uint8_t bytes[8];
    struct trace_effect found;
    const struct piece pieces[] = {{.data = bytes, .length = 3}, {.file = 1, .length = 4}};
    const struct effect effects[] = {
        {.kind = EFFECT_RECEIVE, .id = 1, .receive = {.data = bytes, .length = 8}},
        {.kind = EFFECT_READ, .id = 2, .read = {.data = bytes + 1, .length = 7}},
        {.kind = EFFECT_SEND, .id = 3, .send = {.pieces = pieces, .pieces_count = 2}},
        {.kind = EFFECT_WRITE, .id = 4, .write = {.pieces = pieces, .pieces_count = 1}},
        {.kind = EFFECT_SYNC, .id = 5},
    };
    static const uint64_t lengths[] = {8, 7, 7, 3, 0};
    ck_assert(!trace_pending_find(&pending, 1, &found));
    trace_pending_remove(&pending, 1);
    for (int i = 0; i < 5; i++)
        trace_pending_add(&pending, &effects[i], effects[i].id * 10);
    for (int i = 0; i < 5; i++) {
        ck_assert(trace_pending_find(&pending, effects[i].id, &found));
        ck_assert_int_eq(found.kind, effects[i].kind);
        ck_assert_uint_eq(found.length, lengths[i]);
        ck_assert_uint_eq(found.number, effects[i].id * 10);
        ck_assert_ptr_eq(found.data, i < 2 ? bytes + i : NULL);
    }
    trace_pending_remove(&pending, 2);
    trace_pending_remove(&pending, 2);
    ck_assert(!trace_pending_find(&pending, 2, &found));
    ck_assert(!trace_pending_find(&pending, 0, &found));
    ck_assert(trace_pending_find(&pending, 3, &found));
}
END_TEST

/* Ids as the core gives them out, in and out at random, against a table of truth. */
START_TEST(any_order_of_ends_is_right)
{
    enum { SLOTS = 200 };
    uint64_t ids[SLOTS] = {0};
    uint64_t sequence = 0;
    struct rng rng;
    rng_init(&rng, 5);
    for (int round = 0; round < 100000; round++) {
        const uint64_t slot = rng_next(&rng) % SLOTS;
        struct trace_effect found;
        if (ids[slot] != 0) {
            ck_assert(trace_pending_find(&pending, ids[slot], &found));
            ck_assert_uint_eq(found.id, ids[slot]);
            trace_pending_remove(&pending, ids[slot]);
            ck_assert(!trace_pending_find(&pending, ids[slot], &found));
            ids[slot] = 0;
            continue;
        }
        ids[slot] = ++sequence << 24 | slot;
        trace_pending_add(&pending, &(struct effect){.kind = EFFECT_SYNC, .id = ids[slot]}, 0);
    }
    uint32_t left = 0;
    for (int slot = 0; slot < SLOTS; slot++) {
        struct trace_effect found;
        left += ids[slot] != 0;
        ck_assert(trace_pending_find(&pending, ids[slot], &found) == (ids[slot] != 0));
    }
    ck_assert_uint_eq(pending.count, left);
}
END_TEST

SUITE(pending)
{
    TCase *tcase = tcase_create("pending");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_effect_is_known_until_it_is_removed);
    tcase_add_test(tcase, any_order_of_ends_is_right);
    suite_add_tcase(suite, tcase);
}
