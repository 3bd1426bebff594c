/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a simulated process: it goes with it, whoever still points at it. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "sim/host_internal.h"
#include "sim/memory.h"

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
    struct host *host = context;
    struct block *block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    memset(block->data, POISON, size < POISON_BYTES ? size : POISON_BYTES);
    list_append(&host->blocks, &block->place);
    host->blocks_bytes += size;
    return block->data;
}

static void block_give(void *context, void *data, size_t size)
{
    struct host *host = context;
    struct block *block = container_of(data, struct block, data);
    CHECK(block->size == size);
    list_remove(&block->place);
    host->blocks_bytes -= size;
    memset(block->data, POISON, size < POISON_BYTES ? size : POISON_BYTES);
    free(block);
}

struct allocator host_allocator(struct host *host)
{
    return (struct allocator){.allocate = block_take, .release = block_give, .context = host};
}

void host_blocks_release(struct host *host)
{
    while (!list_empty(&host->blocks)) {
        struct block *block = container_of(host->blocks.next, struct block, place);
        block_give(host, block->data, block->size);
    }
}
