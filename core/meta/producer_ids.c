/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/producer_ids.h"

#include "core/meta/brokers.h"
#include "core/wire/error.h"

void producer_ids_init(struct producer_ids *ids, struct controller *controller, int32_t broker_id)
{
    *ids = (struct producer_ids){.controller = controller, .broker_id = broker_id};
    list_init(&ids->waiters);
}

static int block_prepare(struct meta_proposal *proposal, const struct image *image,
                         struct meta_writer *writer)
{
    struct producer_ids *ids = container_of(proposal, struct producer_ids, proposal);
    return brokers_take_producer_ids(image, writer, ids->broker_id, &ids->asked_first);
}

static void block_ask(struct producer_ids *ids);

static void block_done(struct meta_proposal *proposal, int error)
{
    struct producer_ids *ids = container_of(proposal, struct producer_ids, proposal);
    ids->asking = false;
    if (error == ERR_NONE) {
        ids->next = ids->asked_first;
        ids->end = ids->asked_first + PRODUCER_IDS_BLOCK;
    }
    while (!list_empty(&ids->waiters) && (error != ERR_NONE || ids->next < ids->end)) {
        struct list *place = list_pop(&ids->waiters);
        struct producer_id_waiter *waiter = container_of(place, struct producer_id_waiter, place);
        waiter->wake(waiter, error, error == ERR_NONE ? ids->next++ : -1);
    }
    if (!list_empty(&ids->waiters))
        block_ask(ids);
}

static void block_ask(struct producer_ids *ids)
{
    if (ids->asking)
        return;
    ids->asking = true;
    ids->proposal = (struct meta_proposal){.prepare = block_prepare, .done = block_done};
    controller_propose(ids->controller, &ids->proposal);
}

void producer_ids_take(struct producer_ids *ids, struct producer_id_waiter *waiter)
{
    list_init(&waiter->place);
    if (ids->next < ids->end) {
        waiter->wake(waiter, ERR_NONE, ids->next++);
        return;
    }
    list_append(&ids->waiters, &waiter->place);
    block_ask(ids);
}
