/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rolling digest over what passes the boundary of broker_step(): every event and effect in a
 * canonical form, with the bytes that came or go. Two runs are the same run when their digests are
 * the same at the end, and they part where the digests first differ.
 *
 * It is a function of values alone: neither addresses nor padding nor the machine's byte order
 * enter it, so that it is the same on every 64-bit machine and with every compiler. It finds
 * accidents, and is no defence against somebody who looks for collisions.
 */
#ifndef CORE_TRACE_DIGEST_H
#define CORE_TRACE_DIGEST_H

#include "core/effect.h"
#include "core/event.h"

struct trace_digest {
    uint64_t value; /* of all that was added so far */
};

/* A digest over nothing yet. */
void trace_digest_init(struct trace_digest *digest);

/* Adds one event. `payload`: the bytes that a completed RECEIVE or READ put where its effect said;
 * they lie there, not in the event. Null for any other event. */
void trace_digest_event(struct trace_digest *digest, const struct event *event,
                        struct span payload);

/* Adds one effect with what it points at: pieces in memory, paths, texts. Of a piece in a file the
 * place counts; the bytes are not the core's. To be called before the effect completes. */
void trace_digest_effect(struct trace_digest *digest, const struct effect *effect);

/* Adds a number, or a run of bytes with its length; null is empty. */
void trace_digest_number(struct trace_digest *digest, uint64_t number);
void trace_digest_bytes(struct trace_digest *digest, struct span bytes);

#endif
