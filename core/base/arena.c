/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/format.h"

/* A request of one partition fits the first block; a large one soon gets large blocks. */
#define BLOCK_BYTES_MIN 1024
#define BLOCK_BYTES_MAX 65536

struct arena_block {
    struct arena_block *next;
    size_t size; /* of the whole block, this head included */
    size_t used; /* likewise */
};

/* Every piece begins at a multiple of this. */
#define PIECE_ALIGN alignof(max_align_t)
#define BLOCK_HEAD  ((sizeof(struct arena_block) + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN)

void arena_init(struct arena *arena, struct memory *memory, enum memory_budget budget,
                size_t limit_bytes)
{
    *arena = (struct arena){.memory = memory, .budget = budget, .limit_bytes = limit_bytes};
}

/* Puts a block with room for a piece of `size` bytes in front. */
static struct arena_block *arena_add_block(struct arena *arena, size_t size)
{
    const struct arena_block *newest = arena->blocks;
    size_t block_size = newest == NULL ? BLOCK_BYTES_MIN : 2 * newest->size;

    if (block_size > BLOCK_BYTES_MAX)
        block_size = BLOCK_BYTES_MAX;
    if (block_size < BLOCK_HEAD + size)
        block_size = BLOCK_HEAD + size;
    struct arena_block *block = memory_take(arena->memory, arena->budget, block_size);
    if (block == NULL)
        return NULL;
    block->size = block_size;
    block->used = BLOCK_HEAD;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    /* One byte at least, so that pieces of nothing are counted too. */
    const size_t wanted = size == 0 ? 1 : size;

    if (wanted > arena->limit_bytes - arena->used_bytes)
        return NULL;
    if (wanted > SIZE_MAX - BLOCK_HEAD - PIECE_ALIGN)
        return NULL;
    const size_t room = (wanted + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
    struct arena_block *block = arena->blocks;
    if (block == NULL || room > block->size - block->used) {
        block = arena_add_block(arena, room);
        if (block == NULL)
            return NULL;
    }
    void *piece = (uint8_t *)block + block->used;
    block->used += room;
    arena->used_bytes += wanted;
    return piece;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_take(arena, count * size);
}

struct span arena_copy(struct arena *arena, struct span bytes)
{
    if (span_is_null(bytes))
        return SPAN_NULL;
    uint8_t *copy = arena_take(arena, bytes.length);
    if (copy == NULL)
        return SPAN_NULL;
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    return span_of(copy, bytes.length);
}

struct span arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const size_t length = format_text_v(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = arena_take(arena, length + 1);
    if (text == NULL)
        return SPAN_NULL;
    va_start(arguments, format);
    format_text_v(text, length + 1, format, arguments);
    va_end(arguments);
    return span_of(text, length);
}

void arena_reset(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block != NULL) {
        struct arena_block *next = block->next;
        memory_give(arena->memory, arena->budget, block, block->size);
        block = next;
    }
    arena->blocks = NULL;
    arena->used_bytes = 0;
}
