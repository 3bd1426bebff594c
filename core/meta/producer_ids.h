/* SPDX-License-Identifier: Apache-2.0 */
/* Gives out the producer ids of this broker's block, and asks for the next block when it is empty.
 */
#ifndef CORE_META_PRODUCER_IDS_H
#define CORE_META_PRODUCER_IDS_H

#include <stdint.h>

#include "core/base/list.h"
#include "core/meta/controller.h"

struct producer_ids {
    struct controller *controller;
    int32_t broker_id;
    int64_t next;
    int64_t end; /* next == end: the block is used up */
    struct list waiters;
    bool asking;
    int64_t asked_first;
    struct meta_proposal proposal;
};

/* Waits for an id; a member of whoever asks. */
struct producer_id_waiter {
    struct list place;
    void (*wake)(struct producer_id_waiter *waiter, int error, int64_t producer_id);
};

void producer_ids_init(struct producer_ids *ids, struct controller *controller, int32_t broker_id);

/* Wakes `waiter` with an id that nobody had before, in this call or later. Taking the waiter out of
 * its list takes the question back. */
void producer_ids_take(struct producer_ids *ids, struct producer_id_waiter *waiter);

#endif
