/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeat: a member is alive, and hears whether it has to join again. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

static int heartbeat(struct broker *broker, const struct heartbeat_request *body)
{
    struct shard *shard = NULL;
    struct group *group = NULL;
    if (body->group_id.length == 0)
        return ERR_INVALID_GROUP_ID;
    const int error = coordinator_group(broker->coordinator, body->group_id, &shard, &group);
    if (error == ERR_COORDINATOR_LOAD_IN_PROGRESS)
        return ERR_NONE; /* its session begins anew when the group is loaded */
    if (error != ERR_NONE)
        return error;
    return group == NULL ? ERR_UNKNOWN_MEMBER_ID
                         : group_heartbeat(group, body->member_id, body->group_instance_id,
                                           body->generation_id);
}

void heartbeat_handle(struct broker *broker, struct request *request)
{
    struct heartbeat_response response;
    wire_defaults(request->api->response, &response);
    response.error_code = (int16_t)heartbeat(broker, request->body);
    request_reply(request, &response);
}
