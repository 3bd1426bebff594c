/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_histogram.h"

#define STEPS (1u << HISTOGRAM_STEPS_BITS)

/* Doublings are told apart by the highest bit, steps in them by the bits that follow it. */
static uint32_t place_of(uint64_t time_ns)
{
    if (time_ns < 2 * STEPS)
        return (uint32_t)time_ns;
    const uint32_t shift = 63 - HISTOGRAM_STEPS_BITS - (uint32_t)__builtin_clzll(time_ns);
    return shift * STEPS + (uint32_t)(time_ns >> shift);
}

/* The longest time that counts at a place. */
static uint64_t longest_at(uint32_t place)
{
    if (place < 2 * STEPS)
        return place;
    const uint32_t shift = place / STEPS - 1;
    return ((uint64_t)(place - shift * STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t time_ns)
{
    histogram->counts[place_of(time_ns)]++;
    histogram->count++;
    if (time_ns > histogram->max_ns)
        histogram->max_ns = time_ns;
}

uint64_t histogram_quantile_ns(const struct histogram *histogram, uint32_t permille)
{
    const uint64_t wanted = (histogram->count * permille + 999) / 1000;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_STEPS && histogram->count > 0; i++) {
        seen += histogram->counts[i];
        if (seen >= wanted && seen > 0)
            return longest_at(i) < histogram->max_ns ? longest_at(i) : histogram->max_ns;
    }
    return 0;
}
