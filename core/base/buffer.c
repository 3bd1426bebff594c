/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buffer.h"

#include <string.h>

#include "core/base/check.h"

struct buffer *buffer_new(struct memory *memory, enum memory_budget budget, uint32_t capacity)
{
    struct buffer *buffer = memory_take_unset(memory, budget, sizeof(*buffer) + capacity);

    if (buffer == NULL)
        return NULL;
    buffer->memory = memory;
    buffer->budget = budget;
    buffer->references = 1;
    buffer->capacity = capacity;
    return buffer;
}

static size_t replaced_bytes(const struct buffer *old)
{
    return old->references == 1 ? sizeof(*old) + old->capacity : 0;
}

uint64_t buffer_replace_needs(const struct buffer *old, uint32_t capacity)
{
    const size_t wanted = sizeof(*old) + capacity;
    const size_t replaced = replaced_bytes(old);
    return wanted > replaced ? wanted - replaced : 1;
}

struct buffer *buffer_replace(struct buffer *old, uint32_t capacity, uint32_t start,
                              uint32_t length)
{
    CHECK(length <= capacity && start <= old->capacity && length <= old->capacity - start);
    const size_t replaced = replaced_bytes(old);
    old->memory->used_bytes[old->budget] -= replaced;
    struct buffer *buffer = buffer_new(old->memory, old->budget, capacity);
    old->memory->used_bytes[old->budget] += replaced;
    if (buffer == NULL)
        return NULL;
    memcpy(buffer->data, old->data + start, length);
    buffer_release(old);
    return buffer;
}

struct buffer *buffer_hold(struct buffer *buffer)
{
    CHECK(buffer->references > 0 && buffer->references < UINT32_MAX);
    buffer->references++;
    return buffer;
}

void buffer_release(struct buffer *buffer)
{
    if (buffer == NULL)
        return;
    CHECK(buffer->references > 0);
    if (--buffer->references == 0)
        memory_give(buffer->memory, buffer->budget, buffer, sizeof(*buffer) + buffer->capacity);
}
