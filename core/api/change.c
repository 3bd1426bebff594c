/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/change.h"

#include "core/broker_state.h"
#include "core/wire/error.h"

static int change_prepare(struct meta_proposal *proposal, const struct image *image,
                          struct meta_writer *writer)
{
    struct change *change = container_of(proposal, struct change, proposal);
    struct broker *broker = change->broker;
    struct topics_context context;
    topics_begin(&context, image, broker->conf, &broker->io.rng, &change->request->arena, writer);
    change->write(change, &context);
    topics_end(&context);
    if (change->validate_only)
        meta_writer_cut(writer, 0);
    return ERR_NONE;
}

static void change_done(struct meta_proposal *proposal, int error)
{
    struct change *change = container_of(proposal, struct change, proposal);
    change->done(change, error);
}

static void change_cancel(struct request *request)
{
    struct change *change = request->state;
    controller_cancel(change->broker->controller, &change->proposal);
}

void *change_new(struct broker *broker, struct request *request, size_t size)
{
    struct change *change = arena_take(&request->arena, size);
    if (change == NULL) {
        request_refuse(request, "there is no memory for it");
        return NULL;
    }
    change->broker = broker;
    change->request = request;
    return change;
}

void change_propose(struct change *change)
{
    change->request->state = change;
    change->request->cancel = change_cancel;
    change->proposal.prepare = change_prepare;
    change->proposal.done = change_done;
    controller_propose(change->broker->controller, &change->proposal);
}
