/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/gathered.h"

#include <stdlib.h>

#include "core/base/endian.h"
#include "sim/memory.h"

static uint8_t *take(struct gathered *gathered, size_t length)
{
    if (gathered->length + length > gathered->capacity) {
        gathered->capacity = (gathered->length + length) * 2;
        gathered->data = sim_allocate(gathered->data, gathered->capacity);
    }
    gathered->length += length;
    return gathered->data + gathered->length - length;
}

void gathered_put(struct gathered *gathered, struct span bytes)
{
    if (bytes.length > 0)
        memcpy(take(gathered, bytes.length), bytes.data, bytes.length);
}

void gathered_put_zeros(struct gathered *gathered, size_t length)
{
    if (length > 0)
        memset(take(gathered, length), 0, length);
}

bool gathered_frame(const struct gathered *gathered, struct span *ret_frame)
{
    if (gathered->length < FRAME_SIZE_BYTES)
        return false;
    const uint32_t size = get_be32(gathered->data);
    if (gathered->length - FRAME_SIZE_BYTES < size)
        return false;
    *ret_frame = span_of(gathered->data + FRAME_SIZE_BYTES, size);
    return true;
}

void gathered_drop(struct gathered *gathered, size_t length)
{
    gathered->length -= length;
    memmove(gathered->data, gathered->data + length, gathered->length);
}

void gathered_free(struct gathered *gathered)
{
    free(gathered->data);
    *gathered = (struct gathered){0};
}
