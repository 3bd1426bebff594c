/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/pending.h"

#include "core/base/check.h"

#define CAPACITY_FIRST 64

void trace_pending_init(struct trace_pending *pending, struct memory *memory)
{
    *pending = (struct trace_pending){.memory = memory};
}

void trace_pending_free(struct trace_pending *pending)
{
    memory_give(pending->memory, MEMORY_STATE, pending->items,
                pending->capacity * sizeof(*pending->items));
    *pending = (struct trace_pending){.memory = pending->memory};
}

/* Where an id belongs: the product's upper half depends on all of its bits. */
static uint32_t home(const struct trace_pending *pending, uint64_t id)
{
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (pending->capacity - 1);
}

/* The place of an id, or the free one where it would be. */
static uint32_t place_of(const struct trace_pending *pending, uint64_t id)
{
    uint32_t at = home(pending, id);
    while (pending->items[at].id != 0 && pending->items[at].id != id)
        at = (at + 1) & (pending->capacity - 1);
    return at;
}

/* Twice the room; at most half of it is ever used. */
static void grow(struct trace_pending *pending)
{
    struct trace_pending grown = *pending;
    grown.capacity = pending->capacity == 0 ? CAPACITY_FIRST : pending->capacity * 2;
    CHECK(grown.capacity > pending->capacity);
    grown.items = memory_take(pending->memory, MEMORY_STATE, grown.capacity * sizeof(*grown.items));
    for (uint32_t i = 0; i < pending->capacity; i++) {
        if (pending->items[i].id != 0)
            grown.items[place_of(&grown, pending->items[i].id)] = pending->items[i];
    }
    memory_give(pending->memory, MEMORY_STATE, pending->items,
                pending->capacity * sizeof(*pending->items));
    *pending = grown;
}

static uint64_t pieces_bytes(const struct piece *pieces, uint32_t count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += pieces[i].length;
    return bytes;
}

void trace_pending_add(struct trace_pending *pending, const struct effect *effect, uint64_t number)
{
    CHECK(effect->id != 0);
    if (pending->count >= pending->capacity / 2)
        grow(pending);
    struct trace_effect *item = &pending->items[place_of(pending, effect->id)];
    CHECK(item->id == 0);
    *item = (struct trace_effect){.id = effect->id, .kind = effect->kind, .number = number};
    if (effect->kind == EFFECT_RECEIVE) {
        item->data = effect->receive.data;
        item->length = effect->receive.length;
    } else if (effect->kind == EFFECT_READ) {
        item->data = effect->read.data;
        item->length = effect->read.length;
    } else if (effect->kind == EFFECT_SEND) {
        item->length = pieces_bytes(effect->send.pieces, effect->send.pieces_count);
    } else if (effect->kind == EFFECT_WRITE) {
        item->length = pieces_bytes(effect->write.pieces, effect->write.pieces_count);
    }
    pending->count++;
}

bool trace_pending_find(const struct trace_pending *pending, uint64_t id,
                        struct trace_effect *ret_effect)
{
    if (pending->count == 0 || id == 0)
        return false;
    const struct trace_effect *item = &pending->items[place_of(pending, id)];
    if (item->id == 0)
        return false;
    *ret_effect = *item;
    return true;
}

void trace_pending_remove(struct trace_pending *pending, uint64_t id)
{
    if (pending->count == 0 || id == 0)
        return;
    const uint32_t last = pending->capacity - 1;
    uint32_t hole = place_of(pending, id);
    if (pending->items[hole].id == 0)
        return;
    /* Whoever was pushed beyond the hole moves up, so that searches do not end at it. */
    for (uint32_t at = (hole + 1) & last; pending->items[at].id != 0; at = (at + 1) & last) {
        const uint32_t pushed = (at - home(pending, pending->items[at].id)) & last;
        if (pushed >= ((at - hole) & last)) {
            pending->items[hole] = pending->items[at];
            hole = at;
        }
    }
    pending->items[hole] = (struct trace_effect){0};
    pending->count--;
}
