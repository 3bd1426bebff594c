/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/floor.h"

#include <string.h>

void floor_told(struct floor *floor, uint64_t number, int64_t value)
{
    if (floor->count > 0 && value <= floor_top(floor))
        return;
    if (floor->count == FLOOR_STEPS) {
        /* For requests that are older than this, less is asked. */
        memmove(floor->steps, floor->steps + 1, (FLOOR_STEPS - 1) * sizeof(floor->steps[0]));
        floor->count--;
    }
    floor->steps[floor->count++] = (struct floor_step){number, value};
}

int64_t floor_at(const struct floor *floor, uint64_t asked)
{
    for (uint32_t i = floor->count; i > 0; i--) {
        if (floor->steps[i - 1].number < asked)
            return floor->steps[i - 1].value;
    }
    return FLOOR_NONE;
}

int64_t floor_top(const struct floor *floor)
{
    return floor->count == 0 ? FLOOR_NONE : floor->steps[floor->count - 1].value;
}

void floor_lower(struct floor *floor, int64_t value)
{
    uint32_t kept = 0;
    while (kept < floor->count && floor->steps[kept].value <= value)
        kept++;
    if (kept < floor->count) {
        floor->steps[kept].value = value;
        kept++;
    }
    floor->count = kept;
}
