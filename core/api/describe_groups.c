/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeGroups: the state and the members of groups. */
#include "core/api/authorized.h"
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* From this version on a group that is not there is an error (KIP-1043). */
#define VERSION_GROUP_NOT_FOUND 6

typedef struct describe_groups_response_group group_out;

/* What members brought and got is shown while it is in force. */
static bool members_fill(struct arena *arena, const struct group *group, group_out *out)
{
    const bool stable = group->state == GROUP_STABLE;
    const struct group_member *member = NULL;
    out->members = arena_array(arena, map_count(&group->members), sizeof(*out->members));
    if (out->members == NULL)
        return false;
    while ((member = group_next_member(group, member)) != NULL)
        out->members[out->members_count++] = (struct describe_groups_response_group_member){
            .member_id = member->id,
            .group_instance_id = member->instance_id,
            .client_id = member->client_id,
            .client_host = member->client_host,
            .member_metadata = stable ? group_member_metadata(member) : SPAN(""),
            .member_assignment = stable ? member->assignment : SPAN(""),
        };
    return true;
}

static bool describe(struct broker *broker, struct request *request, group_out *out)
{
    struct shard *shard = NULL;
    struct group *group = NULL;
    const int error = coordinator_group(broker->coordinator, out->group_id, &shard, &group);
    out->error_code = (int16_t)error;
    if (error != ERR_NONE)
        return true;
    if (group == NULL) {
        out->group_state = group_state_name(GROUP_DEAD);
        if (request->version >= VERSION_GROUP_NOT_FOUND) {
            out->error_code = ERR_GROUP_ID_NOT_FOUND;
            out->error_message = span_text(error_text(ERR_GROUP_ID_NOT_FOUND));
        }
        return true;
    }
    out->group_state = group_state_name(group->state);
    out->protocol_type = group->protocol_type;
    if (group->state == GROUP_STABLE)
        out->protocol_data = group->protocol_name;
    return members_fill(&request->arena, group, out);
}

void describe_groups_handle(struct broker *broker, struct request *request)
{
    const struct describe_groups_request *body = request->body;
    struct describe_groups_response response;
    wire_defaults(request->api->response, &response);
    response.groups =
        arena_array(&request->arena, (size_t)body->groups_count, sizeof(*response.groups));
    bool room = response.groups != NULL;
    for (int32_t i = 0; room && i < body->groups_count; i++) {
        group_out *out = &response.groups[response.groups_count++];
        *out = wire_default_describe_groups_response_group;
        out->group_id = body->groups[i];
        if (body->include_authorized_operations)
            out->authorized_operations = AUTHORIZED_GROUP;
        room = describe(broker, request, out);
    }
    if (room)
        request_reply(request, &response);
    else
        request_refuse(request, "the groups are more than a reply may hold");
}
