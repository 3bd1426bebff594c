/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/heap.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

/* Before every block: the size that it was asked for. */
struct heap_head {
    alignas(max_align_t) size_t size;
};

#define FRESH_BYTE    0xcd
#define RELEASED_BYTE 0xdb

static void *heap_allocate(void *context, size_t size)
{
    struct heap *heap = context;

    heap->allocations++;
    if (heap->allocations == heap->fail_at)
        return NULL;
    struct heap_head *head = malloc(sizeof(*head) + size);
    if (head == NULL)
        return NULL;
    memset(head, FRESH_BYTE, sizeof(*head) + size);
    head->size = size;
    heap->blocks++;
    heap->bytes += size;
    return head + 1;
}

static void heap_release(void *context, void *block, size_t size)
{
    struct heap *heap = context;
    struct heap_head *head = (struct heap_head *)block - 1;

    CHECK(head->size == size && heap->blocks > 0);
    heap->blocks--;
    heap->bytes -= size;
    memset(head, RELEASED_BYTE, sizeof(*head) + size);
    free(head);
}

struct allocator heap_allocator(struct heap *heap)
{
    return (struct allocator){
        .allocate = heap_allocate,
        .release = heap_release,
        .context = heap,
    };
}

void heap_memory(struct heap *heap, struct memory *ret_memory)
{
    *heap = (struct heap){0};
    memory_init(ret_memory, heap_allocator(heap));
}
