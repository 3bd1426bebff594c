/* SPDX-License-Identifier: Apache-2.0 */
/* One counted allocator a broker, with a named budget for each use. */
#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* What memory is used for. A budget without a limit (STATE) takes what it needs. */
enum memory_budget {
    MEMORY_STATE,   /* connections, partitions, metadata, groups: bounded by their own limits */
    MEMORY_RECEIVE, /* receive buffers and what refers to them (queued.max.request.bytes) */
    MEMORY_REQUEST, /* arenas of requests under way */
    MEMORY_SEND,    /* encoded replies that were not sent yet */
    MEMORY_READ,    /* bytes read back from files: indexes, cold look-ups, recovery */
    MEMORY_PEER_RECEIVE, /* what other nodes sent, until it was taken */
    MEMORY_PEER_SEND,    /* messages to other nodes that were not sent yet */
    MEMORY_BUDGETS
};

/* Where memory comes from. `allocate` returns a block with any contents, or NULL when there is
 * none, and `release` gets the size that was asked for; both get `context` first. */
struct allocator {
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *block, size_t size);
    void *context;
};

struct memory {
    struct allocator allocator;
    uint64_t used_bytes[MEMORY_BUDGETS];
    uint64_t limit_bytes[MEMORY_BUDGETS]; /* 0: no limit */
};

/* Starts a counted allocator over `allocator`, with no limits. */
void memory_init(struct memory *memory, struct allocator allocator);

/* `size` > 0 bytes, zeroed, aligned for any type, counted under `budget`; NULL past the budget's
 * limit. When the allocator itself has none, MEMORY_STATE aborts and the others return NULL. */
void *memory_take(struct memory *memory, enum memory_budget budget, size_t size);

/* The same for bytes that are written before they are read: their contents are not set. */
void *memory_take_unset(struct memory *memory, enum memory_budget budget, size_t size);

/* Gives back a block of `size` bytes that one of these returned for `budget`; NULL is a no-op. */
void memory_give(struct memory *memory, enum memory_budget budget, void *block, size_t size);

/* memory_take for one object of a type, under MEMORY_STATE: never NULL. */
#define memory_new(memory, type) ((type *)memory_take((memory), MEMORY_STATE, sizeof(type)))

/* Makes room for `count` elements of `element_size` in the growing array `items` of `*capacity`
 * elements (MEMORY_STATE, doubling). Returns the array, moved if it had to be; what is new is zero.
 * Give it back as `*capacity` × `element_size` bytes. */
void *memory_grow(struct memory *memory, void *items, uint32_t *capacity, uint32_t count,
                  size_t element_size);

#endif
