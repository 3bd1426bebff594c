/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios from JSON; the language is in doc/SIMULATOR.md, its words in sim/scenario_words.c. */
#ifndef SIM_SCENARIO_PARSE_H
#define SIM_SCENARIO_PARSE_H

#include <stdio.h>

#include "core/base/span.h"
#include "sim/scenario.h"

#define SCENARIO_FILE_BYTES_MAX ((size_t)1 << 20)

#define SCENARIO_ERROR_BYTES 512

/* Why a file is refused, and where; line and column count from 1, columns in characters. */
struct scenario_error {
    uint32_t line;
    uint32_t column;
    char text[SCENARIO_ERROR_BYTES];
};

/* Reads a scenario from `text`; `name` becomes its name. Returns 0, and the caller gives the
 * scenario back by scenario_free(); or -1 with *ret_error. */
int scenario_parse(struct span text, const char *name, struct scenario *ret_scenario,
                   struct scenario_error *ret_error);

/* Reads a file, whose name without folder and extension becomes the scenario's. Returns 0 likewise,
 * with the file's text, which the caller frees; or -1 after printing "FILE:LINE:COLUMN: what is
 * wrong" to `errors`. */
int scenario_load(const char *path, struct scenario *ret_scenario, char **ret_text, FILE *errors);

#endif
