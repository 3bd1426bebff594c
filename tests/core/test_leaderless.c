/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator is told of partitions that nobody can lead. */
#include "core/broker_state.h"
#include "core/meta/controller.h"
#include "core/meta/identity.h"
#include "core/metrics.h"
#include "core/wire/error.h"
#include "tests/core/crew.h"
#include "tests/support/runner.h"

#define NODES 3
#define TOPIC SPAN("t")

static bool leads_quorum(int32_t id)
{
    return quorum_leads(controller_quorum(crew_nodes[id].broker->controller));
}

/* So many partitions that nobody leads, on each node that runs, all of which wait for the same. */
static void waits(int32_t nodes, enum leaderless_wait wait, uint32_t count)
{
    for (int32_t id = 1; id <= nodes; id++) {
        struct broker_metrics metrics;
        broker_metrics(crew_nodes[id].broker, &metrics);
        for (int each = 0; each < LEADERLESS_WAITS; each++)
            ck_assert_uint_eq(metrics.offline_partitions[each], each == (int)wait ? count : 0);
    }
}

START_TEST(the_controller_says_who_has_to_come_back)
{
    static const int32_t brokers[] = {3, 3, 1};
    crew_begin(NODES, NULL, NULL);
    struct client *client = client_new(crew_nodes[1].world);
    crew_create(client, TOPIC, brokers, 3, 1);
    client_free(client);
    crew_kill(3);
    crew_advance(5000);
    ck_assert_int_eq(crew_partition(1, TOPIC, 0)->leader, META_NO_LEADER);
    ck_assert_int_eq(crew_partition(1, TOPIC, 2)->leader, 1);
    for (int32_t id = 1; id < NODES; id++)
        ck_assert_int_eq(world_logged(crew_nodes[id].world,
                                      "partitions have no leader: count=2 one=t-1 eligible=3 "),
                         leads_quorum(id));
    waits(2, LEADERLESS_WAIT_ELIGIBLE, 2);
    crew_start(3);
    crew_advance(5000);
    ck_assert_int_eq(crew_partition(1, TOPIC, 0)->leader, 3);
    crew_end();
}
END_TEST

static void elect_uncleanly(struct client *client, int32_t partition)
{
    struct elect_leaders_request *request = client_request(client, API_ELECT_LEADERS);
    request->election_type = 1;
    request->timeout_ms = 1000;
    request->topic_partitions_count = 1;
    request->topic_partitions =
        arena_array(client_arena(client), 1, sizeof(*request->topic_partitions));
    request->topic_partitions[0] = (struct elect_leaders_request_topic_partition){
        .topic = TOPIC,
        .partitions = arena_array(client_arena(client), 1, sizeof(int32_t)),
        .partitions_count = 1};
    request->topic_partitions[0].partitions[0] = partition;
    const struct elect_leaders_response *response =
        crew_call(client, API_ELECT_LEADERS, 2, request);
    ck_assert_int_eq(response->error_code, ERR_NONE);
}

static uint64_t unclean_elections(int32_t id)
{
    struct broker_metrics metrics;
    broker_metrics(crew_nodes[id].broker, &metrics);
    return metrics.unclean_elections;
}

/* Node 1 was not in sync, and node 3, which was, is not there: nobody leads either topic. */
static void begin_leaderless(void)
{
    static const int32_t brokers[] = {3, 1};
    crew_begin(NODES, NULL, NULL);
    struct client *client = client_new(crew_nodes[1].world);
    crew_create(client, TOPIC, brokers, 1, 2);
    crew_create(client, SPAN("u"), brokers, 1, 2);
    client_free(client);
    crew_kill(1);
    crew_advance(5000);
    crew_kill(3);
    crew_start(1);
    crew_advance(5000);
    ck_assert_int_eq(crew_partition(1, TOPIC, 0)->leader, META_NO_LEADER);
    ck_assert_int_eq(crew_partition(1, SPAN("u"), 0)->leader, META_NO_LEADER);
}

/* Node 1 leads in place of node 3. */
static void begin_uncleanly(void)
{
    begin_leaderless();
    struct client *client = client_new(crew_nodes[1].world);
    elect_uncleanly(client, 0);
    client_free(client);
}

/* Everybody else's records are given up: that is not done in silence. */
START_TEST(the_controller_counts_unclean_elections)
{
    begin_uncleanly();
    ck_assert_int_eq(crew_partition(1, TOPIC, 0)->leader, 1);
    for (int32_t id = 1; id < NODES; id++)
        ck_assert_int_eq(world_logged(crew_nodes[id].world,
                                      "leaders were elected uncleanly, and what only other "
                                      "replicas had is given up: count=1 total=1 one=t-0 "
                                      "leader=1 "),
                         leads_quorum(id));
    for (int32_t id = 1; id < NODES; id++)
        ck_assert_uint_eq(unclean_elections(id), leads_quorum(id));
    crew_end();
}
END_TEST

/* What was elected before is in the log that all nodes read again, and is no news. */
START_TEST(a_start_counts_nothing_again)
{
    begin_uncleanly();
    crew_kill(1);
    crew_kill(2);
    for (int32_t id = 1; id <= NODES; id++)
        node_start(&crew_nodes[id]);
    crew_advance(5000);
    for (int32_t id = 1; id <= NODES; id++) {
        ck_assert_uint_eq(unclean_elections(id), 0);
        ck_assert_int_eq(world_logged(crew_nodes[id].world, "leaders were elected uncleanly"), 0);
        ck_assert_int_eq(world_logged(crew_nodes[id].world, "partitions have no leader"), 0);
    }
    crew_end();
}
END_TEST

/* From now on any replica may lead: of the topic, or of all. */
static void allow_uncleanly(bool is_of_all)
{
    struct client *client = client_new(crew_nodes[2].world);
    struct arena *arena = client_arena(client);
    struct incremental_alter_configs_request *request =
        client_request(client, API_INCREMENTAL_ALTER_CONFIGS);
    request->resources = arena_array(arena, 1, sizeof(*request->resources));
    request->resources_count = 1;
    request->resources[0].resource_type = is_of_all ? META_RESOURCE_BROKER : META_RESOURCE_TOPIC;
    request->resources[0].resource_name = is_of_all ? SPAN("") : TOPIC;
    request->resources[0].configs = arena_array(arena, 1, sizeof(*request->resources->configs));
    request->resources[0].configs_count = 1;
    request->resources[0].configs[0].name = SPAN("unclean.leader.election.enable");
    request->resources[0].configs[0].value = SPAN("true");
    const struct incremental_alter_configs_response *response =
        crew_call(client, API_INCREMENTAL_ALTER_CONFIGS, 1, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
    client_free(client);
}

/* No broker comes or goes, so that the controller has to see to it by itself. A topic's setting
 * is of no concern to others. */
START_TEST(who_may_lead_from_now_on_does)
{
    const bool is_of_all = _i == 1;
    begin_leaderless();
    allow_uncleanly(is_of_all);
    crew_advance(1000);
    for (int32_t id = 1; id < NODES; id++) {
        ck_assert_int_eq(crew_partition(id, TOPIC, 0)->leader, 1);
        ck_assert_int_eq(crew_partition(id, TOPIC, 0)->leader_epoch, 2);
        ck_assert(crew_partition(id, TOPIC, 0)->is_recovering);
        ck_assert_int_eq(crew_partition(id, SPAN("u"), 0)->leader, is_of_all ? 1 : META_NO_LEADER);
        ck_assert_uint_eq(unclean_elections(id), leads_quorum(id) ? 1 + is_of_all : 0);
    }
    crew_end();
}
END_TEST

#define MORE 40

/* Topics of one partition that node 3 should lead, and is not there to. */
static struct create_topics_request *many_topics(struct client *client)
{
    struct arena *arena = client_arena(client);
    struct create_topics_request *request = client_request(client, API_CREATE_TOPICS);
    request->topics = arena_array(arena, MORE, sizeof(*request->topics));
    for (; request->topics_count < MORE; request->topics_count++) {
        struct create_topics_request_topic *topic = &request->topics[request->topics_count];
        char name[] = "u-000";
        name[3] = (char)('0' + request->topics_count / 10);
        name[4] = (char)('0' + request->topics_count % 10);
        topic->name = arena_copy(arena, span_text(name));
        topic->num_partitions = topic->replication_factor = -1;
        topic->assignments = arena_array(arena, 1, sizeof(*topic->assignments));
        topic->assignments_count = 1;
        topic->assignments[0].broker_ids = arena_array(arena, 2, sizeof(int32_t));
        topic->assignments[0].broker_ids[0] = 3;
        topic->assignments[0].broker_ids[1] = 1;
        topic->assignments[0].broker_ids_count = 2;
    }
    return request;
}

/* All are meant: those too that were not there yet when somebody asked. */
START_TEST(all_partitions_are_those_of_when_it_is_decided)
{
    static const int32_t brokers[] = {3, 1};
    crew_begin(NODES, NULL, NULL);
    struct client *client = client_new(crew_nodes[1].world);
    struct client *other = client_new(crew_nodes[1].world);
    crew_create(client, TOPIC, brokers, 1, 2);
    crew_kill(3);
    crew_advance(5000);
    client_send(client, API_CREATE_TOPICS, 5, many_topics(client));
    world_run(crew_nodes[1].world); /* the others have not heard of it: it waits */
    struct elect_leaders_request *request = client_request(other, API_ELECT_LEADERS);
    request->topic_partitions_count = -1;
    const struct elect_leaders_response *response = crew_call(other, API_ELECT_LEADERS, 2, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->replica_election_results_count, 1 + MORE);
    for (int32_t i = 0; i <= MORE; i++) {
        const struct elect_leaders_response_replica_election_result *topic =
            &response->replica_election_results[i];
        ck_assert_int_eq(topic->partition_result_count, 1);
        ck_assert_int_eq(topic->partition_result[0].error_code, ERR_PREFERRED_LEADER_NOT_AVAILABLE);
    }
    client_free(client);
    client_free(other);
    crew_end();
}
END_TEST

/* Its machine gets another disk, formatted and empty. */
static void disk_new(int32_t id)
{
    struct world *world = crew_nodes[id].world;
    char text[IDENTITY_BYTES_MAX];
    const struct identity identity = {.node_id = id,
                                      .cluster_id = "the-cluster",
                                      .directory_id = {{9, 9, 9, 9, 9, 9, 0x40, 9, 0x80}}};
    for (const char *name; (name = world_name(world, "", 0)) != NULL;)
        world_remove(world, name);
    world_put_file(world, IDENTITY_FILE,
                   span_of(text, identity_print(&identity, text, sizeof(text))));
}

/* The last one in sync has another disk: its own is not waited for any more, nor does it lead. */
START_TEST(the_controller_says_whose_data_is_gone)
{
    static const int32_t brokers[] = {3, 1};
    crew_begin(NODES, NULL, NULL);
    struct client *client = client_new(crew_nodes[2].world);
    crew_create(client, TOPIC, brokers, 1, 2);
    client_free(client);
    crew_kill(1);
    crew_advance(5000);
    ck_assert_uint_eq(crew_partition(2, TOPIC, 0)->isr_count, 1);
    crew_kill(3);
    disk_new(3);
    crew_start(1);
    crew_start(3);
    crew_advance(5000);
    ck_assert_int_eq(crew_partition(1, TOPIC, 0)->leader, META_NO_LEADER);
    for (int32_t id = 1; id < NODES; id++)
        ck_assert_int_eq(world_logged(crew_nodes[id].world,
                                      "one=t-0 eligible= last_known_leader=-1 mend=\"those who "
                                      "were in sync have lost their data folders: "),
                         leads_quorum(id));
    waits(3, LEADERLESS_WAIT_NOBODY, 1);
    crew_end();
}
END_TEST

SUITE(leaderless)
{
    TCase *tcase = tcase_create("leaderless");
    tcase_add_test(tcase, the_controller_says_who_has_to_come_back);
    tcase_add_test(tcase, the_controller_says_whose_data_is_gone);
    tcase_add_test(tcase, the_controller_counts_unclean_elections);
    tcase_add_test(tcase, a_start_counts_nothing_again);
    tcase_add_loop_test(tcase, who_may_lead_from_now_on_does, 0, 2);
    tcase_add_test(tcase, all_partitions_are_those_of_when_it_is_decided);
    suite_add_tcase(suite, tcase);
}
