/* SPDX-License-Identifier: Apache-2.0 */
/* A heap with four children a node: half as deep as a binary one, and a node's children lie
 * together. */
#include "sim/queue.h"

#include <stdlib.h>

#include "sim/chance.h"
#include "sim/memory.h"

#define CHILDREN 4

void queue_init(struct queue *queue, const struct chance_source *source)
{
    *queue = (struct queue){0};
    chance_stream(&queue->rng, source, "ties", 0);
}

void queue_clear(struct queue *queue)
{
    while (queue->count > 0)
        queue->items[--queue->count].task->place = 0;
}

void queue_free(struct queue *queue)
{
    free(queue->items);
}

static bool is_before(const struct queue_item *a, const struct queue_item *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->tie < b->tie;
}

static void put_at(struct queue *queue, uint32_t index, struct queue_item item)
{
    queue->items[index] = item;
    item.task->place = index + 1;
}

static void sift_up(struct queue *queue, uint32_t index)
{
    const struct queue_item item = queue->items[index];
    while (index > 0) {
        const uint32_t parent = (index - 1) / CHILDREN;
        if (!is_before(&item, &queue->items[parent]))
            break;
        put_at(queue, index, queue->items[parent]);
        index = parent;
    }
    put_at(queue, index, item);
}

static void sift_down(struct queue *queue, uint32_t index)
{
    const struct queue_item item = queue->items[index];
    for (;;) {
        const uint32_t first = index * CHILDREN + 1;
        uint32_t least = index;
        const struct queue_item *least_item = &item;
        for (uint32_t i = first; i < first + CHILDREN && i < queue->count; i++) {
            if (is_before(&queue->items[i], least_item)) {
                least = i;
                least_item = &queue->items[i];
            }
        }
        if (least == index)
            break;
        put_at(queue, index, *least_item);
        index = least;
    }
    put_at(queue, index, item);
}

void queue_put(struct queue *queue, struct task *task, uint64_t due_us,
               void (*run)(struct task *task))
{
    queue_put_aside(queue, task, due_us, run, &queue->rng);
}

void queue_put_aside(struct queue *queue, struct task *task, uint64_t due_us,
                     void (*run)(struct task *task), struct chance *ties)
{
    queue_cancel(queue, task);
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity * 2 + 64;
        queue->items = sim_allocate(queue->items, queue->capacity * sizeof(*queue->items));
    }
    task->due_us = due_us;
    task->cause = queue->cause;
    task->run = run;
    put_at(queue, queue->count++,
           (struct queue_item){.due_us = due_us, .tie = chance_draw(ties), .task = task});
    sift_up(queue, queue->count - 1);
}

void queue_cancel(struct queue *queue, struct task *task)
{
    if (task->place == 0)
        return;
    const uint32_t index = task->place - 1;
    const struct queue_item last = queue->items[--queue->count];
    task->place = 0;
    if (last.task == task)
        return;
    put_at(queue, index, last);
    sift_down(queue, index);
    sift_up(queue, last.task->place - 1);
}

uint64_t queue_due_us(const struct queue *queue)
{
    return queue->count == 0 ? QUEUE_NEVER : queue->items[0].due_us;
}

struct task *queue_take(struct queue *queue)
{
    if (queue->count == 0)
        return NULL;
    struct task *task = queue->items[0].task;
    queue_cancel(queue, task);
    queue->cause = task->cause;
    return task;
}
