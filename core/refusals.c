/* SPDX-License-Identifier: Apache-2.0 */
#include "core/refusals.h"

#include <inttypes.h>

#include "core/base/format.h"
#include "core/base/list.h"
#include "core/broker_state.h"

#define SECOND_US ((uint64_t)1000 * 1000)

/* The second is over; what was only counted in it is told. */
static void refusals_sum_up(struct timer *timer)
{
    struct refusals *refusals = container_of(timer, struct refusals, timer);
    struct broker *broker = container_of(refusals, struct broker, refusals);
    io_log(&broker->io, LOG_WARN, "closed %" PRIu64 " more connections within a second",
           refusals->counted);
    refusals->counted = 0;
    refusals->told = 0;
    refusals->since_us = broker->io.now_us;
}

void refusals_tell(struct broker *broker, struct span peer, const char *why)
{
    struct refusals *refusals = &broker->refusals;
    struct io *io = &broker->io;
    /* While some are only counted, the timer alone ends the second: none of them is forgotten. */
    if (refusals->counted == 0 && io->now_us >= refusals->since_us + SECOND_US) {
        refusals->since_us = io->now_us;
        refusals->told = 0;
    }
    if (refusals->told < REFUSALS_TOLD_MAX) {
        refusals->told++;
        io_log(io, LOG_WARN, "closing the connection of %.*s: %s", SPAN_ARGS(peer), why);
        return;
    }
    refusals->counted++;
    if (!timer_is_set(&refusals->timer))
        timer_set(&io->timers, &refusals->timer, refusals->since_us + SECOND_US, refusals_sum_up);
}
