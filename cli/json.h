/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of JSON for commands that print a line of it for each thing. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/span.h"

/* Prints a string with its quotes; null as null. What is not UTF-8 becomes U+FFFD. */
void json_text(FILE *out, struct span text);

/* True when it is UTF-8 without control characters but blanks and line ends; null and empty are. */
bool json_is_text(struct span text);

#endif
