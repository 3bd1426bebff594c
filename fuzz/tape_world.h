/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small world that a tape of decisions steers (sim/chance.h): settings, faults, who does what and
 * when, and what comes first of things that are due at once. Any bytes are an input:
 *
 *     seed (8 bits), tape …
 *
 * and when the tape is over, the seed decides.
 */
#ifndef FUZZ_TAPE_WORLD_H
#define FUZZ_TAPE_WORLD_H

#include "sim/sim.h"

/* The world before its first moment; whoever runs it frees it. The tape is borrowed. */
struct sim *tape_world_new(uint8_t seed, struct chance_tape *tape);

#endif
