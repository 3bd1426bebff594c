/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a scenario that fails smaller: drawn faults become faults at a time, then those go that are
 * not needed, and clients, as long as the same judge objects (delta debugging: Zeller and
 * Hildebrandt, Simplifying and Isolating Failure-Inducing Input, TSE 2002).
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim/scenario.h"

struct shrink {
    const char *judge; /* that has to object; borrowed */
    uint64_t seed;
    uint64_t ms_most;         /* the search ends after so long */
    uint32_t tries;           /* runs so far */
    uint32_t faults_at_first; /* that had fired */
    /* Told before each try; NULL: nobody. */
    void (*progress)(void *context, const struct shrink *shrink, const struct scenario *scenario);
    void *context;
};

/* Shrinks `scenario` in place. False when the scenario does not fail, or not by that judge. */
bool shrink_run(struct shrink *shrink, struct scenario *scenario);

/* Faults and clients' rows together: what is made fewer. */
uint32_t shrink_actions(const struct scenario *scenario);

#endif
