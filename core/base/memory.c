/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"

#include <string.h>

#include "core/base/check.h"

/* The first room of an array that grows; small, since most arrays of a broker stay small. */
#define GROW_COUNT_MIN 4

void memory_init(struct memory *memory, struct allocator allocator)
{
    *memory = (struct memory){.allocator = allocator};
}

void *memory_take_unset(struct memory *memory, enum memory_budget budget, size_t size)
{
    const uint64_t limit_bytes = memory->limit_bytes[budget];

    CHECK(size > 0);
    if (limit_bytes != 0 &&
        (size > limit_bytes || memory->used_bytes[budget] > limit_bytes - size)) {
        /* State is bounded by its own limits, so that one set for it was set wrongly. */
        CHECK(budget != MEMORY_STATE);
        return NULL;
    }
    void *block = memory->allocator.allocate(memory->allocator.context, size);
    if (block == NULL) {
        CHECK(budget != MEMORY_STATE);
        return NULL;
    }
    memory->used_bytes[budget] += size;
    return block;
}

void *memory_take(struct memory *memory, enum memory_budget budget, size_t size)
{
    void *block = memory_take_unset(memory, budget, size);

    return block == NULL ? NULL : memset(block, 0, size);
}

void memory_give(struct memory *memory, enum memory_budget budget, void *block, size_t size)
{
    if (block == NULL)
        return;
    CHECK(memory->used_bytes[budget] >= size);
    memory->used_bytes[budget] -= size;
    memory->allocator.release(memory->allocator.context, block, size);
}

void *memory_grow(struct memory *memory, void *items, uint32_t *capacity, uint32_t count,
                  size_t element_size)
{
    if (count <= *capacity)
        return items;
    uint64_t room = *capacity < GROW_COUNT_MIN ? GROW_COUNT_MIN : 2 * (uint64_t)*capacity;
    if (room < count)
        room = count;
    if (room > UINT32_MAX)
        room = UINT32_MAX;
    CHECK(room <= SIZE_MAX / element_size);
    const size_t kept = *capacity * element_size;
    const size_t size = (size_t)room * element_size;
    uint8_t *moved = memory_take_unset(memory, MEMORY_STATE, size);
    if (kept > 0)
        memcpy(moved, items, kept);
    memset(moved + kept, 0, size - kept);
    memory_give(memory, MEMORY_STATE, items, kept);
    *capacity = (uint32_t)room;
    return moved;
}
