/* SPDX-License-Identifier: Apache-2.0 */
/* All that bench/floor has. */
#ifndef BENCH_FLOOR_FLOOR_H
#define BENCH_FLOOR_FLOOR_H

#include "bench/floor/leader.h"
#include "bench/floor/link.h"
#include "bench/floor/options.h"
#include "bench/floor/topics.h"
#include "bench/floor/turn.h"
#include "core/base/arena.h"

#define LINKS_MAX       16384
#define FRAME_BYTES_MAX (64 << 20)

struct floor {
    struct floor_options options;
    uint16_t port;
    int listener;
    int epoll;
    struct topics topics;
    struct turn turn;
    struct leader leader;
    struct memory memory;
    struct arena arena;            /* of a request off the data path */
    struct link *links[LINKS_MAX]; /* by socket */
    struct link *dirty[LINKS_MAX]; /* touched in this turn */
    uint32_t dirty_count;
    struct link *waiting[LINKS_MAX]; /* with a fetch that waits */
    uint32_t waiting_count;
};

/* Has the turn's end look at a connection. */
static inline void floor_touch(struct floor *floor, struct link *link)
{
    if (!link->dirty) {
        link->dirty = true;
        floor->dirty[floor->dirty_count++] = link;
    }
}

#endif
