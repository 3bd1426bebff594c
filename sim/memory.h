/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the simulator's own, without which it cannot go on. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stddef.h>

#include "core/base/memory.h"

/* realloc() that aborts when there is no memory; a `size` of 0 gives a block too. Owned by the
 * caller, given back by free(). */
void *sim_allocate(void *block, size_t size);

/* A copy of `length` bytes of text, terminated. Owned by the caller, given back by free(). */
char *sim_text_copy(const char *text, size_t length);

/* The same for what counts its memory: parts of the core that the simulator uses itself. */
struct allocator sim_allocator(void);

#endif
