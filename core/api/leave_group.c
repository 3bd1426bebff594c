/* SPDX-License-Identifier: Apache-2.0 */
/* LeaveGroup: members leave at once instead of by their sessions' end; several from version 3
 * on. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define VERSION_SEVERAL 3

/* A group that is not there has no such members. */
static int leave_one(struct group *group, struct span member_id, struct span instance_id)
{
    return group == NULL ? ERR_UNKNOWN_MEMBER_ID : group_leave(group, member_id, instance_id);
}

static void leave_several(struct request *request, struct group *group,
                          struct leave_group_response *response)
{
    const struct leave_group_request *body = request->body;
    bool any = false;
    for (int32_t i = 0; i < body->members_count; i++) {
        const struct leave_group_request_member *member = &body->members[i];
        const int error = leave_one(group, member->member_id, member->group_instance_id);
        any = any || error == ERR_NONE;
        response->members[i] = (struct leave_group_response_member){
            member->member_id, member->group_instance_id, (int16_t)error};
    }
    response->members_count = body->members_count;
    if (any)
        group_left(group);
}

void leave_group_handle(struct broker *broker, struct request *request)
{
    const struct leave_group_request *body = request->body;
    struct leave_group_response response;
    wire_defaults(request->api->response, &response);
    struct shard *shard = NULL;
    struct group *group = NULL;
    response.members =
        arena_array(&request->arena, (size_t)body->members_count, sizeof(*response.members));
    if (response.members == NULL) {
        request_refuse(request, "its members are more than a request may hold");
        return;
    }
    int error = body->group_id.length == 0
                    ? ERR_INVALID_GROUP_ID
                    : coordinator_group(broker->coordinator, body->group_id, &shard, &group);
    if (error == ERR_NONE && request->version >= VERSION_SEVERAL) {
        leave_several(request, group, &response);
    } else if (error == ERR_NONE) {
        error = leave_one(group, body->member_id, SPAN_NULL);
        if (error == ERR_NONE)
            group_left(group);
    }
    response.error_code = (int16_t)error;
    request_reply(request, &response);
}
