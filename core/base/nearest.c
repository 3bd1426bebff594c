/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/nearest.h"

static uint32_t least_of(uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* How many letters have to be added, left out or changed (Levenshtein) to make one of the other. */
static uint32_t distance(struct span a, struct span b)
{
    uint32_t row[NEAREST_NAME_MAX + 1];
    for (uint32_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a.length; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b.length; j++) {
            const uint32_t changed = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            row[j] = least_of(row[j] + 1, row[j - 1] + 1, changed);
        }
    }
    return row[b.length];
}

void nearest_start(struct nearest *nearest, struct span wrong)
{
    /* More than a third of the letters wrong is no misspelling. */
    const uint32_t limit = wrong.length == 0 ? 0 : (uint32_t)(wrong.length / 3) + 1;
    *nearest = (struct nearest){.wrong = wrong, .distance = limit};
}

void nearest_consider(struct nearest *nearest, const char *name)
{
    const struct span right = span_text(name);
    if (nearest->wrong.length > NEAREST_NAME_MAX || right.length > NEAREST_NAME_MAX)
        return;
    const uint32_t letters = distance(nearest->wrong, right);
    if (letters < nearest->distance) {
        nearest->name = name;
        nearest->distance = letters;
    }
}
