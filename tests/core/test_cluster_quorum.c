/* SPDX-License-Identifier: Apache-2.0 */
/* What clients are told of the quorum, and how they change who votes: by way of any node. */
#include "core/broker_state.h"
#include "core/meta/identity.h"
#include "core/wire/error.h"
#include "tests/core/crew.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

static struct client *clients[CREW_MAX + 1]; /* of each node */

static void begin(void)
{
    crew_begin(3, NULL, NULL);
    for (int32_t id = 1; id <= 3; id++)
        clients[id] = client_new(crew_nodes[id].world);
}

static void end(void)
{
    for (int32_t id = 1; id <= 3; id++) {
        if (clients[id] != NULL)
            client_free(clients[id]);
        clients[id] = NULL;
    }
    crew_end();
}

static struct describe_quorum_request *quorum_of(struct client *client, struct span topic)
{
    struct arena *arena = client_arena(client);
    struct describe_quorum_request *request = client_request(client, API_DESCRIBE_QUORUM);
    request->topics = arena_array(arena, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].topic_name = topic;
    request->topics[0].partitions = arena_array(arena, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    return request;
}

START_TEST(any_node_tells_what_the_leader_knows_of_the_quorum)
{
    crew_advance(1000);
    for (int32_t id = 1; id <= 3; id++) {
        for (int16_t version = 0; version <= 2; version++) {
            const struct describe_quorum_response *response =
                crew_call(clients[id], API_DESCRIBE_QUORUM, version,
                          quorum_of(clients[id], SPAN("__cluster_metadata")));
            ck_assert_ptr_nonnull(response);
            ck_assert_int_eq(response->error_code, ERR_NONE);
            const struct describe_quorum_response_topic_partition *partition =
                &response->topics[0].partitions[0];
            ck_assert_int_eq(partition->error_code, ERR_NONE);
            const struct raft_status status =
                quorum_status(controller_quorum(crew_nodes[id].broker->controller));
            ck_assert_int_eq(partition->leader_id, status.leader);
            ck_assert_int_eq(partition->leader_epoch, status.term);
            ck_assert_int_eq(partition->high_watermark, status.committed);
            ck_assert_int_eq(partition->current_voters_count, 3);
            ck_assert_int_eq(partition->observers_count, 0);
            for (int32_t i = 0; i < 3; i++) {
                ck_assert_int_eq(partition->current_voters[i].log_end_offset, status.committed);
                if (version >= 1)
                    ck_assert_int_le(world_wall_ms(crew_nodes[id].world) -
                                         partition->current_voters[i].last_caught_up_timestamp,
                                     2000);
            }
            ck_assert_int_eq(response->nodes_count, version >= 2 ? 3 : 0);
            if (version < 2)
                continue;
            ck_assert_int_eq(response->nodes[0].listeners_count, 1);
            ck_assert(span_equal(response->nodes[0].listeners[0].name, SPAN("CONTROLLER")));
            ck_assert_int_eq(response->nodes[0].listeners[0].port, 9093);
        }
    }
}
END_TEST

/* As in Kafka: a new leader has yet to hear of each. */
START_TEST(of_a_dead_voter_a_new_leader_knows_nothing)
{
    const struct quorum *quorum = controller_quorum(crew_nodes[1].broker->controller);
    const int32_t dead = quorum_status(quorum).leader;
    const int32_t other = dead % 3 + 1;
    client_free(clients[dead]);
    clients[dead] = NULL;
    crew_kill(dead);
    crew_advance(10000);
    const struct describe_quorum_response *response =
        crew_call(clients[other], API_DESCRIBE_QUORUM, 2,
                  quorum_of(clients[other], SPAN("__cluster_metadata")));
    ck_assert_ptr_nonnull(response);
    const struct describe_quorum_response_topic_partition *partition =
        &response->topics[0].partitions[0];
    ck_assert_int_ne(partition->leader_id, dead);
    ck_assert_int_eq(partition->current_voters_count, 3);
    for (int32_t i = 0; i < 3; i++) {
        const struct describe_quorum_response_topic_partition_current_voter *voter =
            &partition->current_voters[i];
        const bool is_known = voter->replica_id != dead;
        ck_assert_int_eq(voter->log_end_offset, is_known ? partition->high_watermark : -1);
        ck_assert_int_eq(voter->last_fetch_timestamp >= 0, is_known);
        ck_assert_int_eq(voter->last_caught_up_timestamp >= 0, is_known);
    }
}
END_TEST

START_TEST(there_is_one_quorum)
{
    for (int32_t id = 1; id <= 3; id++) {
        const struct describe_quorum_response *response =
            crew_call(clients[id], API_DESCRIBE_QUORUM, 2, quorum_of(clients[id], SPAN("t")));
        ck_assert_ptr_nonnull(response);
        ck_assert_int_eq(response->topics[0].partitions[0].error_code,
                         ERR_UNKNOWN_TOPIC_OR_PARTITION);
    }
}
END_TEST

/* Who asks is not left without an answer, whatever becomes of the leader. */
START_TEST(what_the_leader_takes_with_it_is_refused)
{
    const int32_t leader =
        quorum_status(controller_quorum(crew_nodes[1].broker->controller)).leader;
    const int32_t other = leader % 3 + 1;
    client_free(clients[leader]);
    clients[leader] = NULL;
    node_kill(&crew_nodes[leader]);
    const struct describe_quorum_response *response =
        crew_call(clients[other], API_DESCRIBE_QUORUM, 2,
                  quorum_of(clients[other], SPAN("__cluster_metadata")));
    ck_assert_ptr_nonnull(response);
    const int16_t error = response->topics[0].partitions[0].error_code;
    ck_assert(error == ERR_NOT_LEADER_OR_FOLLOWER || error == ERR_REQUEST_TIMED_OUT);
    crew_advance(5000);
    response = crew_call(clients[other], API_DESCRIBE_QUORUM, 2,
                         quorum_of(clients[other], SPAN("__cluster_metadata")));
    ck_assert_int_eq(response->topics[0].partitions[0].error_code, ERR_NONE);
    ck_assert_int_ne(response->topics[0].partitions[0].leader_id, leader);
}
END_TEST

static int32_t quorum_leader(void)
{
    return quorum_status(controller_quorum(crew_nodes[1].broker->controller)).leader;
}

static struct uuid directory_of(int32_t id)
{
    struct uuid directory = {{0}};
    directory.bytes[0] = (uint8_t)id;
    directory.bytes[6] = 0x40;
    directory.bytes[8] = 0x80;
    return directory;
}

static int16_t remove_voter(int32_t asked, int32_t id, struct uuid directory)
{
    struct remove_raft_voter_request *request =
        client_request(clients[asked], API_REMOVE_RAFT_VOTER);
    request->cluster_id = SPAN("the-cluster");
    request->voter_id = id;
    request->voter_directory_id = directory;
    const struct remove_raft_voter_response *response =
        crew_call(clients[asked], API_REMOVE_RAFT_VOTER, 0, request);
    ck_assert_ptr_nonnull(response);
    return response->error_code;
}

static struct add_raft_voter_request *addition(int32_t asked, int32_t id)
{
    static const char *const hosts[] = {NULL, "n1", "n2", "n3"};
    struct add_raft_voter_request *request = client_request(clients[asked], API_ADD_RAFT_VOTER);
    request->cluster_id = SPAN_NULL;
    request->timeout_ms = 3000;
    request->voter_id = id;
    request->voter_directory_id = directory_of(id);
    request->listeners = arena_array(client_arena(clients[asked]), 1, sizeof(*request->listeners));
    request->listeners_count = 1;
    request->listeners[0].name = SPAN("CONTROLLER");
    request->listeners[0].host = span_text(hosts[id]);
    request->listeners[0].port = 9093;
    return request;
}

static int16_t add_voter(int32_t asked, const struct add_raft_voter_request *request)
{
    const struct add_raft_voter_response *response =
        crew_call(clients[asked], API_ADD_RAFT_VOTER, 1, request);
    ck_assert_ptr_nonnull(response);
    return response->error_code;
}

static int32_t voters_count(int32_t asked)
{
    const struct describe_quorum_response *response =
        crew_call(clients[asked], API_DESCRIBE_QUORUM, 2,
                  quorum_of(clients[asked], SPAN("__cluster_metadata")));
    return response->topics[0].partitions[0].current_voters_count;
}

START_TEST(a_voter_goes_and_comes_by_way_of_any_node)
{
    const int32_t leader = quorum_leader();
    const int32_t leaves = leader % 3 + 1;
    const int32_t other = leaves % 3 + 1;
    ck_assert_int_eq(remove_voter(other, leaves, directory_of(leaves)), ERR_NONE);
    ck_assert_int_eq(voters_count(other), 2);
    ck_assert_int_eq(remove_voter(leader, leaves, directory_of(leaves)), ERR_VOTER_NOT_FOUND);
    /* One that votes no longer follows on, and serves its clients. */
    crew_advance(1000);
    ck_assert_int_eq(voters_count(leaves), 2);
    ck_assert_int_eq(add_voter(leaves, addition(leaves, leaves)), ERR_NONE);
    ck_assert_int_eq(voters_count(other), 3);
    ck_assert_int_eq(add_voter(leader, addition(leader, leaves)), ERR_DUPLICATE_VOTER);
}
END_TEST

/* Its old self is removed first, for a node votes with one disk. */
START_TEST(a_voter_comes_back_with_another_disk)
{
    const int32_t leader = quorum_leader();
    const int32_t lost = leader % 3 + 1;
    struct world *world = crew_nodes[lost].world;
    char text[IDENTITY_BYTES_MAX];
    struct identity identity = {.node_id = lost, .cluster_id = "the-cluster"};
    client_free(clients[lost]);
    crew_kill(lost);
    world_remove(world, "__cluster_metadata-0");
    world_remove(world, "quorum-state");
    identity.directory_id = directory_of(lost + 100);
    world_put_file(world, IDENTITY_FILE,
                   span_of(text, identity_print(&identity, text, sizeof(text))));
    crew_start(lost);
    clients[lost] = client_new(world);
    struct add_raft_voter_request *request = addition(lost, lost);
    request->voter_directory_id = identity.directory_id;
    ck_assert_int_eq(add_voter(lost, request), ERR_DUPLICATE_VOTER);
    ck_assert_int_eq(remove_voter(lost, lost, directory_of(lost)), ERR_NONE);
    ck_assert_int_eq(add_voter(lost, request), ERR_NONE);
    ck_assert_int_eq(voters_count(lost), 3);
    client_free(clients[leader]);
    clients[leader] = NULL;
    crew_kill(leader); /* two of three, with the new one */
    crew_advance(5000);
    ck_assert_int_eq(voters_count(lost), 3);
}
END_TEST

START_TEST(the_leader_may_leave_too)
{
    const int32_t leader = quorum_leader();
    const int32_t other = leader % 3 + 1;
    ck_assert_int_eq(remove_voter(other, leader, directory_of(leader)), ERR_NONE);
    crew_advance(5000);
    ck_assert_int_ne(quorum_status(controller_quorum(crew_nodes[other].broker->controller)).leader,
                     leader);
    ck_assert_int_eq(voters_count(other), 2);
}
END_TEST

START_TEST(what_makes_no_sense_changes_no_voters)
{
    const int32_t leader = quorum_leader();
    struct add_raft_voter_request *request = addition(leader, leader % 3 + 1);
    request->cluster_id = SPAN("another");
    ck_assert_int_eq(add_voter(leader, request), ERR_INCONSISTENT_CLUSTER_ID);
    request->cluster_id = SPAN("the-cluster");
    request->listeners_count = 0;
    ck_assert_int_eq(add_voter(leader, request), ERR_INVALID_REQUEST);
    request->listeners_count = 1;
    request->listeners[0].port = 0;
    ck_assert_int_eq(add_voter(leader, request), ERR_INVALID_REQUEST);
    request->listeners[0].port = 9093;
    request->voter_id = -1;
    ck_assert_int_eq(add_voter(leader, request), ERR_INVALID_REQUEST);
    request->voter_id = 77; /* nobody */
    ck_assert_int_eq(add_voter(leader, request), ERR_REQUEST_TIMED_OUT);
    ck_assert_int_eq(remove_voter(leader, 77, directory_of(1)), ERR_VOTER_NOT_FOUND);
    ck_assert_int_eq(remove_voter(leader, 1, directory_of(2)), ERR_VOTER_NOT_FOUND);
    ck_assert_int_eq(voters_count(leader), 3);
}
END_TEST

/* The client goes while the leader tries. */
START_TEST(nobody_waits_for_a_voter_that_never_comes)
{
    const int32_t leader = quorum_leader();
    const int32_t other = leader % 3 + 1;
    for (int32_t k = 0; k < 2; k++) {
        const int32_t asked = k == 0 ? leader : other;
        struct add_raft_voter_request *request = addition(asked, 1);
        request->voter_id = 77;
        client_send(clients[asked], API_ADD_RAFT_VOTER, 1, request);
        crew_advance(100);
        world_client_close(crew_nodes[asked].world, client_connection(clients[asked]));
        crew_advance(100);
    }
    if (_i == 1)
        node_kill(&crew_nodes[leader]);
    else if (_i == 2)
        node_kill(&crew_nodes[other]);
    else
        crew_advance(15000);
}
END_TEST

/* Each judges its own change at the same end of the log: all but one are judged again. */
START_TEST(changes_that_come_second_are_judged_as_if_they_were_new)
{
    struct span topics[] = {SPAN_NULL, SPAN("t1"), SPAN("t2"), SPAN("t3")};
    static const int32_t brokers[] = {1, 2, 3};
    for (int32_t id = 1; id <= 3; id++)
        crew_create(clients[1], topics[id], brokers, 1, 3);
    for (int32_t id = 1; id <= 3; id++) {
        struct delete_topics_request *request = client_request(clients[id], API_DELETE_TOPICS);
        request->topic_names = &topics[id];
        request->topic_names_count = 1;
        client_send(clients[id], API_DELETE_TOPICS, 5, request);
    }
    crew_advance(500);
    for (int32_t id = 1; id <= 3; id++) {
        const struct delete_topics_response *response = client_take(clients[id]);
        ck_assert_ptr_nonnull(response);
        ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
        ck_assert(span_equal(response->responses[0].name, topics[id]));
        ck_assert_ptr_null(image_topic(&crew_nodes[1].broker->image, topics[id]));
    }
}
END_TEST

/* ---- A node that was alone ---- */

#define TOPIC SPAN("t")

static void begin_alone(void)
{
    crew_begin(1, NULL, NULL);
    clients[1] = client_new(crew_nodes[1].world);
}

static void client_leaves(int32_t id)
{
    client_free(clients[id]);
    clients[id] = NULL;
}

static void joins(int32_t id, int32_t voters_before)
{
    crew_start(id);
    clients[id] = client_new(crew_nodes[id].world);
    ck_assert_int_eq(voters_count(id), voters_before);
    ck_assert_int_eq(add_voter(id, addition(id, id)), ERR_NONE);
    ck_assert_int_eq(voters_count(id), voters_before + 1);
}

/* Records that the leader has everybody acknowledge. */
static void append(int32_t leader, struct span topic)
{
    const struct produce_response *response =
        crew_call(clients[leader], API_PRODUCE, PRODUCE_VERSION,
                  produce_of(clients[leader], topic, -1, batch_of(clients[leader], 1, SPAN("x"))));
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses[0].partition_responses[0].error_code, ERR_NONE);
}

/* The record that adds the second voter is committed by a quorum that had one. */
START_TEST(a_node_that_is_alone_grows_to_three)
{
    static const int32_t brokers[] = {1, 2, 3};
    crew_create(clients[1], TOPIC, brokers, 1, 1);
    append(1, TOPIC);
    client_leaves(1);
    crew_grow(3, NULL);
    clients[1] = client_new(crew_nodes[1].world);
    append(1, TOPIC);
    joins(2, 1);
    joins(3, 2);
    crew_create(clients[3], SPAN("wide"), brokers, 1, 3);
    append(1, SPAN("wide"));
    client_leaves(1);
    crew_kill(1);
    crew_advance(5000);
    ck_assert_int_eq(voters_count(2), 3);
    crew_create(clients[3], SPAN("later"), brokers + 1, 1, 2);
    append(crew_partition(2, SPAN("wide"), 0)->leader, SPAN("wide"));
    crew_start(1);
    clients[1] = client_new(crew_nodes[1].world);
    append(1, TOPIC);
    ck_assert_int_eq(crew_partition(1, SPAN("wide"), 0)->isr_count, 3);
    for (int32_t id = 2; id <= 3; id++)
        ck_assert_uint_eq(image_digest(&crew_nodes[id].broker->image),
                          image_digest(&crew_nodes[1].broker->image));
}
END_TEST

/* What its log says of itself is from when nobody else had to reach it. */
START_TEST(a_node_that_was_alone_is_found_by_way_of_others)
{
    static const char *const settings[] = {"controller.quorum.voters", "2@n2:9093", "process.roles",
                                           "broker", NULL};
    client_leaves(1);
    crew_grow(3, settings);
    clients[1] = client_new(crew_nodes[1].world);
    joins(2, 1);
    crew_start(3);
    ck_assert_uint_eq(image_live_brokers(&crew_nodes[1].broker->image), 3);
    const struct describe_quorum_response *response = crew_call(
        clients[2], API_DESCRIBE_QUORUM, 2, quorum_of(clients[2], SPAN("__cluster_metadata")));
    ck_assert_int_eq(response->nodes_count, 2);
    ck_assert(span_equal(response->nodes[0].listeners[0].name, SPAN("CONTROLLER")));
    ck_assert(span_equal(response->nodes[0].listeners[0].host, SPAN("n1")));
    ck_assert_int_eq(response->nodes[0].listeners[0].port, 9093);
}
END_TEST

SUITE(cluster_quorum)
{
    TCase *tcase = tcase_create("quorum");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, any_node_tells_what_the_leader_knows_of_the_quorum);
    tcase_add_test(tcase, of_a_dead_voter_a_new_leader_knows_nothing);
    tcase_add_test(tcase, there_is_one_quorum);
    tcase_add_test(tcase, what_the_leader_takes_with_it_is_refused);
    tcase_add_test(tcase, a_voter_goes_and_comes_by_way_of_any_node);
    tcase_add_test(tcase, a_voter_comes_back_with_another_disk);
    tcase_add_test(tcase, the_leader_may_leave_too);
    tcase_add_test(tcase, what_makes_no_sense_changes_no_voters);
    tcase_add_test(tcase, changes_that_come_second_are_judged_as_if_they_were_new);
    tcase_add_loop_test(tcase, nobody_waits_for_a_voter_that_never_comes, 0, 3);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("alone");
    tcase_add_checked_fixture(tcase, begin_alone, end);
    tcase_add_test(tcase, a_node_that_is_alone_grows_to_three);
    tcase_add_test(tcase, a_node_that_was_alone_is_found_by_way_of_others);
    suite_add_tcase(suite, tcase);
}
