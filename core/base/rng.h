/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-random numbers from the entropy that the start event brought. */
#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H

#include <stdint.h>

#include "core/base/span.h"

struct rng {
    uint64_t state[4]; /* xoshiro256** (Blackman and Vigna, 2018) */
};

/* Seeds by SplitMix64 from `seed`. */
void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);

/* A version-4 UUID (RFC 9562), never one of Kafka's reserved ids (0 and 1) and never one whose
 * base64 form begins with '-', as Kafka's own generator. */
struct uuid rng_uuid(struct rng *rng);

#endif
