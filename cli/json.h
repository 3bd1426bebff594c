/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of JSON for commands that print a line of it for each thing. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdio.h>

#include "core/base/span.h"

/* Prints a string with its quotes; null as null. What is not UTF-8 becomes U+FFFD. */
void json_text(FILE *out, struct span text);

#endif
