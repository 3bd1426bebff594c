/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios in C's strings, where a quote stands as '. */
#ifndef TESTS_SIM_QUOTED_H
#define TESTS_SIM_QUOTED_H

#include "sim/scenario_parse.h"

/* A copy with each ' become a "; owned by the caller. */
char *quoted(const char *text);

/* Parses the text; returns what scenario_parse() does. */
int quoted_parse(const char *text, struct scenario *ret_scenario, struct scenario_error *ret_error);

#endif
