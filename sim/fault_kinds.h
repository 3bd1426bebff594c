/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of fault does to the world, and takes back. */
#ifndef SIM_FAULT_KINDS_H
#define SIM_FAULT_KINDS_H

#include "sim/host.h"

#define FAULT_ENDS_MAX 64 /* of which a partition knows the part; nothing parts the others */

/* A fault while it lasts. */
struct fault_window {
    struct task task; /* its end */
    struct list place;
    struct sim *sim;
    struct host *host;
    struct host *other; /* SWAP_DISKS: with which the host has changed; links: the other end */
    const struct scenario_fault *fault;
    struct chance rng; /* of this one: what others draw does not change it */
    uint64_t lasts_us;
    uint8_t parts[FAULT_ENDS_MAX]; /* PARTITION, ONE_WAY: in which of them each end is */
    bool backwards;                /* ONE_WAY: from the other side */
    bool is_split;                 /* where it flaps: now, until the next time … */
    struct task flap_task;
    uint64_t before; /* what was counted when it began, to tell whether it mattered */
};

/* False while it would take away what nobody could bear: then it has to wait. */
bool fault_can_begin(enum fault_kind kind, const struct host *host);

void fault_begin(struct fault_window *window);
void fault_end(struct fault_window *window);

/* What the scenario says of how much, drawn; or this where it says nothing. */
uint64_t fault_amount(struct fault_window *window, uint64_t otherwise);

/* A machine besides that of the fault, drawn; there are two at least. */
struct host *fault_other(struct fault_window *window);

/* The word of the scenario language, as in "power_loss". */
const char *fault_name(enum fault_kind kind);

#endif
