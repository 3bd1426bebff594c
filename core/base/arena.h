/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one request or one turn: taken piece by piece, given back all at once. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "core/base/memory.h"
#include "core/base/span.h"

struct arena_block;

struct arena {
    struct memory *memory;
    enum memory_budget budget;
    struct arena_block *blocks; /* newest first */
    size_t limit_bytes;         /* of all pieces together */
    size_t used_bytes;
};

/* An empty arena over `memory`; it takes nothing until the first piece. */
void arena_init(struct arena *arena, struct memory *memory, enum memory_budget budget,
                size_t limit_bytes);

/* A zeroed piece of `size` bytes aligned for any type; NULL past the arena's limit or the budget's.
 * `size` 0 gives a valid pointer. */
void *arena_take(struct arena *arena, size_t size);

/* A zeroed array; NULL also when count × size overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of `bytes` in the arena; SPAN_NULL for null, or when there is no room. */
struct span arena_copy(struct arena *arena, struct span bytes);

/* printf into the arena (the subset that core/base/format.h lists); SPAN_NULL when there is no
 * room. */
struct span arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Gives everything back; the arena may be used again. */
void arena_reset(struct arena *arena);

#endif
