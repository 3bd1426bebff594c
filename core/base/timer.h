/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines: a heap whose top is the one timer that the driver has to set. */
#ifndef CORE_BASE_TIMER_H
#define CORE_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"

struct timer;

/* What a due timer does; it is no longer set when this is called, and may be set again. */
typedef void timer_action(struct timer *timer);

struct timer {
    uint64_t due_us;   /* monotonic; never before the run in which it was set */
    uint64_t sequence; /* equal deadlines fire in the order in which they were set */
    uint32_t place;    /* 1-based in the heap; 0: not set */
    timer_action *action;
};

struct timers {
    struct memory *memory;
    struct timer **heap;
    uint32_t count;
    uint32_t capacity;
    uint64_t sequence;
    uint64_t now_us; /* of the latest run */
};

#define TIMER_NEVER UINT64_MAX

void timers_init(struct timers *timers, struct memory *memory);

/* Sets, or moves, `timer` to `due_us`. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t due_us, timer_action *action);

/* When it is `after_ms` ≥ 0 later than `now_us`; TIMER_NEVER, for which a timer need not be set,
 * when that is more than can be counted: settings have such numbers for "never". */
uint64_t timer_after_ms(uint64_t now_us, int64_t after_ms);

/* Takes `timer` back; a no-op when it is not set. */
void timer_cancel(struct timers *timers, struct timer *timer);

bool timer_is_set(const struct timer *timer);

/* The earliest deadline, or TIMER_NEVER. */
uint64_t timers_next_us(const struct timers *timers);

/* Runs every timer that is due at `now_us`; those that an action sets anew for a past time run in
 * the next call. */
void timers_run(struct timers *timers, uint64_t now_us);

/* Gives the heap's memory back. */
void timers_clear(struct timers *timers);

#endif
