/* SPDX-License-Identifier: Apache-2.0 */
/* Reference-counted bytes: a received frame, an encoded reply, a chunk read from a file. */
#ifndef CORE_BASE_BUFFER_H
#define CORE_BASE_BUFFER_H

#include <stdint.h>

#include "core/base/memory.h"

struct buffer {
    struct memory *memory;
    enum memory_budget budget;
    uint32_t references;
    uint32_t capacity; /* bytes of data[] */
    uint8_t data[];
};

/* A buffer with one reference, its bytes not set; NULL past the budget. */
struct buffer *buffer_new(struct memory *memory, enum memory_budget budget, uint32_t capacity);

/* One more reference; returns `buffer`. */
struct buffer *buffer_hold(struct buffer *buffer);

/* One reference less; the last gives the memory back. NULL is a no-op. */
void buffer_release(struct buffer *buffer);

#endif
