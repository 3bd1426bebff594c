/* SPDX-License-Identifier: Apache-2.0 */
/* UnregisterBroker: forgets a broker that will not come back. Who lives and is forgotten all the
 * same would go on without a place in the cluster until it is started anew: it has to end first. */
#include "core/api/change.h"
#include "core/api/table.h"
#include "core/meta/unregister.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

struct unregister_broker {
    struct change change;
    struct unregister_broker_response *response;
};

static void unregister_write(struct change *change, struct topics_context *context)
{
    struct unregister_broker *all = container_of(change, struct unregister_broker, change);
    const struct unregister_broker_request *body = change->request->body;
    all->response->error_message = SPAN_NULL;
    all->response->error_code =
        (int16_t)brokers_unregister(context, body->broker_id, &all->response->error_message);
}

static void unregister_done(struct change *change, int error)
{
    struct unregister_broker *all = container_of(change, struct unregister_broker, change);
    if (error != ERR_NONE)
        all->response->error_code = (int16_t)error;
    request_reply(change->request, all->response);
}

void unregister_broker_handle(struct broker *broker, struct request *request)
{
    struct unregister_broker *all = change_new(broker, request, sizeof(*all));
    if (all == NULL)
        return;
    all->response = request_response(request);
    if (all->response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    all->change.write = unregister_write;
    all->change.done = unregister_done;
    change_propose(&all->change);
}
