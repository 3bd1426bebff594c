/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that stand still for a while, and what they may say when they go on: leases. */
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/partition.h"
#include "core/wire/error.h"
#include "tests/core/trio.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

/* Times that ListOffsets takes for the ends of the log. */
#define LATEST   (-1)
#define EARLIEST (-2)

START_TEST(a_leader_that_was_stopped_acknowledges_nothing)
{
    trio_produce(1);
    const int32_t stopped = trio_leader();
    const int16_t acks = _i == 0 ? 1 : -1;
    trio_sleep(stopped, 8000);
    ck_assert_int_ne(trio_meta(stopped % TRIO_NODES + 1)->leader, stopped);
    ck_assert_int_eq(trio_meta(stopped)->leader, stopped); /* it does not know yet */
    client_send(
        trio.client, API_PRODUCE, PRODUCE_VERSION,
        produce_of(trio.client, TRIO_TOPIC, acks, batch_of(trio.client, 1, SPAN("too late"))));
    world_run(crew_nodes[stopped].world);
    ck_assert_int_eq(log_written_end(trio_hosted(stopped)->log), 2);
    ck_assert(!trio_is_answered());
    crew_advance(5000);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, ERR_NOT_LEADER_OR_FOLLOWER);
    trio_produce(2);
    trio_equal(3);
}
END_TEST

/* It is heard again while that it is fenced is on its way to the disks already. */
START_TEST(a_broker_that_is_about_to_be_fenced_gets_no_lease)
{
    struct quorum *quorum = controller_quorum(crew_nodes[1].broker->controller);
    const int32_t controls = quorum_status(quorum).leader;
    const int32_t slept = controls % TRIO_NODES + 1;
    trio_produce(1);
    trio_leave();
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != slept)
            world_hold(crew_nodes[id].world, EFFECT_SYNC, "__cluster_metadata-0");
    }
    trio_sleep(slept, 8000);
    ck_assert(world_logged(crew_nodes[controls].world, "a broker is fenced"));
    ck_assert(!image_broker(&crew_nodes[controls].broker->image, slept)->fenced);
    crew_advance(1000);
    ck_assert(!lease_holds(crew_nodes[slept].broker));
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        world_release(crew_nodes[id].world);
    crew_advance(4000);
    ck_assert(lease_holds(crew_nodes[slept].broker));
    ck_assert(!image_broker(&crew_nodes[controls].broker->image, slept)->fenced);
}
END_TEST

/* Its first question is answered on a link that there is not yet. */
START_TEST(a_broker_that_was_stopped_asks_for_a_lease_until_it_has_one)
{
    static const char *const names[] = {NULL, "n1", "n2", "n3"};
    const struct quorum *quorum = controller_quorum(crew_nodes[1].broker->controller);
    const int32_t controls = quorum_status(quorum).leader;
    const int32_t slept = controls % TRIO_NODES + 1;
    trio_produce(1);
    trio_leave();
    trio_sleep(slept, 1900);
    world_add_host(crew_nodes[controls].world, names[slept], NULL);
    world_cut(crew_nodes[controls].world);
    crew_advance(100);
    ck_assert(!lease_holds(crew_nodes[slept].broker));
    world_add_host(crew_nodes[controls].world, names[slept], crew_nodes[slept].world);
    crew_advance(350); /* all this is less than a heartbeat */
    ck_assert(lease_holds(crew_nodes[slept].broker));
}
END_TEST

/* Its first question is answered when a lease from then would be over. */
START_TEST(a_lease_that_is_granted_too_late_is_asked_for_again)
{
    const struct quorum *quorum = controller_quorum(crew_nodes[1].broker->controller);
    const int32_t controls = quorum_status(quorum).leader;
    const int32_t slept = controls % TRIO_NODES + 1;
    trio_produce(1);
    trio_leave();
    trio_sleep(slept, 1900);
    world_hold(crew_nodes[controls].world, EFFECT_SEND, NULL);
    crew_advance(1800);
    world_release(crew_nodes[controls].world);
    ck_assert(!lease_holds(crew_nodes[slept].broker));
    crew_advance(100);
    ck_assert(lease_holds(crew_nodes[slept].broker));
}
END_TEST

/* What it asked the controller while there was no way to it is lost. */
START_TEST(a_lease_is_asked_for_when_there_is_a_way_again)
{
    const struct quorum *quorum = controller_quorum(crew_nodes[1].broker->controller);
    const int32_t controls = quorum_status(quorum).leader;
    const int32_t other = controls % TRIO_NODES + 1;
    trio_produce(1);
    trio_leave();
    world_hold(crew_nodes[other].world, EFFECT_CONNECT, NULL);
    world_cut(crew_nodes[other].world);
    crew_advance(3000);
    ck_assert(!lease_holds(crew_nodes[other].broker));
    world_release(crew_nodes[other].world);
    crew_advance(50);
    ck_assert(lease_holds(crew_nodes[other].broker));
}
END_TEST

/* It would be over before the next question is due. */
START_TEST(a_lease_is_asked_for_before_it_is_over)
{
    const struct quorum *quorum = controller_quorum(crew_nodes[1].broker->controller);
    const int32_t controls = quorum_status(quorum).leader;
    const int32_t other = controls % TRIO_NODES + 1;
    trio_produce(1);
    trio_leave();
    world_hold(crew_nodes[other].world, EFFECT_CONNECT, NULL);
    world_cut(crew_nodes[other].world);
    crew_advance(1500);
    for (int ms = 0; ms < 20 && lease_until_us(crew_nodes[other].broker) >
                                    world_now_us(crew_nodes[other].world) + 50000;
         ms++)
        crew_advance(10);
    ck_assert(lease_holds(crew_nodes[other].broker));
    world_release(crew_nodes[other].world);
    for (int ms = 0; ms < 1000; ms += 10) {
        crew_advance(10);
        ck_assert(lease_holds(crew_nodes[other].broker));
    }
}
END_TEST

/* It is let in again at once, while what happened meanwhile has still to be read for it. */
START_TEST(a_leader_that_was_stopped_gets_no_lease_before_it_knows)
{
    trio_produce(1);
    const int32_t stopped = trio_leader();
    trio_leave();
    trio_sleep(stopped, 8000);
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        world_hold(crew_nodes[id].world, EFFECT_READ, "__cluster_metadata-0");
    crew_advance(1000);
    ck_assert(!image_broker(&crew_nodes[stopped % TRIO_NODES + 1].broker->image, stopped)->fenced);
    ck_assert_int_eq(trio_meta(stopped)->leader, stopped);
    ck_assert(!lease_holds(crew_nodes[stopped].broker));
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        world_release(crew_nodes[id].world);
    crew_advance(500);
    ck_assert_int_ne(trio_meta(stopped)->leader, stopped);
    ck_assert(lease_holds(crew_nodes[stopped].broker));
}
END_TEST

/* Another one leads, and may have told a later start and end. */
START_TEST(a_leader_that_was_stopped_tells_no_offsets)
{
    trio_produce(1);
    const int32_t stopped = trio_leader();
    trio_sleep(stopped, 8000);
    struct list_offsets_request_topic_partition parts[2];
    struct list_offsets_request_topic topic = {
        .name = TRIO_TOPIC, .partitions = parts, .partitions_count = 2};
    struct list_offsets_request *request = client_request(trio.client, API_LIST_OFFSETS);
    for (int i = 0; i < 2; i++) {
        parts[i] = wire_default_list_offsets_request_topic_partition;
        parts[i].timestamp = i == 0 ? LATEST : EARLIEST;
    }
    request->topics = &topic;
    request->topics_count = 1;
    client_send(trio.client, API_LIST_OFFSETS, 5, request);
    world_run(crew_nodes[stopped].world);
    const struct list_offsets_response *response = client_take(trio.client);
    ck_assert_ptr_nonnull(response);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(response->topics[0].partitions[i].error_code, ERR_OFFSET_NOT_AVAILABLE);
}
END_TEST

/* With another partition in the request that was refused, an answer acknowledges none the less. */
START_TEST(an_acknowledgement_that_was_held_up_does_not_leave)
{
    trio_produce(1);
    const int32_t stopped = trio_leader();
    struct produce_request *request =
        produce_of(trio.client, TRIO_TOPIC, 1, batch_of(trio.client, 1, SPAN("held up")));
    struct produce_request_topic_data *topic = request->topic_data;
    struct produce_request_topic_data_partition_data parts[] = {topic->partition_data[0],
                                                                topic->partition_data[0]};
    parts[1].index = 7;
    topic->partition_data = parts;
    topic->partition_data_count = _i + 1;
    client_send(trio.client, API_PRODUCE, PRODUCE_VERSION, request);
    world_hold(crew_nodes[stopped].world, EFFECT_SEND, NULL);
    world_run(crew_nodes[stopped].world);
    ck_assert_int_eq(log_written_end(trio_hosted(stopped)->log), 2);
    trio_sleep(stopped, 8000);
    world_release(crew_nodes[stopped].world);
    world_run(crew_nodes[stopped].world);
    ck_assert(!trio_is_answered());
}
END_TEST

/* What is no promise is not held back with one, though they are sent together: while the first
 * answer is being sent, the two others gather. */
START_TEST(an_answer_before_an_acknowledgement_that_was_held_up_leaves)
{
    trio_produce(1);
    const int32_t stopped = trio_leader();
    world_hold(crew_nodes[stopped].world, EFFECT_SEND, NULL);
    for (int i = 0; i < 2; i++) {
        client_send(trio.client, API_API_VERSIONS, 0,
                    client_request(trio.client, API_API_VERSIONS));
        world_run(crew_nodes[stopped].world);
    }
    client_send(trio.client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(trio.client, TRIO_TOPIC, 1, batch_of(trio.client, 1, SPAN("held up"))));
    world_run(crew_nodes[stopped].world);
    ck_assert_int_eq(log_written_end(trio_hosted(stopped)->log), 2);
    trio_sleep(stopped, 8000);
    world_release(crew_nodes[stopped].world);
    world_run(crew_nodes[stopped].world);
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(client_take(trio.client));
    ck_assert(!trio_is_answered());
    ck_assert(client_is_closed(trio.client));
}
END_TEST

/* The process ends while it has no lease. */
START_TEST(a_leader_that_was_stopped_may_end)
{
    trio_produce(1);
    const int32_t stopped = trio_leader();
    trio_sleep(stopped, 8000);
    client_send(trio.client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(trio.client, TRIO_TOPIC, 1, batch_of(trio.client, 1, SPAN("too late"))));
    world_run(crew_nodes[stopped].world);
    ck_assert(!trio_is_answered());
    trio_leave();
    node_kill(&crew_nodes[stopped]);
}
END_TEST

/* The others heard of it within the session timeout, and nobody else leads. */
START_TEST(a_leader_that_was_stopped_for_a_moment_goes_on)
{
    trio_produce(1);
    const int32_t stopped = trio_leader();
    const int32_t epoch = trio_meta(stopped)->leader_epoch;
    trio_sleep(stopped, 1400);
    trio_produce(1);
    ck_assert_int_eq(trio_leader(), stopped);
    ck_assert_int_eq(trio_meta(stopped)->leader_epoch, epoch);
}
END_TEST

/* Its silence is told of after two seconds; that another controller has to be elected first, and
 * that leases of the one before are waited for, costs a moment more. */
START_TEST(a_controller_that_is_stopped_is_fenced_in_time)
{
    int32_t stopped = 1;
    while (!quorum_leads(controller_quorum(crew_nodes[stopped].broker->controller)))
        stopped++;
    trio_produce(1);
    trio_sleep(stopped, 2400);
    ck_assert(image_broker(&crew_nodes[stopped % TRIO_NODES + 1].broker->image, stopped)->fenced);
}
END_TEST

/* A voter that had confirmed a lease has forgotten that when it starts anew, and may vote for
 * another one while the lease holds. */
START_TEST(a_controller_that_is_stopped_is_waited_for_when_a_voter_has_forgotten)
{
    int32_t stopped = 1;
    while (!quorum_leads(controller_quorum(crew_nodes[stopped].broker->controller)))
        stopped++;
    const int32_t restarted = stopped % TRIO_NODES + 1;
    const int32_t other = restarted % TRIO_NODES + 1;
    trio_produce(1);
    trio_leave();
    trio_sleep(stopped, 1000);
    node_kill(&crew_nodes[restarted]);
    node_start(&crew_nodes[restarted]);
    trio_sleep(stopped, 1900);
    ck_assert_int_ne(quorum_status(controller_quorum(crew_nodes[other].broker->controller)).leader,
                     stopped);
    ck_assert(!image_broker(&crew_nodes[other].broker->image, stopped)->fenced);
    trio_sleep(stopped, 2000);
    ck_assert(image_broker(&crew_nodes[other].broker->image, stopped)->fenced);
}
END_TEST

SUITE(stopped_leader)
{
    TCase *tcase = tcase_create("stopped_leader");
    tcase_add_checked_fixture(tcase, trio_begin, trio_end);
    tcase_add_loop_test(tcase, a_leader_that_was_stopped_acknowledges_nothing, 0, 2);
    tcase_add_test(tcase, a_broker_that_is_about_to_be_fenced_gets_no_lease);
    tcase_add_test(tcase, a_broker_that_was_stopped_asks_for_a_lease_until_it_has_one);
    tcase_add_test(tcase, a_lease_that_is_granted_too_late_is_asked_for_again);
    tcase_add_test(tcase, a_lease_is_asked_for_when_there_is_a_way_again);
    tcase_add_test(tcase, a_lease_is_asked_for_before_it_is_over);
    tcase_add_test(tcase, a_leader_that_was_stopped_gets_no_lease_before_it_knows);
    tcase_add_test(tcase, a_leader_that_was_stopped_tells_no_offsets);
    tcase_add_loop_test(tcase, an_acknowledgement_that_was_held_up_does_not_leave, 0, 2);
    tcase_add_test(tcase, an_answer_before_an_acknowledgement_that_was_held_up_leaves);
    tcase_add_test(tcase, a_leader_that_was_stopped_may_end);
    tcase_add_test(tcase, a_leader_that_was_stopped_for_a_moment_goes_on);
    tcase_add_test(tcase, a_controller_that_is_stopped_is_fenced_in_time);
    tcase_add_test(tcase, a_controller_that_is_stopped_is_waited_for_when_a_voter_has_forgotten);
    suite_add_tcase(suite, tcase);
}
