/* SPDX-License-Identifier: Apache-2.0 */
/* How "chronik bench" tells what it measured. */
#ifndef CLI_BENCH_PRINT_H
#define CLI_BENCH_PRINT_H

#include <stdio.h>

#include "cli/bench_plan.h"
#include "cli/bench_run.h"

/* The names of the arms, as on the command line. */
extern const char *const bench_arm_names[BENCH_ARMS];

/* What was done and what came of it: a few lines, or one line of JSON. */
void bench_print(FILE *out, const struct bench_plan *plan, const struct bench_result *result);

#endif
