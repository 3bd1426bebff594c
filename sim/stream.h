/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of a channel: bytes that were put in, of which the first ones have arrived, of
 * which the first ones were taken.
 *
 *     taken ≤ arrived ≤ put          put − taken ≤ the window, for senders that look
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "core/base/span.h"
#include "sim/queue.h"

struct stream {
    struct task task; /* the next arrival */
    uint8_t *data;    /* from `taken` on, at `start` */
    size_t capacity;
    size_t start;
    uint64_t taken;
    uint64_t arrived;
    uint64_t put;
    bool ends;    /* nothing more will be put: the end arrives after the last byte */
    bool ended;   /* the end has arrived */
    bool waiting; /* an arrival that a block held back */
};

void stream_free(struct stream *stream);
void stream_put(struct stream *stream, struct span bytes);

/* What has arrived and was not taken; borrowed until the next put. */
struct span stream_arrived(const struct stream *stream);
void stream_take(struct stream *stream, size_t length);

/* What is under way is lost. */
void stream_drop(struct stream *stream);

static inline uint64_t stream_under_way(const struct stream *stream)
{
    return stream->put - stream->arrived;
}

#endif
