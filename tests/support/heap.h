/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator for tests: counts what is out, checks sizes given back, and fails when told to. */
#ifndef TESTS_SUPPORT_HEAP_H
#define TESTS_SUPPORT_HEAP_H

#include <stdint.h>

#include "core/base/memory.h"

struct heap {
    uint64_t blocks;      /* out now */
    uint64_t bytes;       /* out now */
    uint64_t allocations; /* ever */
    uint64_t fail_at;     /* the allocation with this number fails, counted from 1; 0: none */
};

/* An allocator that counts in `heap`, which must outlive it. Its blocks are filled with rubbish
 * when they are taken, and with other rubbish when they are given back. */
struct allocator heap_allocator(struct heap *heap);

/* memory_init over heap_allocator. */
void heap_memory(struct heap *heap, struct memory *ret_memory);

#endif
