/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/check.h"
#include "core/replica/internal.h"

#define TAIL_LEAST 8

static struct tail_batch *tail_at(const struct replica_tail *tail, uint32_t index)
{
    return &tail->batches[(tail->first + index) & (tail->capacity - 1)];
}

static void tail_pop(struct replica_tail *tail)
{
    struct tail_batch *batch = tail_at(tail, 0);
    tail->bytes -= batch->length;
    tail->held_bytes -= batch->buffer->capacity;
    buffer_release(batch->buffer);
    *batch = (struct tail_batch){0};
    tail->first = (tail->first + 1) & (tail->capacity - 1);
    tail->count--;
}

static void tail_grow(struct replica_tail *tail, struct memory *memory)
{
    const uint32_t before = tail->capacity;
    tail->batches = memory_grow(memory, tail->batches, &tail->capacity,
                                before == 0 ? TAIL_LEAST : before * 2, sizeof(struct tail_batch));
    CHECK((tail->capacity & (tail->capacity - 1)) == 0);
    memcpy(tail->batches + before, tail->batches, tail->first * sizeof(struct tail_batch));
}

void tail_add(struct replica_tail *tail, struct memory *memory, const struct log_append *append)
{
    while (tail->count > 0 &&
           (tail->count == TAIL_BATCHES_MAX || tail->bytes + append->length > TAIL_BYTES_MAX))
        tail_pop(tail);
    if (tail->count == tail->capacity)
        tail_grow(tail, memory);
    tail->count++;
    *tail_at(tail, tail->count - 1) = (struct tail_batch){
        .buffer = buffer_hold(append->buffer),
        .data = append->batch,
        .length = append->length,
        .base_offset = append->base_offset,
        .end_offset = append->last_offset + 1,
    };
    tail->bytes += append->length;
    tail->held_bytes += append->buffer->capacity;
}

/* By halving: they are in order, without gaps. */
const struct tail_batch *tail_find(const struct replica_tail *tail, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = tail->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct tail_batch *batch = tail_at(tail, middle);
        if (batch->base_offset == offset)
            return batch;
        if (batch->base_offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void tail_drop(struct replica_tail *tail, int64_t offset)
{
    while (tail->count > 0 && tail_at(tail, 0)->end_offset <= offset)
        tail_pop(tail);
}

void tail_free(struct replica_tail *tail, struct memory *memory)
{
    while (tail->count > 0)
        tail_pop(tail);
    memory_give(memory, MEMORY_STATE, tail->batches, tail->capacity * sizeof(struct tail_batch));
    *tail = (struct replica_tail){0};
}
