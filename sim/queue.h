/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one queue of everything that is going to happen, by time; what is due at the same time comes
 * in an order that the seed draws.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/chance.h"

/* Never: the time of a task that is not queued. */
#define QUEUE_NEVER UINT64_MAX

/* Something to be done at a time; a member of whoever does it. Zeroed: not queued. */
struct task {
    uint64_t due_us;
    uint64_t cause;
    uint32_t place; /* in the heap, counted from 1; 0: not queued */
    void (*run)(struct task *task);
};

/* A place of the heap, with what it is ordered by: comparing does not go to the tasks. */
struct queue_item {
    uint64_t due_us;
    uint64_t tie;
    struct task *task;
};

struct queue {
    uint64_t
        cause; /* of what is going on; a task keeps that of the moment at which it was queued */
    struct queue_item *items;
    uint32_t count;
    uint32_t capacity;
    struct chance rng;
};

/* `source` gives the order of what is due at the same time. */
void queue_init(struct queue *queue, const struct chance_source *source);
/* Takes all tasks back, before those go that they are members of. */
void queue_clear(struct queue *queue);
void queue_free(struct queue *queue);

/* Has `task` run at `due_us`; a task that is queued already is moved. */
void queue_put(struct queue *queue, struct task *task, uint64_t due_us,
               void (*run)(struct task *task));

/* The same, with a tie that `ties` draws: what is put so does not change the ties of all others. */
void queue_put_aside(struct queue *queue, struct task *task, uint64_t due_us,
                     void (*run)(struct task *task), struct chance *ties);

/* Takes a task back; a no-op when it is not queued. */
void queue_cancel(struct queue *queue, struct task *task);

static inline bool task_is_queued(const struct task *task)
{
    return task->place != 0;
}

/* When the next task is due; QUEUE_NEVER when there is none. */
uint64_t queue_due_us(const struct queue *queue);

/* Takes the next task out; NULL when there is none. */
struct task *queue_take(struct queue *queue);

#endif
