/* SPDX-License-Identifier: Apache-2.0 */
/* CreatePartitions (KIP-195): each topic of the request is in the answer, also where it failed. */
#include "core/api/change.h"
#include "core/api/table.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

struct create_partitions {
    struct change change;
    struct create_partitions_response *response;
};

static int grow_one(struct topics_context *context,
                    const struct create_partitions_request_topic *in, struct span *ret_message)
{
    struct topic_assignment *assignments = NULL;
    const struct meta_topic *topic = image_topic(context->image, in->name);
    if (topic == NULL)
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (in->assignments_count >= 0) {
        assignments =
            arena_array(context->arena, (size_t)in->assignments_count, sizeof(*assignments));
        if (assignments == NULL) {
            *ret_message = CHANGE_NO_ROOM;
            return ERR_POLICY_VIOLATION;
        }
    }
    for (int32_t i = 0; i < in->assignments_count; i++) {
        assignments[i] = (struct topic_assignment){
            .partition = topic->partitions_count + i,
            .brokers = in->assignments[i].broker_ids,
            .brokers_count = in->assignments[i].broker_ids_count,
        };
    }
    return topics_grow(context, topic, in->count, assignments, in->assignments_count, ret_message);
}

static void grow_write(struct change *change, struct topics_context *context)
{
    struct create_partitions *create = container_of(change, struct create_partitions, change);
    const struct create_partitions_request *body = change->request->body;
    for (int32_t i = 0; i < body->topics_count; i++) {
        struct create_partitions_response_result *out = &create->response->results[i];
        out->name = body->topics[i].name;
        out->error_code = (int16_t)grow_one(context, &body->topics[i], &out->error_message);
    }
}

static void grow_done(struct change *change, int error)
{
    struct create_partitions *create = container_of(change, struct create_partitions, change);
    const struct create_partitions_request *body = change->request->body;
    for (int32_t i = 0; i < create->response->results_count && error != ERR_NONE; i++) {
        create->response->results[i].name = body->topics[i].name;
        if (create->response->results[i].error_code == ERR_NONE)
            create->response->results[i].error_code = (int16_t)error;
    }
    request_reply(change->request, create->response);
}

void create_partitions_handle(struct broker *broker, struct request *request)
{
    const struct create_partitions_request *body = request->body;
    struct create_partitions *create = change_new(broker, request, sizeof(*create));
    if (create == NULL)
        return;
    create->change.validate_only = body->validate_only;
    create->change.write = grow_write;
    create->change.done = grow_done;
    create->response = request_response(request);
    struct create_partitions_response_result *results =
        arena_array(&request->arena, (size_t)body->topics_count, sizeof(*results));
    if (create->response == NULL || results == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    create->response->results = results;
    create->response->results_count = body->topics_count;
    change_propose(&create->change);
}
