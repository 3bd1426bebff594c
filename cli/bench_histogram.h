/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram of times: exact below 128 ns, then within 1 in 64. */
#ifndef CLI_BENCH_HISTOGRAM_H
#define CLI_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS_BITS 6 /* steps of each doubling, as a power of two */
#define HISTOGRAM_STEPS      (64 * (1 << HISTOGRAM_STEPS_BITS))

struct histogram {
    uint64_t counts[HISTOGRAM_STEPS];
    uint64_t count;
    uint64_t max_ns;
};

/* Counts one time. */
void histogram_add(struct histogram *histogram, uint64_t time_ns);

/* The time that `permille` of a thousand of them do not exceed (rounded up to its step, and never
 * more than the longest); 0 when there are none. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, uint32_t permille);

#endif
