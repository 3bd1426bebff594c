/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/timer.h"

#include <stddef.h>

#include "core/base/check.h"

void timers_init(struct timers *timers, struct memory *memory)
{
    *timers = (struct timers){.memory = memory};
}

static bool timer_before(const struct timer *a, const struct timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->sequence < b->sequence;
}

static void heap_put(struct timers *timers, uint32_t place, struct timer *timer)
{
    timers->heap[place - 1] = timer;
    timer->place = place;
}

/* Puts `timer` at `place` or above, moving later ones down. */
static void heap_rise(struct timers *timers, uint32_t place, struct timer *timer)
{
    while (place > 1 && timer_before(timer, timers->heap[place / 2 - 1])) {
        heap_put(timers, place, timers->heap[place / 2 - 1]);
        place /= 2;
    }
    heap_put(timers, place, timer);
}

/* Puts `timer` at `place` or below, moving earlier ones up. */
static void heap_sink(struct timers *timers, uint32_t place, struct timer *timer)
{
    for (;;) {
        uint32_t child = 2 * place;
        if (child > timers->count)
            break;
        if (child < timers->count && timer_before(timers->heap[child], timers->heap[child - 1]))
            child++;
        if (!timer_before(timers->heap[child - 1], timer))
            break;
        heap_put(timers, place, timers->heap[child - 1]);
        place = child;
    }
    heap_put(timers, place, timer);
}

uint64_t timer_after_ms(uint64_t now_us, int64_t after_ms)
{
    const uint64_t left_ms = (TIMER_NEVER - now_us) / 1000;
    return (uint64_t)after_ms > left_ms ? TIMER_NEVER : now_us + (uint64_t)after_ms * 1000;
}

void timer_set(struct timers *timers, struct timer *timer, uint64_t due_us, timer_action *action)
{
    timer_cancel(timers, timer);
    CHECK(timers->count < UINT32_MAX / 2);
    timers->heap = memory_grow(timers->memory, timers->heap, &timers->capacity, timers->count + 1,
                               sizeof(*timers->heap));
    /* A deadline in the past lies at the latest run, behind all that were due then: otherwise one
     * that an action sets anew could go before timers that have waited longer. */
    timer->due_us = due_us < timers->now_us ? timers->now_us : due_us;
    timer->sequence = timers->sequence++;
    timer->action = action;
    timers->count++;
    heap_rise(timers, timers->count, timer);
}

void timer_cancel(struct timers *timers, struct timer *timer)
{
    const uint32_t place = timer->place;

    if (place == 0)
        return;
    CHECK(place <= timers->count && timers->heap[place - 1] == timer);
    struct timer *last = timers->heap[timers->count - 1];
    timers->count--;
    timer->place = 0;
    if (last == timer)
        return;
    if (place > 1 && timer_before(last, timers->heap[place / 2 - 1]))
        heap_rise(timers, place, last);
    else
        heap_sink(timers, place, last);
}

bool timer_is_set(const struct timer *timer)
{
    return timer->place != 0;
}

uint64_t timers_next_us(const struct timers *timers)
{
    return timers->count == 0 ? TIMER_NEVER : timers->heap[0]->due_us;
}

void timers_run(struct timers *timers, uint64_t now_us)
{
    const uint64_t sequence_end = timers->sequence;

    if (now_us > timers->now_us)
        timers->now_us = now_us;
    while (timers->count > 0) {
        struct timer *timer = timers->heap[0];
        if (timer->due_us > now_us || timer->sequence >= sequence_end)
            break;
        timer_cancel(timers, timer);
        timer->action(timer);
    }
}

void timers_clear(struct timers *timers)
{
    for (uint32_t i = 0; i < timers->count; i++)
        timers->heap[i]->place = 0;
    memory_give(timers->memory, MEMORY_STATE, timers->heap,
                timers->capacity * sizeof(*timers->heap));
    timers_init(timers, timers->memory);
}
