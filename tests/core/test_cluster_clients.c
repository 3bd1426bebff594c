/* SPDX-License-Identifier: Apache-2.0 */
/* What the clients of a cluster are told by its nodes. */
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "tests/core/crew.h"
#include "tests/support/fetch.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

#define TOPIC SPAN("t")

static struct client *clients[CREW_MAX + 1]; /* of each node */

/* Node 2 has a listener that node 1 has not. */
static const char *const with_another_listener[] = {
    "listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093,OTHER://localhost:9094",
    "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OTHER:PLAINTEXT",
    NULL};

/* Partition 0 is on node 1, and partition 1 on node 2. */
static void begin_with(const char *const *second)
{
    static const int32_t brokers[] = {1, 2};
    crew_begin(2, NULL, second);
    clients[1] = client_new(crew_nodes[1].world);
    clients[2] = client_new(crew_nodes[2].world);
    crew_create(clients[1], TOPIC, brokers, 2, 1);
}

static void begin(void)
{
    begin_with(NULL);
}

static void end(void)
{
    client_free(clients[1]);
    client_free(clients[2]);
    crew_end();
}

/* KIP-951. */
START_TEST(a_produce_to_the_wrong_node_is_told_the_leader)
{
    struct produce_request *request =
        produce_of(clients[1], TOPIC, 1, batch_of(clients[1], 1, SPAN("x")));
    request->topic_data[0].topic_id = image_topic(&crew_nodes[1].broker->image, TOPIC)->id;
    for (int16_t version = 3; version <= 13; version++) {
        request->topic_data[0].partition_data[0].index = 1;
        const struct produce_response *response =
            crew_call(clients[1], API_PRODUCE, version, request);
        const struct produce_response_response_partition_response *part =
            &response->responses[0].partition_responses[0];
        ck_assert_int_eq(part->error_code, ERR_NOT_LEADER_OR_FOLLOWER);
        const bool tells = version >= 10;
        ck_assert_int_eq(part->current_leader.leader_id, tells ? 2 : -1);
        ck_assert_int_eq(part->current_leader.leader_epoch, tells ? 0 : -1);
        ck_assert_int_eq(response->node_endpoints_count, tells);
        if (!tells)
            continue;
        ck_assert_int_eq(response->node_endpoints[0].node_id, 2);
        ck_assert(span_equal(response->node_endpoints[0].host, SPAN("localhost")));
        ck_assert_int_eq(response->node_endpoints[0].port, 9092);
        ck_assert(span_is_null(response->node_endpoints[0].rack));
    }
}
END_TEST

static struct fetch_request *fetch_from(struct client *client, int32_t partition, int32_t epoch)
{
    struct fetch_request *request = fetch_of(client, TOPIC, 0, 0);
    request->topics[0].topic_id = image_topic(&crew_nodes[1].broker->image, TOPIC)->id;
    request->topics[0].partitions[0].partition = partition;
    request->topics[0].partitions[0].current_leader_epoch = epoch;
    return request;
}

START_TEST(a_fetch_from_the_wrong_node_is_told_the_leader)
{
    for (int16_t version = 4; version <= 18; version++) {
        const struct fetch_response *response =
            crew_call(clients[2], API_FETCH, version, fetch_from(clients[2], 0, -1));
        const struct fetch_response_response_partition *part =
            &response->responses[0].partitions[0];
        ck_assert_int_eq(part->error_code, ERR_NOT_LEADER_OR_FOLLOWER);
        ck_assert_int_eq(part->current_leader.leader_id, version >= 12 ? 1 : -1);
        ck_assert_int_eq(part->current_leader.leader_epoch, version >= 12 ? 0 : -1);
        ck_assert_int_eq(response->node_endpoints_count, version >= 16);
        if (version >= 16)
            ck_assert_int_eq(response->node_endpoints[0].node_id, 1);
    }
}
END_TEST

/* A node that ended in order comes back: its partition has a higher epoch. */
START_TEST(a_fetch_of_an_old_epoch_is_told_the_new_one)
{
    client_free(clients[2]);
    crew_stop(2);
    crew_advance(500);
    node_start(&crew_nodes[2]);
    crew_advance(5000);
    clients[2] = client_new(crew_nodes[2].world);
    for (int16_t version = 9; version <= 18; version++) {
        const struct fetch_response *response =
            crew_call(clients[2], API_FETCH, version, fetch_from(clients[2], 1, 0));
        const struct fetch_response_response_partition *part =
            &response->responses[0].partitions[0];
        ck_assert_int_eq(part->error_code, ERR_FENCED_LEADER_EPOCH);
        ck_assert_int_eq(part->current_leader.leader_id, version >= 12 ? 2 : -1);
        ck_assert_int_eq(part->current_leader.leader_epoch > 0, version >= 12);
        ck_assert_int_eq(response->node_endpoints_count, version >= 16);
    }
}
END_TEST

/* A node whose process has ended leads nothing, and is no address. */
START_TEST(nobody_leads_what_was_on_a_node_that_ended)
{
    node_kill(&crew_nodes[2]);
    crew_advance(100);
    /* One of two voters: what is known stays as it is. */
    const struct fetch_response *response =
        crew_call(clients[1], API_FETCH, 16, fetch_from(clients[1], 1, -1));
    ck_assert_int_eq(response->responses[0].partitions[0].error_code, ERR_NOT_LEADER_OR_FOLLOWER);
    ck_assert_int_eq(response->responses[0].partitions[0].current_leader.leader_id, 2);
}
END_TEST

static const struct metadata_response *metadata(struct client *client, int16_t version)
{
    struct metadata_request *request = client_request(client, API_METADATA);
    request->topics_count = -1;
    return crew_call(client, API_METADATA, version, request);
}

START_TEST(metadata_names_the_brokers_and_leaders_of_all)
{
    for (int32_t id = 1; id <= 2; id++) {
        const struct metadata_response *response = metadata(clients[id], 12);
        ck_assert_int_eq(response->brokers_count, 2);
        ck_assert_int_eq(response->topics[0].partitions_count, 2);
        for (int32_t i = 0; i < 2; i++) {
            ck_assert_int_eq(response->topics[0].partitions[i].error_code, ERR_NONE);
            ck_assert_int_eq(response->topics[0].partitions[i].leader_id, i + 1);
            ck_assert_int_eq(response->topics[0].partitions[i].isr_nodes_count, 1);
        }
    }
}
END_TEST

/* KIP-226: version 6 came with an error of its own. */
START_TEST(a_leader_without_the_clients_listener_is_none)
{
    static const uint32_t other = 1; /* node 2 opens those for clients first */
    struct client *client = client_new_on(crew_nodes[2].world, other);
    for (int16_t version = 5; version <= 6; version++) {
        const struct metadata_response *response = metadata(client, version);
        ck_assert_int_eq(response->brokers_count, 1);
        ck_assert_int_eq(response->topics[0].partitions[0].error_code,
                         version < 6 ? ERR_LEADER_NOT_AVAILABLE : ERR_LISTENER_NOT_FOUND);
        ck_assert_int_eq(response->topics[0].partitions[0].leader_id, -1);
        ck_assert_int_eq(response->topics[0].partitions[1].leader_id, 2);
    }
    client_free(client);
}
END_TEST

/* ---- A leader that took over ---- */

static void begin_replicated(void)
{
    static const int32_t brokers[] = {1, 2, 3};
    static const char *const settings[] = {"min.insync.replicas", "2", NULL};
    crew_begin(3, settings, NULL);
    for (int32_t id = 1; id <= 3; id++)
        clients[id] = client_new(crew_nodes[id].world);
    crew_create(clients[1], TOPIC, brokers, 1, 3);
}

static void end_replicated(void)
{
    for (int32_t id = 1; id <= 3; id++) {
        if (clients[id] != NULL)
            client_free(clients[id]);
        clients[id] = NULL;
    }
    crew_end();
}

static int64_t list_offset(int32_t id, int64_t time, int16_t version, int16_t *ret_error)
{
    struct client *client = clients[id];
    struct list_offsets_request *request = client_request(client, API_LIST_OFFSETS);
    request->topics = arena_array(client_arena(client), 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = TOPIC;
    request->topics[0].partitions =
        arena_array(client_arena(client), 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].current_leader_epoch = -1;
    request->topics[0].partitions[0].timestamp = time;
    const struct list_offsets_response *response =
        crew_call(client, API_LIST_OFFSETS, version, request);
    ck_assert_ptr_nonnull(response);
    *ret_error = response->topics[0].partitions[0].error_code;
    return response->topics[0].partitions[0].offset;
}

/* No segment has to be closed before its records can be seen. */
START_TEST(what_is_acknowledged_is_before_the_end)
{
    int16_t error;
    for (int64_t end_offset = 1; end_offset <= 3; end_offset++) {
        const struct produce_response *produced =
            crew_call(clients[1], API_PRODUCE, PRODUCE_VERSION,
                      produce_of(clients[1], TOPIC, -1, batch_of(clients[1], 1, SPAN("x"))));
        ck_assert_int_eq(produced->responses[0].partition_responses[0].error_code, ERR_NONE);
        ck_assert_int_eq(list_offset(1, -1, 6, &error), end_offset);
        ck_assert_int_eq(error, ERR_NONE);
    }
}
END_TEST

static void hold_followers(bool holds)
{
    for (int32_t id = 2; id <= 3; id++) {
        if (holds)
            world_hold(crew_nodes[id].world, EFFECT_SYNC, "t-0");
        else
            world_release(crew_nodes[id].world);
    }
}

/* Node 1, which leads, dies, and took one record with it of which the others do not know whether it
 * was committed: they have it, and it is not durable. */
static void take_over(void)
{
    const struct produce_response *produced =
        crew_call(clients[1], API_PRODUCE, PRODUCE_VERSION,
                  produce_of(clients[1], TOPIC, -1, batch_of(clients[1], 1, SPAN("x"))));
    ck_assert_int_eq(produced->responses[0].partition_responses[0].error_code, ERR_NONE);
    hold_followers(true);
    produced = crew_call(clients[1], API_PRODUCE, PRODUCE_VERSION,
                         produce_of(clients[1], TOPIC, 1, batch_of(clients[1], 1, SPAN("y"))));
    ck_assert_int_eq(produced->responses[0].partition_responses[0].error_code, ERR_NONE);
    crew_advance(100);
    client_free(clients[1]);
    clients[1] = NULL;
    crew_kill(1);
    ck_assert_int_eq(crew_partition(2, TOPIC, 0)->leader, 2);
}

START_TEST(a_leader_that_took_over_says_where_the_end_is_when_it_knows)
{
    int16_t error;
    take_over();
    list_offset(2, -1, 5, &error);
    ck_assert_int_eq(error, ERR_OFFSET_NOT_AVAILABLE);
    list_offset(2, -1, 4, &error);
    ck_assert_int_eq(error, ERR_LEADER_NOT_AVAILABLE);
    list_offset(2, INT64_MAX - 1, 6, &error);
    ck_assert_int_eq(error, ERR_OFFSET_NOT_AVAILABLE);
    ck_assert_int_eq(list_offset(2, -2, 6, &error), 0);
    ck_assert_int_eq(error, ERR_NONE);
    ck_assert_int_eq(list_offset(2, 0, 6, &error), 0);
    ck_assert_int_eq(error, ERR_NONE);
    hold_followers(false);
    crew_advance(200);
    ck_assert_int_eq(list_offset(2, -1, 6, &error), 2);
    ck_assert_int_eq(error, ERR_NONE);
    ck_assert_int_eq(list_offset(2, INT64_MAX - 1, 6, &error), -1);
    ck_assert_int_eq(error, ERR_NONE);
}
END_TEST

static void set_min_insync(struct span value)
{
    struct client *client = clients[2];
    struct incremental_alter_configs_request *request =
        client_request(client, API_INCREMENTAL_ALTER_CONFIGS);
    request->resources = arena_array(client_arena(client), 1, sizeof(*request->resources));
    request->resources_count = 1;
    request->resources[0].resource_type = META_RESOURCE_TOPIC;
    request->resources[0].resource_name = TOPIC;
    request->resources[0].configs =
        arena_array(client_arena(client), 1, sizeof(*request->resources[0].configs));
    request->resources[0].configs_count = 1;
    request->resources[0].configs[0].name = SPAN("min.insync.replicas");
    request->resources[0].configs[0].value = value;
    const struct incremental_alter_configs_response *response =
        crew_call(client, API_INCREMENTAL_ALTER_CONFIGS, 1, request);
    ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
}

/* Who is not in sync any more and holds all that was committed is told as such. */
START_TEST(who_is_eligible_is_told)
{
    set_min_insync(SPAN("3"));
    client_free(clients[1]);
    clients[1] = NULL;
    crew_kill(1);
    struct describe_topic_partitions_request *request =
        client_request(clients[2], API_DESCRIBE_TOPIC_PARTITIONS);
    const struct describe_topic_partitions_response *response =
        crew_call(clients[2], API_DESCRIBE_TOPIC_PARTITIONS, 0, request);
    const struct describe_topic_partitions_response_topic_partition *partition =
        &response->topics[0].partitions[0];
    ck_assert_int_eq(partition->leader_id, 2);
    ck_assert_int_eq(partition->replica_nodes_count, 3);
    ck_assert_int_eq(partition->isr_nodes_count, 2);
    ck_assert_int_eq(partition->eligible_leader_replicas_count, 1);
    ck_assert_int_eq(partition->eligible_leader_replicas[0], 1);
    ck_assert_int_eq(partition->last_known_elr_count, 0);
    ck_assert_int_eq(partition->offline_replicas_count, 1);
    ck_assert_int_eq(partition->offline_replicas[0], 1);
}
END_TEST

static void begin_with_another_listener(void)
{
    begin_with(with_another_listener);
}

SUITE(cluster_clients)
{
    TCase *tcase = tcase_create("leaders");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_produce_to_the_wrong_node_is_told_the_leader);
    tcase_add_test(tcase, a_fetch_from_the_wrong_node_is_told_the_leader);
    tcase_add_test(tcase, a_fetch_of_an_old_epoch_is_told_the_new_one);
    tcase_add_test(tcase, nobody_leads_what_was_on_a_node_that_ended);
    tcase_add_test(tcase, metadata_names_the_brokers_and_leaders_of_all);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("listeners");
    tcase_add_checked_fixture(tcase, begin_with_another_listener, end);
    tcase_add_test(tcase, a_leader_without_the_clients_listener_is_none);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("taking_over");
    tcase_add_checked_fixture(tcase, begin_replicated, end_replicated);
    tcase_add_test(tcase, what_is_acknowledged_is_before_the_end);
    tcase_add_test(tcase, a_leader_that_took_over_says_where_the_end_is_when_it_knows);
    tcase_add_test(tcase, who_is_eligible_is_told);
    suite_add_tcase(suite, tcase);
}
