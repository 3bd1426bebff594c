/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a run, over every event and effect of every machine. */
#ifndef SIM_DIGEST_H
#define SIM_DIGEST_H

#include "core/effect.h"
#include "core/event.h"

/* Adds an event of machine number `host`; `payload` are the bytes that came with it. */
void digest_event(uint64_t *digest, uint32_t host, const struct event *event, struct span payload);
void digest_effect(uint64_t *digest, uint32_t host, const struct effect *effect);

#endif
