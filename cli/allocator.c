/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/allocator.h"

#include <stdlib.h>

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

struct allocator allocator_process(void)
{
    return (struct allocator){.allocate = allocate, .release = release};
}
