/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios as JSON, word by word as the table has them. */
#ifndef SIM_SCENARIO_WRITE_H
#define SIM_SCENARIO_WRITE_H

#include <stdio.h>

#include "sim/scenario.h"

/* Writes a scenario so that scenario_parse() reads the same again; words at their defaults are left
 * out. */
void scenario_write(const struct scenario *scenario, FILE *out);

#endif
