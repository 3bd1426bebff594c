/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of what a run had: faults, and moments that only some runs reach (sim/tally.def). */
#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include <stdint.h>

enum tally_row {
#define TALLY(name, text) TALLY_##name,
#include "sim/tally.def"
#undef TALLY
    TALLY_ROWS
};

struct tally {
    uint64_t counts[TALLY_ROWS];
};

/* The row's name, as in "fault_crash", and what it counts. */
const char *tally_name(enum tally_row row);
const char *tally_text(enum tally_row row);

/* Adds the counts of `more`. */
void tally_add(struct tally *tally, const struct tally *more);

#endif
