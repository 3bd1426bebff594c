/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that carry out the runs of a campaign: each takes the next run that nobody has, until
 * there is none. One that ends in the middle of a run, by a CHECK or a sanitizer, is a result like
 * any other, and another takes its place.
 */
#ifndef SIM_WORKERS_H
#define SIM_WORKERS_H

#include "sim/campaign.h"
#include "sim/run.h"

#define WORKERS_MAX 256

/* A run that takes longer than this counts as a crash: its world does not move any more. */
#define WORKER_SECONDS_MAX 900

/* Told of each run that ended, in the order in which they end. */
typedef void workers_ended(void *context, const struct run_result *result);

/* Told several times a second. Returns false to have all workers killed. */
typedef bool workers_waiting(void *context);

/* Runs that fail or crash are run again to trace them, so many; the others have the same command
 * line. */
#define WORKERS_TRACES_MAX 10

struct workers_options {
    uint32_t count;            /* of processes, from 1 to WORKERS_MAX */
    const char *trace_path;    /* the campaign's only run is traced to this file; NULL: it is not */
    const char *traces_folder; /* for the first runs that fail; NULL: none */
};

/* Carries out all runs of the campaign. Returns 0; or -1 with errno when processes cannot be
 * made. */
int workers_run(const struct campaign *campaign, const struct workers_options *options,
                workers_ended *ended, workers_waiting *waiting, void *context);

#endif
