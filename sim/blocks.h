/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a simulated process: it goes with it, whoever still points at it. What was given
 * back is spoilt. */
#ifndef SIM_BLOCKS_H
#define SIM_BLOCKS_H

#include "core/base/list.h"
#include "core/base/memory.h"

struct blocks {
    struct list list;
    uint64_t bytes; /* out now */
};

/* No memory yet. */
void blocks_init(struct blocks *blocks);

/* An allocator whose blocks are kept in `blocks`, which stays where it is. */
struct allocator blocks_allocator(struct blocks *blocks);

/* Takes back whatever is out. */
void blocks_release(struct blocks *blocks);

#endif
