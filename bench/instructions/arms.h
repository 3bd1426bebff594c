/* SPDX-License-Identifier: Apache-2.0 */
/* The tapes of requests that are counted. */
#ifndef BENCH_INSTRUCTIONS_ARMS_H
#define BENCH_INSTRUCTIONS_ARMS_H

#include "bench/instructions/rig.h"

/* One tape: after `prepare` the same round again and again. */
struct arm {
    const char *name;  /* one word */
    const char *text;  /* what it is, to people */
    uint32_t rounds;   /* that are counted, after half as many that are not */
    uint32_t requests; /* in a round */
    void (*prepare)(struct rig *rig);
    void (*play)(struct rig *rig); /* one round, whose answers have to be without an error */
};

extern const struct arm arms_produce[]; /* each list ends with a NULL name */
extern const struct arm arms_fetch[];
extern const struct arm arms_other[];

#endif
