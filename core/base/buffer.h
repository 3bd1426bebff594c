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

/* A buffer with one reference and `length` bytes of `old` from `start` on, in the place of `old`,
 * which is released: when nobody else refers to it, only the difference counts. NULL past the
 * budget; `old` is as it was then. */
struct buffer *buffer_replace(struct buffer *old, uint32_t capacity, uint32_t start,
                              uint32_t length);

/* What buffer_replace() would need more of the budget, in bytes, at least 1. */
uint64_t buffer_replace_needs(const struct buffer *old, uint32_t capacity);

/* One more reference; returns `buffer`. */
struct buffer *buffer_hold(struct buffer *buffer);

/* One reference less; the last gives the memory back. NULL is a no-op. */
void buffer_release(struct buffer *buffer);

#endif
