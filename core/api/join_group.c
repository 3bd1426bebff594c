/* SPDX-License-Identifier: Apache-2.0 */
/* JoinGroup: becomes a member, or joins the next generation; answered when that is formed. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/session.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Versions that brought something new. */
#define VERSION_MEMBER_ID_ROUND 4 /* KIP-394 */
#define VERSION_SKIP_ASSIGNMENT 9 /* KIP-814 */

struct join_wait {
    struct group_join join;
    struct request *request;
};

static bool members_fill(struct request *request, const struct group *group,
                         struct join_group_response *response)
{
    response->members =
        arena_array(&request->arena, map_count(&group->members), sizeof(*response->members));
    if (response->members == NULL)
        return false;
    const struct group_member *member = NULL;
    while ((member = group_next_member(group, member)) != NULL)
        response->members[response->members_count++] = (struct join_group_response_member){
            .member_id = member->id,
            .group_instance_id = member->instance_id,
            .metadata = group_member_metadata(member),
        };
    return true;
}

static void joined(struct group_join *join, const struct group_joined *result)
{
    struct request *request = container_of(join, struct join_wait, join)->request;
    struct join_group_response response;
    wire_defaults(request->api->response, &response);
    response.error_code = (int16_t)result->error;
    response.generation_id = result->generation;
    response.protocol_type = result->protocol_type;
    response.protocol_name = result->protocol_name;
    response.leader = result->leader;
    response.member_id = result->member_id;
    response.skip_assignment = result->skip_assignment;
    if (result->members == NULL || members_fill(request, result->members, &response))
        request_reply(request, &response);
    else
        request_refuse(request, "the members of its group are more than a reply may hold");
}

static void refuse(struct join_wait *wait, int error)
{
    const struct group_joined result = {
        .error = error, .generation = -1, .leader = SPAN(""), .member_id = wait->join.member_id};
    joined(&wait->join, &result);
}

/* The address of the peer without its port, as Kafka shows it. */
static struct span client_host(struct request *request)
{
    const struct span peer = request->session->peer;
    size_t length = peer.length;
    while (length > 0 && peer.data[length - 1] != ':')
        length--;
    return arena_format(&request->arena, "/%.*s", length > 0 ? (int)length - 1 : (int)peer.length,
                        (const char *)peer.data);
}

static struct join_wait *wait_new(struct request *request, const struct join_group_request *body)
{
    struct join_wait *wait = arena_take(&request->arena, sizeof(*wait));
    const uint32_t count = (uint32_t)body->protocols_count;
    struct group_protocol *protocols = arena_array(&request->arena, count, sizeof(*protocols));
    const struct span host = client_host(request);
    if (wait == NULL || protocols == NULL || span_is_null(host))
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        protocols[i] =
            (struct group_protocol){body->protocols[i].name, body->protocols[i].metadata};
    wait->request = request;
    wait->join = (struct group_join){
        .member_id = body->member_id,
        .instance_id = body->group_instance_id,
        .client_id = span_is_null(request->client_id) ? SPAN("") : request->client_id,
        .client_host = host,
        .protocol_type = body->protocol_type,
        .protocols = protocols,
        .protocols_count = count,
        .session_timeout_ms = body->session_timeout_ms,
        .rebalance_timeout_ms = body->rebalance_timeout_ms,
        .needs_member_id = request->version >= VERSION_MEMBER_ID_ROUND,
        .may_skip_assignment = request->version >= VERSION_SKIP_ASSIGNMENT,
        .done = joined,
    };
    return wait;
}

static void join_cancelled(struct request *request)
{
    struct join_wait *wait = request->state;
    group_join_cancel(&wait->join);
}

/* A group comes into being with its first newcomer; somebody with an id belongs to one that is
 * there. */
static int group_for(struct broker *broker, const struct join_group_request *body,
                     struct shard **ret_shard, struct group **ret_group)
{
    if (body->group_id.length == 0)
        return ERR_INVALID_GROUP_ID;
    if (broker->coordinator == NULL)
        return ERR_COORDINATOR_NOT_AVAILABLE;
    const int error =
        group_check_session(coordinator_settings(broker->coordinator), body->session_timeout_ms);
    if (error != ERR_NONE)
        return error;
    if (body->member_id.length == 0)
        return coordinator_open(broker->coordinator, body->group_id, ret_shard, ret_group);
    const int missing =
        coordinator_group(broker->coordinator, body->group_id, ret_shard, ret_group);
    return missing == ERR_NONE && *ret_group == NULL ? ERR_UNKNOWN_MEMBER_ID : missing;
}

void join_group_handle(struct broker *broker, struct request *request)
{
    const struct join_group_request *body = request->body;
    struct join_wait *wait = wait_new(request, body);
    struct shard *shard = NULL;
    struct group *group = NULL;
    if (wait == NULL) {
        request_refuse(request, "its protocols are more than a request may hold");
        return;
    }
    const int error = group_for(broker, body, &shard, &group);
    if (error != ERR_NONE) {
        refuse(wait, error);
        return;
    }
    request->state = wait;
    request->cancel = join_cancelled;
    group_join(group, &wait->join);
    shard_tidy(shard, group);
}
