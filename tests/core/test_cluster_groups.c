/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of a cluster of three: they follow the leadership of their partition of
 * __consumer_offsets. */
#include <string.h>

#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/wire/error.h"
#include "tests/core/crew.h"
#include "tests/support/runner.h"

#define NODES 3
#define GROUP SPAN("g")
#define TOPIC SPAN("t")

static const char *const settings[] = {"offsets.topic.num.partitions", "3",
                                       "group.initial.rebalance.delay.ms", "3000", NULL};

static struct client *clients[NODES + 1];

static void clients_begin(void)
{
    for (int32_t id = 1; id <= NODES; id++) {
        if (clients[id] == NULL && crew_nodes[id].broker != NULL)
            clients[id] = client_new(crew_nodes[id].world);
    }
}

static void client_leaves(int32_t id)
{
    if (clients[id] != NULL)
        client_free(clients[id]);
    clients[id] = NULL;
}

static void begin(void)
{
    static const int32_t brokers[] = {1, 2, 3};
    crew_begin(NODES, settings, NULL);
    clients_begin();
    crew_create(clients[1], TOPIC, brokers, 1, 3);
}

static void end(void)
{
    for (int32_t id = 1; id <= NODES; id++)
        client_leaves(id);
    crew_end();
}

/* Kills a node with its clients, or has it end in order. */
static void node_goes(int32_t id, bool in_order)
{
    client_leaves(id);
    if (in_order)
        crew_stop(id);
    else
        crew_kill(id);
}

static void node_comes(int32_t id)
{
    crew_start(id);
    clients_begin();
}

/* Who coordinates the group, as this node says. */
static int32_t find(int32_t asked)
{
    struct find_coordinator_request *request = client_request(clients[asked], API_FIND_COORDINATOR);
    request->key = GROUP;
    const struct find_coordinator_response *response =
        crew_call(clients[asked], API_FIND_COORDINATOR, 3, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    ck_assert_int_eq(response->port, 9092);
    return response->node_id;
}

static struct offset_commit_request *commit_of(struct client *client, int64_t offset,
                                               const struct join_group_response *joined)
{
    struct offset_commit_request *request = client_request(client, API_OFFSET_COMMIT);
    request->group_id = GROUP;
    request->generation_id_or_member_epoch = joined == NULL ? -1 : joined->generation_id;
    request->member_id = joined == NULL ? SPAN("") : joined->member_id;
    request->topics = arena_array(client_arena(client), 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = TOPIC;
    request->topics[0].partitions =
        arena_array(client_arena(client), 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].committed_offset = offset;
    return request;
}

static int16_t commit(int32_t id, int64_t offset, const struct join_group_response *joined)
{
    const struct offset_commit_response *response =
        crew_call(clients[id], API_OFFSET_COMMIT, 7, commit_of(clients[id], offset, joined));
    ck_assert_ptr_nonnull(response);
    return response->topics[0].partitions[0].error_code;
}

/* What is committed; an error is negative. */
static int64_t committed(int32_t id)
{
    struct offset_fetch_request *request = client_request(clients[id], API_OFFSET_FETCH);
    request->group_id = GROUP;
    request->topics_count = -1;
    const struct offset_fetch_response *response =
        crew_call(clients[id], API_OFFSET_FETCH, 5, request);
    ck_assert_ptr_nonnull(response);
    if (response->error_code != ERR_NONE)
        return -response->error_code;
    ck_assert_int_eq(response->topics_count, 1);
    return response->topics[0].partitions[0].committed_offset;
}

static struct join_group_request *join_of(struct client *client)
{
    struct join_group_request *request = client_request(client, API_JOIN_GROUP);
    request->group_id = GROUP;
    request->session_timeout_ms = 10000;
    request->rebalance_timeout_ms = 60000;
    request->member_id = SPAN("");
    request->protocol_type = SPAN("consumer");
    request->protocols = arena_array(client_arena(client), 1, sizeof(*request->protocols));
    request->protocols[0].name = SPAN("range");
    request->protocols[0].metadata = SPAN("topics");
    request->protocols_count = 1;
    return request;
}

/* The leader of the group gives itself everything. */
static struct sync_group_request *sync_of(struct client *client,
                                          const struct join_group_response *joined)
{
    struct sync_group_request *request = client_request(client, API_SYNC_GROUP);
    request->group_id = GROUP;
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    if (!span_equal(joined->member_id, joined->leader))
        return request;
    request->assignments = arena_array(client_arena(client), 1, sizeof(*request->assignments));
    request->assignments[0].member_id = joined->member_id;
    request->assignments[0].assignment = SPAN("partitions");
    request->assignments_count = 1;
    return request;
}

/* Somebody who is alone in the group, with an assignment; its texts live as long as the client. */
static const struct join_group_response *enter(int32_t id)
{
    struct client *client = clients[id];
    const struct join_group_response *joined =
        crew_call(client, API_JOIN_GROUP, 3, join_of(client));
    ck_assert_ptr_nonnull(joined);
    ck_assert_int_eq(joined->error_code, ERR_NONE);
    const struct sync_group_response *synced =
        crew_call(client, API_SYNC_GROUP, 2, sync_of(client, joined));
    ck_assert_int_eq(synced->error_code, ERR_NONE);
    return joined;
}

static int16_t beat(int32_t id, const struct join_group_response *joined)
{
    struct heartbeat_request *request = client_request(clients[id], API_HEARTBEAT);
    request->group_id = GROUP;
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    const struct heartbeat_response *response = crew_call(clients[id], API_HEARTBEAT, 3, request);
    ck_assert_ptr_nonnull(response);
    return response->error_code;
}

/* A copy that outlives the client of a node that goes. */
static struct join_group_response keep(const struct join_group_response *joined, char *member,
                                       size_t capacity)
{
    ck_assert_uint_le(joined->member_id.length, capacity);
    memcpy(member, joined->member_id.data, joined->member_id.length);
    return (struct join_group_response){
        .generation_id = joined->generation_id,
        .member_id = span_of(member, joined->member_id.length),
    };
}

START_TEST(every_node_names_the_same_coordinator)
{
    const int32_t coordinator = find(1);
    ck_assert_int_eq(find(2), coordinator);
    ck_assert_int_eq(find(3), coordinator);
    const struct meta_topic *topic =
        image_topic(&crew_nodes[1].broker->image, SPAN(COORDINATOR_TOPIC));
    ck_assert_int_eq(topic->partitions_count, 3);
    for (int32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(topic->partitions[i].replicas_count, 3);
}
END_TEST

START_TEST(only_the_coordinator_takes_offsets)
{
    const int32_t coordinator = find(1);
    for (int32_t id = 1; id <= NODES; id++) {
        ck_assert_int_eq(commit(id, 7, NULL), id == coordinator ? ERR_NONE : ERR_NOT_COORDINATOR);
        ck_assert_int_eq(committed(id), id == coordinator ? 7 : -ERR_NOT_COORDINATOR);
    }
}
END_TEST

/* The next coordinator has what was committed, and the members go on as if nothing had happened. */
START_TEST(a_group_goes_on_when_its_coordinator_goes)
{
    char member[256];
    const int32_t before = find(1);
    const struct join_group_response joined = keep(enter(before), member, sizeof(member));
    ck_assert_int_eq(commit(before, 41, &joined), ERR_NONE);
    ck_assert_int_eq(commit(before, 42, &joined), ERR_NONE);
    node_goes(before, _i == 1);
    const int32_t after = find(before % NODES + 1);
    ck_assert_int_ne(after, before);
    ck_assert_int_eq(committed(after), 42);
    ck_assert_int_eq(beat(after, &joined), ERR_NONE);
    ck_assert_int_eq(commit(after, 43, &joined), ERR_NONE);
    node_comes(before);
    ck_assert_int_eq(find(before), after);
    ck_assert_int_eq(beat(before, &joined), ERR_NOT_COORDINATOR);
    ck_assert_int_eq(committed(before), -ERR_NOT_COORDINATOR);
    ck_assert_int_eq(beat(after, &joined), ERR_NONE);
}
END_TEST

/* Preferred leaders lead again. */
static void elect(int32_t asked)
{
    struct elect_leaders_request *request = client_request(clients[asked], API_ELECT_LEADERS);
    request->topic_partitions_count = -1;
    const struct elect_leaders_response *response =
        crew_call(clients[asked], API_ELECT_LEADERS, 2, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    ck_assert_int_gt(response->replica_election_results_count, 0);
}

/* The leader of the group's partition goes and comes back, so that another one leads in its place;
 * that one, with one commit made there. */
static int32_t move_away(void)
{
    const int32_t before = find(1);
    ck_assert_int_eq(commit(before, 1, NULL), ERR_NONE);
    node_goes(before, true);
    node_comes(before);
    const int32_t after = find(before);
    ck_assert_int_ne(after, before);
    ck_assert_int_eq(commit(after, 2, NULL), ERR_NONE);
    return after;
}

/* What others hold back is in the log of the coordinator alone, and may be lost yet. */
static void hold_others(int32_t coordinator)
{
    for (int32_t id = 1; id <= NODES; id++) {
        if (id != coordinator)
            world_hold(crew_nodes[id].world, EFFECT_SYNC, COORDINATOR_TOPIC);
    }
}

static void release_all(void)
{
    for (int32_t id = 1; id <= NODES; id++)
        world_release(crew_nodes[id].world);
}

/* ---- Who waits ---- */

/* For others to join. */
static void join_waits(int32_t id)
{
    client_send(clients[id], API_JOIN_GROUP, 3, join_of(clients[id]));
}

/* For the assignment that another member makes. */
static void member_waits(int32_t id)
{
    struct client *leader = client_new(crew_nodes[id].world);
    client_send(leader, API_JOIN_GROUP, 3, join_of(leader));
    crew_advance(100);
    join_waits(id);
    crew_advance(7000); /* a newcomer begins the initial delay anew */
    const struct join_group_response *joined = client_take(clients[id]);
    ck_assert_ptr_nonnull(joined);
    ck_assert(!span_equal(joined->member_id, joined->leader));
    client_send(clients[id], API_SYNC_GROUP, 2, sync_of(clients[id], joined));
    client_free(leader);
}

/* For others to have the assignment that it makes. */
static void leader_waits(int32_t id)
{
    const struct join_group_response *joined =
        crew_call(clients[id], API_JOIN_GROUP, 3, join_of(clients[id]));
    hold_others(id);
    client_send(clients[id], API_SYNC_GROUP, 2, sync_of(clients[id], joined));
}

/* For others to have it. */
static void commit_waits(int32_t id)
{
    hold_others(id);
    client_send(clients[id], API_OFFSET_COMMIT, 7, commit_of(clients[id], 2, NULL));
}

static int16_t join_answer(const void *response)
{
    return ((const struct join_group_response *)response)->error_code;
}

static int16_t sync_answer(const void *response)
{
    return ((const struct sync_group_response *)response)->error_code;
}

static int16_t commit_answer(const void *response)
{
    return ((const struct offset_commit_response *)response)->topics[0].partitions[0].error_code;
}

static const struct {
    void (*ask)(int32_t id);
    int16_t (*answer)(const void *response);
} waits[] = {
    {join_waits, join_answer},
    {member_waits, sync_answer},
    {leader_waits, sync_answer},
    {commit_waits, commit_answer},
};

#define WAITS ((int)(sizeof(waits) / sizeof(waits[0])))

START_TEST(who_waits_is_told_when_the_coordinator_moves)
{
    const int32_t away = move_away();
    const int32_t other = away % NODES + 1;
    waits[_i].ask(away);
    crew_advance(200);
    ck_assert_ptr_null(client_take(clients[away]));
    elect(other);
    crew_advance(100);
    const void *response = client_take(clients[away]);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(waits[_i].answer(response), ERR_NOT_COORDINATOR);
    release_all();
    crew_advance(1000);
    const int32_t back = find(other);
    ck_assert_int_ne(back, away);
    ck_assert_int_eq(committed(back), 2);
    ck_assert_int_eq(committed(away), -ERR_NOT_COORDINATOR);
}
END_TEST

/* It takes its leave from those who wait, and then from the others. */
START_TEST(who_waits_is_told_when_the_coordinator_ends)
{
    const int32_t coordinator = find(1);
    ck_assert_int_eq(commit(coordinator, 1, NULL), ERR_NONE);
    waits[_i].ask(coordinator);
    crew_advance(200);
    ck_assert_ptr_null(client_take(clients[coordinator]));
    world_stop(crew_nodes[coordinator].world);
    crew_advance(3000);
    ck_assert(world_is_stopped(crew_nodes[coordinator].world));
    const void *response = client_take(clients[coordinator]);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(waits[_i].answer(response), ERR_NOT_COORDINATOR);
}
END_TEST

START_TEST(a_commit_waits_for_the_replicas)
{
    const int32_t coordinator = find(1);
    struct client *client = clients[coordinator];
    ck_assert_int_eq(commit(coordinator, 1, NULL), ERR_NONE);
    commit_waits(coordinator);
    crew_advance(1000);
    ck_assert_ptr_null(client_take(client));
    release_all();
    crew_advance(200);
    const void *response = client_take(client);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(commit_answer(response), ERR_NONE);
    ck_assert_int_eq(committed(coordinator), 2);
}
END_TEST

/* Others may have taken over, and know of later commits. */
START_TEST(a_coordinator_that_is_cut_off_tells_nothing)
{
    const int32_t coordinator = find(1);
    ck_assert_int_eq(commit(coordinator, 1, NULL), ERR_NONE);
    world_advance_ms(crew_nodes[coordinator].world, 15000); /* and no other one runs */
    struct find_coordinator_request *request =
        client_request(clients[coordinator], API_FIND_COORDINATOR);
    request->key = GROUP;
    const struct find_coordinator_response *response =
        client_call(clients[coordinator], API_FIND_COORDINATOR, 3, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->error_code, ERR_COORDINATOR_NOT_AVAILABLE);
    struct offset_fetch_request *fetch = client_request(clients[coordinator], API_OFFSET_FETCH);
    fetch->group_id = GROUP;
    fetch->topics_count = -1;
    const struct offset_fetch_response *fetched =
        client_call(clients[coordinator], API_OFFSET_FETCH, 5, fetch);
    ck_assert_ptr_nonnull(fetched);
    ck_assert_int_eq(fetched->error_code, ERR_NOT_COORDINATOR);
}
END_TEST

SUITE(cluster_groups)
{
    TCase *tcase = tcase_create("cluster_groups");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, every_node_names_the_same_coordinator);
    tcase_add_test(tcase, only_the_coordinator_takes_offsets);
    tcase_add_loop_test(tcase, a_group_goes_on_when_its_coordinator_goes, 0, 2);
    tcase_add_loop_test(tcase, who_waits_is_told_when_the_coordinator_moves, 0, WAITS);
    tcase_add_loop_test(tcase, who_waits_is_told_when_the_coordinator_ends, 0, WAITS);
    tcase_add_test(tcase, a_commit_waits_for_the_replicas);
    tcase_add_test(tcase, a_coordinator_that_is_cut_off_tells_nothing);
    suite_add_tcase(suite, tcase);
}
