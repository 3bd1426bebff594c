/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/nearest.h"

static uint32_t least_of(uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* How many letters have to be added, left out or changed (Levenshtein) to make one of the other;
 * `limit` when that is not less. Most names are far away, and soon given up. */
static uint32_t distance(struct span a, struct span b, uint32_t limit)
{
    uint32_t row[NEAREST_NAME_MAX + 1];
    if (a.length + limit <= b.length || b.length + limit <= a.length)
        return limit;
    for (uint32_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a.length; i++) {
        uint32_t diagonal = row[0];
        uint32_t least = i;
        row[0] = i;
        for (uint32_t j = 1; j <= b.length; j++) {
            const uint32_t changed = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            row[j] = least_of(row[j] + 1, row[j - 1] + 1, changed);
            least = row[j] < least ? row[j] : least;
        }
        if (least >= limit)
            return limit;
    }
    return row[b.length];
}

void nearest_start(struct nearest *nearest, struct span wrong)
{
    /* More than a third of the letters wrong, or more than a few, is no misspelling. */
    const uint32_t third = (uint32_t)(wrong.length / 3);
    const uint32_t most = third < NEAREST_LETTERS_MAX ? third : NEAREST_LETTERS_MAX;
    *nearest = (struct nearest){.wrong = wrong, .distance = wrong.length == 0 ? 0 : most + 1};
}

void nearest_consider(struct nearest *nearest, const char *name)
{
    const struct span right = span_text(name);
    if (nearest->wrong.length > NEAREST_NAME_MAX || right.length > NEAREST_NAME_MAX)
        return;
    const uint32_t letters = distance(nearest->wrong, right, nearest->distance);
    if (letters < nearest->distance) {
        nearest->name = name;
        nearest->distance = letters;
    }
}
