/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chance in the simulated world: independent streams of numbers that one seed gives.
 *
 *     seed, name, number ──▶ generator ─┐
 *                                       ├──▶ a decision
 *     tape, while it lasts ─────────────┘
 *
 * A tape holds decisions as bytes, in the order in which the world asks for them, whichever stream
 * that is: so a fuzzer steers a world. Each takes as many bytes as the numbers that it is drawn
 * from need.
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/rng.h"
#include "core/base/span.h"

struct chance_tape {
    struct span left;   /* of the tape; borrowed. Once it is over the seed decides … */
    uint8_t *kept;      /* … and what it decides is kept as a tape; NULL: nowhere. Borrowed */
    size_t kept_length; /* of the bytes kept so far … */
    size_t kept_limit;  /* … and of those that there is room for; the rest is not kept */
};

/* What a world's chance comes from. */
struct chance_source {
    uint64_t seed;
    struct chance_tape *tape; /* NULL: the seed alone decides */
};

/* One stream. */
struct chance {
    struct rng rng;
    struct chance_tape *tape;
};

/* Starts the stream that the source, a name and a number give: what one part of the world draws
 * does not change what another part draws, unless a tape decides. */
void chance_stream(struct chance *chance, const struct chance_source *source, const char *name,
                   uint64_t number);

/* A number of 64 bits; from a tape, eight times the same byte. */
uint64_t chance_draw(struct chance *chance);

/* The seed's, tape or not: for what a world may take for unique, or what decides nothing. */
uint64_t chance_noise(struct chance *chance);

/* A number from 0 to `count` - 1; 0 when `count` is 0. */
uint64_t chance_below(struct chance *chance, uint64_t count);

/* A number from `least` to `most`, both included. */
uint64_t chance_between(struct chance *chance, uint64_t least, uint64_t most);

/* True once in `count` times; never when it is 0. */
bool chance_one_in(struct chance *chance, uint64_t count);

#endif
