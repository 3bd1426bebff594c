/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that the seed draws: each run leaves some kinds out altogether, since what is always there
 * hides what it prevents (swarm testing, Groce and others, ISSTA 2012). */
#ifndef SIM_SWARM_H
#define SIM_SWARM_H

#include "sim/sim.h"

/* Fills `faults` with at most `most` rows of faults; returns how many. */
uint32_t swarm_draw(struct sim *sim, struct scenario_fault *faults, uint32_t most);

#endif
