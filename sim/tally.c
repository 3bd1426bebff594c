/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/tally.h"

static const struct {
    const char *name;
    const char *text;
} rows[TALLY_ROWS] = {
#define TALLY(name, text) [TALLY_##name] = {#name, text},
#include "sim/tally.def"
#undef TALLY
};

const char *tally_name(enum tally_row row)
{
    return rows[row].name;
}

const char *tally_text(enum tally_row row)
{
    return rows[row].text;
}

void tally_add(struct tally *tally, const struct tally *more)
{
    for (int i = 0; i < TALLY_ROWS; i++)
        tally->counts[i] += more->counts[i];
}
