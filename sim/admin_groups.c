/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator asks about groups and their offsets. */
#include "sim/admin.h"

#define PARTITIONS 3
#define OFFSETS    1000

/* Its own, one of the scenario's, or one that is not there. */
static struct span any_group(struct admin *admin)
{
    const struct scenario *scenario = admin->client.sim->scenario;
    struct chance *rng = &admin->client.rng;
    if (chance_one_in(rng, 8))
        return SPAN("no-such-group");
    const struct scenario_client *plan =
        &scenario->clients[chance_below(rng, scenario->clients_count)];
    return plan->kind == CLIENT_MEMBER ? scenario_group(plan) : span_text(admin->group);
}

static void fill_find_coordinator(struct admin *admin, struct exchange *exchange)
{
    struct find_coordinator_request *request = (void *)(uintptr_t)exchange->request;
    request->key = any_group(admin);
    request->key_type = (int8_t)chance_below(&admin->client.rng, 3);
    request->coordinator_keys_count = (int32_t)chance_below(&admin->client.rng, 3);
    request->coordinator_keys =
        peer_take(exchange, 1 + sizeof(struct span) * (size_t)request->coordinator_keys_count);
    for (int32_t i = 0; i < request->coordinator_keys_count; i++)
        request->coordinator_keys[i] = any_group(admin);
}

static void fill_list_groups(struct admin *admin, struct exchange *exchange)
{
    static const char *const states[] = {"Stable", "Empty", "PreparingRebalance", "Nowhere"};
    struct list_groups_request *request = (void *)(uintptr_t)exchange->request;
    request->states_filter_count = chance_one_in(&admin->client.rng, 2) ? 1 : 0;
    request->states_filter = peer_take(exchange, sizeof(struct span));
    request->states_filter[0] = span_text(states[chance_below(&admin->client.rng, 4)]);
    request->types_filter_count = chance_one_in(&admin->client.rng, 4) ? 1 : 0;
    request->types_filter = peer_take(exchange, sizeof(struct span));
    request->types_filter[0] = SPAN("classic");
}

static void fill_describe_groups(struct admin *admin, struct exchange *exchange)
{
    struct describe_groups_request *request = (void *)(uintptr_t)exchange->request;
    request->groups_count = (int32_t)chance_between(&admin->client.rng, 1, 3);
    request->groups = peer_take(exchange, sizeof(struct span) * (size_t)request->groups_count);
    for (int32_t i = 0; i < request->groups_count; i++)
        request->groups[i] = any_group(admin);
    request->include_authorized_operations = chance_one_in(&admin->client.rng, 2);
}

static void fill_delete_groups(struct admin *admin, struct exchange *exchange)
{
    struct delete_groups_request *request = (void *)(uintptr_t)exchange->request;
    request->groups_names_count = 1;
    request->groups_names = peer_take(exchange, sizeof(struct span));
    request->groups_names[0] = span_text(admin->group);
}

/* Of a group without members, as by a tool that resets offsets. */
static void fill_offset_commit(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct offset_commit_request *request = (void *)(uintptr_t)exchange->request;
    const struct admin_topic *own = admin_own_topic(admin);
    request->group_id = span_text(admin->group);
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    struct offset_commit_request_topic *topic = request->topics;
    topic->name = span_text(own->name);
    topic->topic_id = own->id;
    topic->partitions_count = (int32_t)chance_between(rng, 1, PARTITIONS);
    topic->partitions =
        peer_take(exchange, sizeof(*topic->partitions) * (size_t)topic->partitions_count);
    for (int32_t i = 0; i < topic->partitions_count; i++)
        topic->partitions[i] = (struct offset_commit_request_topic_partition){
            .partition_index = i,
            .committed_offset = (int64_t)chance_below(rng, OFFSETS),
            .committed_leader_epoch = -1,
            .committed_metadata = chance_one_in(rng, 2) ? SPAN_NULL : SPAN("by hand")};
}

static int32_t *partitions_take(struct exchange *exchange)
{
    int32_t *partitions = peer_take(exchange, PARTITIONS * sizeof(*partitions));
    for (int32_t i = 0; i < PARTITIONS; i++)
        partitions[i] = i;
    return partitions;
}

/* All offsets of a group, or those of a topic; in both of the request's forms, of which a version
 * has one. */
static void fill_offset_fetch(struct admin *admin, struct exchange *exchange)
{
    struct offset_fetch_request *request = (void *)(uintptr_t)exchange->request;
    const bool all = exchange->version >= 2 && chance_one_in(&admin->client.rng, 2);
    const struct admin_topic *own = admin_own_topic(admin);
    request->group_id = any_group(admin);
    request->topics_count = all ? -1 : 1;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    *request->topics =
        (struct offset_fetch_request_topic){.name = span_text(own->name),
                                            .partition_indexes = partitions_take(exchange),
                                            .partition_indexes_count = PARTITIONS};
    request->groups = peer_take(exchange, sizeof(*request->groups));
    request->groups_count = 1;
    struct offset_fetch_request_group *group = request->groups;
    *group = (struct offset_fetch_request_group){
        .group_id = request->group_id, .member_epoch = -1, .topics_count = all ? -1 : 1};
    group->topics = peer_take(exchange, sizeof(*group->topics));
    *group->topics =
        (struct offset_fetch_request_group_topic){.name = span_text(own->name),
                                                  .topic_id = own->id,
                                                  .partition_indexes = partitions_take(exchange),
                                                  .partition_indexes_count = PARTITIONS};
}

const struct admin_action admin_groups[] = {
    {API_FIND_COORDINATOR, 3, fill_find_coordinator, NULL},
    {API_LIST_GROUPS, 3, fill_list_groups, NULL},
    {API_DESCRIBE_GROUPS, 4, fill_describe_groups, NULL},
    {API_DELETE_GROUPS, 2, fill_delete_groups, NULL},
    {API_OFFSET_COMMIT, 4, fill_offset_commit, NULL},
    {API_OFFSET_FETCH, 4, fill_offset_fetch, NULL},
    {0},
};
