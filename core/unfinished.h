/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of whose next request only a part has come. What they hold comes out of the memory for
 * requests (queued.max.request.bytes), and whoever never sends the rest would keep it from all the
 * others. So while somebody waits for that memory, unfinished requests have at most half of it, and
 * never so much that what is left would not do for anybody who waits: those that began first are
 * given up until they do. (Two requests may wait for each other's memory to come in whole.)
 */
#ifndef CORE_UNFINISHED_H
#define CORE_UNFINISHED_H

#include <stdint.h>

#include "core/base/list.h"
#include "core/base/timer.h"

struct broker;
struct buffer;
struct session;

/* A request is given this long to come before it is given up. */
#define UNFINISHED_PATIENCE_US ((uint64_t)1000 * 1000)

struct unfinished {
    struct list sessions; /* the one whose request began first is first */
    uint64_t bytes;       /* of all their buffers, as the budget counts them */
    struct timer timer;   /* set while one of them may have to be given up */
};

/* What of a session takes part in it. */
struct unfinished_part {
    struct list place;
    uint64_t since_us; /* when the request began */
    uint64_t bytes;    /* of the buffer that it is received into; 0: not among them */
};

/* The session's unfinished request, just begun or known already, is in `buffer`; NULL: it has none
 * (any more). */
void unfinished_set(struct session *session, const struct buffer *buffer);

/* Closes sessions if any waits for memory, and it may be one that waits. For the end of a turn:
 * what is unfinished changes with every receive. */
void unfinished_reclaim(struct broker *broker);

#endif
