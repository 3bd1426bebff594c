/* SPDX-License-Identifier: Apache-2.0 */
/* SyncGroup: the leader brings the assignment, everyone waits for a share of it. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* From this version on a member says which protocol it means (KIP-559). */
#define VERSION_PROTOCOL 5

struct sync_wait {
    struct group_sync sync;
    struct request *request;
};

static void synced(struct group_sync *sync, const struct group_synced *result)
{
    struct request *request = container_of(sync, struct sync_wait, sync)->request;
    struct sync_group_response response;
    wire_defaults(request->api->response, &response);
    response.error_code = (int16_t)result->error;
    response.protocol_type = result->protocol_type;
    response.protocol_name = result->protocol_name;
    response.assignment = result->assignment;
    request_reply(request, &response);
}

static struct sync_wait *wait_new(struct request *request, const struct sync_group_request *body)
{
    struct sync_wait *wait = arena_take(&request->arena, sizeof(*wait));
    const uint32_t count = (uint32_t)body->assignments_count;
    struct group_assignment *assignments =
        arena_array(&request->arena, count, sizeof(*assignments));
    if (wait == NULL || assignments == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        assignments[i] = (struct group_assignment){body->assignments[i].member_id,
                                                   body->assignments[i].assignment};
    wait->request = request;
    wait->sync = (struct group_sync){
        .generation = body->generation_id,
        .member_id = body->member_id,
        .instance_id = body->group_instance_id,
        .protocol_type = body->protocol_type,
        .protocol_name = body->protocol_name,
        .assignments = assignments,
        .assignments_count = count,
        .done = synced,
    };
    return wait;
}

static void sync_cancelled(struct request *request)
{
    struct sync_wait *wait = request->state;
    group_sync_cancel(&wait->sync);
}

static int group_for(struct broker *broker, const struct request *request, struct group **ret_group)
{
    const struct sync_group_request *body = request->body;
    struct shard *shard = NULL;
    if (body->group_id.length == 0)
        return ERR_INVALID_GROUP_ID;
    if (request->version >= VERSION_PROTOCOL &&
        (span_is_null(body->protocol_type) || span_is_null(body->protocol_name)))
        return ERR_INCONSISTENT_GROUP_PROTOCOL;
    const int error = coordinator_group(broker->coordinator, body->group_id, &shard, ret_group);
    return error == ERR_NONE && *ret_group == NULL ? ERR_UNKNOWN_MEMBER_ID : error;
}

void sync_group_handle(struct broker *broker, struct request *request)
{
    struct sync_wait *wait = wait_new(request, request->body);
    struct group *group = NULL;
    if (wait == NULL) {
        request_refuse(request, "its assignments are more than a request may hold");
        return;
    }
    const int error = group_for(broker, request, &group);
    if (error != ERR_NONE) {
        const struct group_synced result = {.error = error, .assignment = SPAN("")};
        synced(&wait->sync, &result);
        return;
    }
    request->state = wait;
    request->cancel = sync_cancelled;
    group_sync(group, &wait->sync);
}
