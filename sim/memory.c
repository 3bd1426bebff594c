/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/memory.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

void *sim_allocate(void *block, size_t size)
{
    void *moved = realloc(block, size == 0 ? 1 : size);
    CHECK(moved != NULL);
    return moved;
}

char *sim_text_copy(const char *text, size_t length)
{
    char *copy = sim_allocate(NULL, length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static void *heap_take(void *context, size_t size)
{
    (void)context;
    return sim_allocate(NULL, size);
}

static void heap_give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

struct allocator sim_allocator(void)
{
    return (struct allocator){.allocate = heap_take, .release = heap_give, .context = NULL};
}
