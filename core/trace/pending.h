/* SPDX-License-Identifier: Apache-2.0 */
/* The effects under way, by their ids: what a driver keeps to know where the bytes of a completion
 * lie. */
#ifndef CORE_TRACE_PENDING_H
#define CORE_TRACE_PENDING_H

#include <stdbool.h>

#include "core/base/memory.h"
#include "core/effect.h"

/* One effect under way. */
struct trace_effect {
    uint64_t id; /* 0: the place is free */
    enum effect_kind kind;
    uint8_t *data;   /* RECEIVE, READ: where the bytes go */
    uint64_t length; /* RECEIVE, READ: room there. SEND, WRITE: bytes of all pieces */
    uint64_t number; /* of the caller's choice */
};

struct trace_pending {
    struct memory *memory;
    struct trace_effect *items; /* a hash table with linear probing */
    uint32_t capacity;          /* a power of two, or 0 */
    uint32_t count;
};

/* No effect is under way. The table is counted in `memory`, under MEMORY_STATE. */
void trace_pending_init(struct trace_pending *pending, struct memory *memory);
void trace_pending_free(struct trace_pending *pending);

/* Takes note of an effect that has an id, none of those under way. */
void trace_pending_add(struct trace_pending *pending, const struct effect *effect, uint64_t number);

/* Finds an effect; false when none of this id is under way. */
bool trace_pending_find(const struct trace_pending *pending, uint64_t id,
                        struct trace_effect *ret_effect);

/* Forgets an effect, which completed; one that is not there is passed over. */
void trace_pending_remove(struct trace_pending *pending, uint64_t id);

#endif
