/* SPDX-License-Identifier: Apache-2.0 */
/* Many runs: which scenario runs with which seed. */
#ifndef SIM_CAMPAIGN_H
#define SIM_CAMPAIGN_H

#include <stdio.h>

#include "sim/scenario.h"

#define CAMPAIGN_SCENARIOS_MAX 1000
#define CAMPAIGN_RUNS_MAX      100000000

struct campaign_scenario {
    char *path; /* as a command line names it */
    char *text; /* of the file */
    struct scenario scenario;
};

/* Soaks, and scenarios with a seed of their own, come first and run once: with that seed, or the
 * first one. Seed s runs the others' number s modulo their count; or, with `each`, every one of
 * them. */
struct campaign {
    struct campaign_scenario *items; /* by path, those that run once first */
    uint32_t count;
    uint32_t once_count;
    uint64_t seed_first;
    uint64_t seed_last;
    bool each;
};

/* Reads a scenario, or all of a folder and the folders in it (files that end in .json). Returns 0,
 * or -1 after printing what is wrong, all of it, to `errors`. The campaign is given back by
 * campaign_free() in either case. */
int campaign_load(struct campaign *campaign, const char *path, FILE *errors);
void campaign_free(struct campaign *campaign);

/* How many runs these seeds are; more than CAMPAIGN_RUNS_MAX is for the caller to refuse. */
uint64_t campaign_runs(const struct campaign *campaign);

/* The scenario and the seed of one of them. */
const struct campaign_scenario *campaign_run(const struct campaign *campaign, uint64_t run,
                                             uint64_t *ret_seed);

#endif
