/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that others chose, for a terminal, which obeys control characters. */
#ifndef CLI_PLAIN_H
#define CLI_PLAIN_H

#include <stddef.h>
#include <stdio.h>

#include "core/base/span.h"

/* In place: each byte of a control character (C0, DEL, and C1 as UTF-8: ISO/IEC 6429) becomes '?'.
 */
void plain_make(char *text, size_t length);

/* Prints a text so; null as nothing. Exactly its length in bytes. */
void plain_print(FILE *out, struct span text);

#endif
