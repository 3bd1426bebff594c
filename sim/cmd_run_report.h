/* SPDX-License-Identifier: Apache-2.0 */
/* What a campaign found: printed as it goes on, and summed up at its end. */
#ifndef SIM_CMD_RUN_REPORT_H
#define SIM_CMD_RUN_REPORT_H

#include "sim/campaign.h"
#include "sim/run.h"

struct report {
    const struct campaign *campaign;
    bool as_json;
    uint64_t started_us; /* of the monotonic clock */
    uint64_t told_us;    /* when progress was last told */
    bool has_line;       /* a line of progress stands on the terminal */
    bool lacks_trace;    /* one that was asked for could not be kept */
    uint64_t runs;
    uint64_t counts[RUN_OUTCOMES];
    uint64_t steps;
    uint64_t virtual_us;
    uint64_t cpu_us;
    uint64_t faults;
    struct tally tally;
    const char *judges[RUN_JUDGES_MAX];
    uint32_t judges_count;
    uint64_t judged[RUN_JUDGES_MAX];
};

/* Starts the clock. */
void report_start(struct report *report, const struct campaign *campaign, bool as_json);

/* Adds a run, and prints it: as JSON any, in words what went wrong, with the command that shows it
 * again. */
void report_run(struct report *report, const struct run_result *result);

/* Tells on standard error how far it is, when it is time to. */
void report_progress(struct report *report);

/* Prints the summary: tallies, judges, figures. */
void report_end(struct report *report);

/* Prints which rows of the tally and which judges have zero; returns how many. */
uint32_t report_zeros(const struct report *report, FILE *out);

#endif
