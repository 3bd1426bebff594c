/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteGroups: empty groups go with their offsets; answered when that cannot come undone. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

struct delete_groups;

struct delete_one {
    struct delete_groups *all;
    struct coord_write write;
    struct delete_groups_response_result *result;
};

struct delete_groups {
    struct request *request;
    struct delete_groups_response response;
    struct delete_one *ones;
    uint32_t pending; /* deletions under way, and the handler itself */
};

static void one_ended(struct delete_groups *all)
{
    if (--all->pending == 0)
        request_reply(all->request, &all->response);
}

static void deleted(struct coord_write *write, int error)
{
    struct delete_one *one = container_of(write, struct delete_one, write);
    one->result->error_code = (int16_t)error;
    one_ended(one->all);
}

static int delete_start(struct broker *broker, struct delete_one *one)
{
    struct shard *shard = NULL;
    struct group *group = NULL;
    int error = coordinator_group(broker->coordinator, one->result->group_id, &shard, &group);
    if (error == ERR_NONE)
        error = group == NULL ? ERR_GROUP_ID_NOT_FOUND : group_check_delete(group);
    if (error != ERR_NONE)
        return error;
    one->write.done = deleted;
    return shard_delete(shard, group, &one->write);
}

void delete_groups_handle(struct broker *broker, struct request *request)
{
    const struct delete_groups_request *body = request->body;
    const size_t count = (size_t)body->groups_names_count;
    struct delete_groups *all = arena_take(&request->arena, sizeof(*all));
    struct delete_one *ones = arena_array(&request->arena, count, sizeof(*ones));
    struct delete_groups_response_result *results =
        arena_array(&request->arena, count, sizeof(*results));
    if (all == NULL || ones == NULL || results == NULL) {
        request_refuse(request, "its groups are more than a request may hold");
        return;
    }
    *all = (struct delete_groups){.request = request, .ones = ones, .pending = 1};
    wire_defaults(request->api->response, &all->response);
    all->response.results = results;
    all->response.results_count = body->groups_names_count;
    for (size_t i = 0; i < count; i++) {
        results[i].group_id = body->groups_names[i];
        ones[i] = (struct delete_one){.all = all, .result = &results[i]};
        const int error = delete_start(broker, &ones[i]);
        if (error == ERR_NONE)
            all->pending++;
        else
            results[i].error_code = (int16_t)error;
    }
    one_ended(all);
}
