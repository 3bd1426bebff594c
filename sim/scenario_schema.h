/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language for machines. */
#ifndef SIM_SCENARIO_SCHEMA_H
#define SIM_SCENARIO_SCHEMA_H

#include <stdio.h>

/* Prints the JSON schema (draft 2020-12) of scenario files, made of the table of words, with which
 * editors complete and check them. */
void scenario_schema_print(FILE *out);

#endif
