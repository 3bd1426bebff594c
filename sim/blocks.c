/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/blocks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

/* The first bytes of a block that was given back; enough to spoil pointers and lengths. */
#define POISON       0xdb
#define POISON_BYTES 64

struct block {
    struct list place;
    size_t size;
    max_align_t data[];
};

static void *block_take(void *context, size_t size)
{
    struct blocks *blocks = context;
    struct block *block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    memset(block->data, POISON, size < POISON_BYTES ? size : POISON_BYTES);
    list_append(&blocks->list, &block->place);
    blocks->bytes += size;
    return block->data;
}

static void block_give(void *context, void *data, size_t size)
{
    struct blocks *blocks = context;
    struct block *block = container_of(data, struct block, data);
    CHECK(block->size == size);
    list_remove(&block->place);
    blocks->bytes -= size;
    memset(block->data, POISON, size < POISON_BYTES ? size : POISON_BYTES);
    free(block);
}

void blocks_init(struct blocks *blocks)
{
    *blocks = (struct blocks){0};
    list_init(&blocks->list);
}

struct allocator blocks_allocator(struct blocks *blocks)
{
    return (struct allocator){.allocate = block_take, .release = block_give, .context = blocks};
}

void blocks_release(struct blocks *blocks)
{
    while (!list_empty(&blocks->list)) {
        struct block *block = container_of(blocks->list.next, struct block, place);
        block_give(blocks, block->data, block->size);
    }
}
