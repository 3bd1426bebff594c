/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/timer.h"

#include "core/base/rng.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define TIMERS 500

static struct heap heap;
static struct memory memory;
static struct timers timers;
static struct timer many[TIMERS];
static int fired[2 * TIMERS];
static int fired_count;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    timers_init(&timers, &memory);
    fired_count = 0;
}

static void tear_down(void)
{
    timers_clear(&timers);
    ck_assert_uint_eq(heap.blocks, 0);
}

static void note(struct timer *timer)
{
    ck_assert(!timer_is_set(timer));
    fired[fired_count++] = (int)(timer - many);
}

static void note_and_set_anew(struct timer *timer)
{
    note(timer);
    timer_set(&timers, timer, 1, note);
}

static void note_and_cancel_next(struct timer *timer)
{
    note(timer);
    timer_cancel(&timers, timer + 1);
}

START_TEST(earliest_deadline_is_known)
{
    ck_assert_uint_eq(timers_next_us(&timers), TIMER_NEVER);
    timer_set(&timers, &many[0], 30, note);
    timer_set(&timers, &many[1], 10, note);
    timer_set(&timers, &many[2], 20, note);
    ck_assert_uint_eq(timers_next_us(&timers), 10);
    timer_cancel(&timers, &many[1]);
    timer_cancel(&timers, &many[1]);
    ck_assert(!timer_is_set(&many[1]) && timer_is_set(&many[0]));
    ck_assert_uint_eq(timers_next_us(&timers), 20);
    timer_set(&timers, &many[2], 40, note);
    ck_assert_uint_eq(timers_next_us(&timers), 30);
}
END_TEST

START_TEST(due_timers_fire_once_in_order)
{
    timer_set(&timers, &many[0], 30, note);
    timer_set(&timers, &many[1], 10, note);
    timer_set(&timers, &many[2], 10, note);
    timer_set(&timers, &many[3], 31, note);
    timers_run(&timers, 9);
    ck_assert_int_eq(fired_count, 0);
    timers_run(&timers, 30);
    ck_assert_int_eq(fired_count, 3);
    ck_assert_int_eq(fired[0], 1);
    ck_assert_int_eq(fired[1], 2);
    ck_assert_int_eq(fired[2], 0);
    timers_run(&timers, 30);
    ck_assert_int_eq(fired_count, 3);
}
END_TEST

START_TEST(timer_set_anew_for_the_past_waits_for_the_next_run)
{
    timer_set(&timers, &many[0], 10, note_and_set_anew);
    timer_set(&timers, &many[1], 20, note);
    timers_run(&timers, 30);
    ck_assert_int_eq(fired_count, 2);
    ck_assert_int_eq(fired[1], 1);
    ck_assert_uint_eq(timers_next_us(&timers), 30);
    timers_run(&timers, 30);
    ck_assert_int_eq(fired_count, 3);
    ck_assert_int_eq(fired[2], 0);
}
END_TEST

START_TEST(action_may_cancel_another_that_is_due)
{
    timer_set(&timers, &many[0], 10, note_and_cancel_next);
    timer_set(&timers, &many[1], 10, note);
    timers_run(&timers, 10);
    ck_assert_int_eq(fired_count, 1);
    ck_assert_uint_eq(timers_next_us(&timers), TIMER_NEVER);
}
END_TEST

/* Sets, moves and cancels at random, compared with a plain search for the least. */
START_TEST(heap_agrees_with_a_search)
{
    struct rng rng;

    rng_init(&rng, (uint64_t)_i);
    for (int step = 0; step < 5000; step++) {
        struct timer *timer = &many[rng_next(&rng) % TIMERS];
        if (rng_next(&rng) % 3 == 0)
            timer_cancel(&timers, timer);
        else
            timer_set(&timers, timer, 1 + rng_next(&rng) % 1000, note);
        uint64_t least_us = TIMER_NEVER;
        for (int i = 0; i < TIMERS; i++)
            if (timer_is_set(&many[i]) && many[i].due_us < least_us)
                least_us = many[i].due_us;
        ck_assert_uint_eq(timers_next_us(&timers), least_us);
    }
    const int count = (int)timers.count;
    timers_run(&timers, 1000);
    ck_assert_int_eq(fired_count, count);
    for (int i = 1; i < count; i++) {
        const struct timer *a = &many[fired[i - 1]];
        const struct timer *b = &many[fired[i]];
        ck_assert(a->due_us < b->due_us || (a->due_us == b->due_us && a->sequence < b->sequence));
    }
}
END_TEST

START_TEST(what_the_clock_cannot_count_is_never)
{
    ck_assert_uint_eq(timer_after_ms(7, 0), 7);
    ck_assert_uint_eq(timer_after_ms(7, 2), 2007);
    ck_assert_uint_eq(timer_after_ms(7, INT64_MAX), TIMER_NEVER);
    ck_assert_uint_eq(timer_after_ms(615, INT64_C(18446744073709551)), TIMER_NEVER);
    ck_assert_uint_eq(timer_after_ms(614, INT64_C(18446744073709551)), TIMER_NEVER - 1);
}
END_TEST

START_TEST(cleared_timers_are_not_set)
{
    timer_set(&timers, &many[0], 10, note);
    timers_clear(&timers);
    ck_assert(!timer_is_set(&many[0]));
    timers_run(&timers, 10);
    ck_assert_int_eq(fired_count, 0);
}
END_TEST

SUITE(timer)
{
    TCase *tcase = tcase_create("timer");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, earliest_deadline_is_known);
    tcase_add_test(tcase, due_timers_fire_once_in_order);
    tcase_add_test(tcase, timer_set_anew_for_the_past_waits_for_the_next_run);
    tcase_add_test(tcase, action_may_cancel_another_that_is_due);
    tcase_add_loop_test(tcase, heap_agrees_with_a_search, 1, 4);
    tcase_add_test(tcase, what_the_clock_cannot_count_is_never);
    tcase_add_test(tcase, cleared_timers_are_not_set);
    suite_add_tcase(suite, tcase);
}
