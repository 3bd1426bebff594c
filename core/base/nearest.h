/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody who misspelt a name may have meant. */
#ifndef CORE_BASE_NEAREST_H
#define CORE_BASE_NEAREST_H

#include <stdint.h>

#include "core/base/span.h"

/* Names longer than this resemble nothing. */
#define NEAREST_NAME_MAX 80

/* Letters that a misspelling gets wrong, at most. */
#define NEAREST_LETTERS_MAX 4

struct nearest {
    struct span wrong;
    const char *name;  /* the nearest so far; NULL: none is near */
    uint32_t distance; /* of it */
};

/* Starts the search for what `wrong` (borrowed) may have meant. */
void nearest_start(struct nearest *nearest, struct span wrong);

/* Considers one right name, which is borrowed; of equally near ones the first stays. */
void nearest_consider(struct nearest *nearest, const char *name);

#endif
