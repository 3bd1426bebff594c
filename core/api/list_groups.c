/* SPDX-License-Identifier: Apache-2.0 */
/* ListGroups: the groups that this broker coordinates, by state and type (KIP-518, KIP-848). */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

static const struct span type_name = {(const uint8_t *)"classic", sizeof("classic") - 1};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static struct span trim(struct span text)
{
    while (text.length > 0 && text.data[0] <= ' ')
        text = span_of(text.data + 1, text.length - 1);
    while (text.length > 0 && text.data[text.length - 1] <= ' ')
        text.length--;
    return text;
}

static bool same_word(struct span a, struct span b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

/* An empty filter lets everything pass. */
static bool passes(const struct span *filter, int32_t filter_count, struct span word)
{
    for (int32_t i = 0; i < filter_count; i++)
        if (same_word(trim(filter[i]), word))
            return true;
    return filter_count == 0;
}

static bool is_wanted(const struct list_groups_request *body, const struct group *group)
{
    return passes(body->states_filter, body->states_filter_count, group_state_name(group->state)) &&
           passes(body->types_filter, body->types_filter_count, type_name);
}

static bool groups_fill(struct broker *broker, struct request *request,
                        struct list_groups_response *response)
{
    size_t count = 0;
    struct shard *shard = NULL;
    while ((shard = coordinator_next(broker->coordinator, shard)) != NULL)
        count += map_count(&shard->groups);
    response->groups = arena_array(&request->arena, count, sizeof(*response->groups));
    if (response->groups == NULL)
        return false;
    while ((shard = coordinator_next(broker->coordinator, shard)) != NULL) {
        struct group *group = NULL;
        while ((group = shard_next(shard, group)) != NULL) {
            if (!is_wanted(request->body, group))
                continue;
            response->groups[response->groups_count++] = (struct list_groups_response_group){
                .group_id = group->id,
                .protocol_type = group->protocol_type,
                .group_state = group_state_name(group->state),
                .group_type = type_name,
            };
        }
    }
    return true;
}

void list_groups_handle(struct broker *broker, struct request *request)
{
    struct list_groups_response response;
    wire_defaults(request->api->response, &response);
    bool room = true;
    if (broker->coordinator == NULL)
        response.error_code = ERR_COORDINATOR_NOT_AVAILABLE;
    else if (coordinator_is_loading(broker->coordinator))
        response.error_code = ERR_COORDINATOR_LOAD_IN_PROGRESS;
    else
        room = groups_fill(broker, request, &response);
    if (room)
        request_reply(request, &response);
    else
        request_refuse(request, "the groups are more than a reply may hold");
}
