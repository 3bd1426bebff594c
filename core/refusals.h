/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of connections that the broker ended: little, however many they are. */
#ifndef CORE_REFUSALS_H
#define CORE_REFUSALS_H

#include <stdint.h>

#include "core/base/span.h"
#include "core/base/timer.h"

struct broker;

/* In any one second this many are told one by one; the others are counted and told together when
 * that second is over. */
#define REFUSALS_TOLD_MAX 10

struct refusals {
    struct timer timer; /* set while there are some that were only counted */
    uint64_t since_us;  /* when the second began */
    uint32_t told;
    uint64_t counted;
};

/* The connection of `peer` is closed, for the reason `why`. */
void refusals_tell(struct broker *broker, struct span peer, const char *why);

#endif
