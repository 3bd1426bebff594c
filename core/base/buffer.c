/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buffer.h"

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
