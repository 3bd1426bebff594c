/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one scenario with one seed, and what came of it: plain bytes that pass a pipe. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim/sim.h"

#define RUN_JUDGES_MAX 32
#define RUN_NAME_BYTES 48
#define RUN_RULE_BYTES 256
#define RUN_PATH_BYTES 512

enum run_outcome {
    RUN_PASSED,
    RUN_SAFETY,
    RUN_LIVENESS,
    RUN_CRASH,   /* the process ended in the middle of it */
    RUN_REFUSED, /* the world could not be made: a setting */
    RUN_OUTCOMES
};

struct run_result {
    uint64_t run; /* which one of its campaign */
    uint32_t outcome;
    uint64_t seed;
    uint64_t steps;
    uint64_t digest;
    uint64_t virtual_us; /* that went by in the world */
    uint64_t cpu_us;     /* that it took */
    struct tally tally;
    uint32_t judges_count;
    uint64_t judged[RUN_JUDGES_MAX];

    /* What was wrong; of a crash and a refusal only the text. */
    uint64_t at_us;
    uint64_t at_step;
    char judge[RUN_NAME_BYTES];
    char rule[RUN_RULE_BYTES];
    char source[RUN_RULE_BYTES];
    char text[VIOLATION_TEXT_BYTES];

    char trace[RUN_PATH_BYTES];    /* the file that it was traced to; "": none */
    char no_trace[RUN_RULE_BYTES]; /* why there is none that is good; "" */
};

/* Runs it to its end; all of *ret_result but `run` is filled in. With a `trace_path` it is traced
 * to that file; `scenario_text` is the scenario's own. */
void run_once(const struct scenario *scenario, uint64_t seed, const char *trace_path,
              const char *scenario_text, struct run_result *ret_result);

/* "passed", "safety", "liveness", "crash", "refused". */
const char *run_outcome_name(enum run_outcome outcome);

/* The names of the judges, in the order of `judged`; borrowed for ever. Returns how many there
 * are. */
uint32_t run_judges(const struct scenario *scenario, const char *ret_names[RUN_JUDGES_MAX]);

#endif
