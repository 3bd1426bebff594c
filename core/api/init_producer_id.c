/* SPDX-License-Identifier: Apache-2.0 */
/* InitProducerId for idempotent producers (KIP-98): any broker gives an id that nobody had yet. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

struct init_producer_id {
    struct request *request;
    struct init_producer_id_response *response;
    struct producer_id_waiter waiter;
};

static void id_given(struct producer_id_waiter *waiter, int error, int64_t producer_id)
{
    struct init_producer_id *init = container_of(waiter, struct init_producer_id, waiter);
    init->response->error_code = (int16_t)error;
    init->response->producer_id = producer_id;
    init->response->producer_epoch = error == ERR_NONE ? 0 : -1;
    request_reply(init->request, init->response);
}

static void init_cancel(struct request *request)
{
    struct init_producer_id *init = request->state;
    list_remove(&init->waiter.place);
}

/* Transactions do not exist yet. Every client takes this error as final and tells its user, while
 * the errors of coordinators make it ask again for ever. */
static int init_check(const struct init_producer_id_request *body)
{
    if ((body->producer_id < 0) != (body->producer_epoch < 0))
        return ERR_INVALID_REQUEST;
    if (span_is_null(body->transactional_id))
        return ERR_NONE;
    return body->transactional_id.length == 0 ? ERR_INVALID_REQUEST
                                              : ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
}

void init_producer_id_handle(struct broker *broker, struct request *request)
{
    struct init_producer_id *init = arena_take(&request->arena, sizeof(*init));
    struct init_producer_id_response *response = request_response(request);
    if (init == NULL || response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    init->request = request;
    init->response = response;
    init->waiter.wake = id_given;
    const int error = init_check(request->body);
    if (error != ERR_NONE) {
        id_given(&init->waiter, error, -1);
        return;
    }
    request->state = init;
    request->cancel = init_cancel;
    producer_ids_take(&broker->producer_ids, &init->waiter);
}
