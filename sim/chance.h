/* SPDX-License-Identifier: Apache-2.0 */
/* Chance in the simulated world: independent streams of numbers that one seed gives. */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/rng.h"

/* Starts the stream that `seed`, a name and a number give: what one part of the world draws does
 * not change what another part draws. */
void chance_stream(struct rng *rng, uint64_t seed, const char *name, uint64_t number);

/* A number from 0 to `count` - 1; 0 when `count` is 0. */
uint64_t chance_below(struct rng *rng, uint64_t count);

/* A number from `least` to `most`, both included. */
uint64_t chance_between(struct rng *rng, uint64_t least, uint64_t most);

/* True once in `count` times; never when it is 0. */
bool chance_one_in(struct rng *rng, uint64_t count);

#endif
