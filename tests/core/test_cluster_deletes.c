/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteRecords is answered when every replica that is in sync has deleted, durably: whichever
 * leads next, what was deleted stays so. */
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/trio.h"
#include "tests/support/runner.h"

#define VERSION    2
#define RECORDS    10
#define START      4
#define TIMEOUT_MS 30000
#define NEVER      (-2)

#define STARTS "log-start-offset-checkpoint"

static int32_t leader;
static struct client *deleter;

static void begin(void)
{
    trio_begin();
    trio_produce(RECORDS);
    crew_advance(1000);
    leader = trio_leader();
    deleter = client_new(crew_nodes[leader].world);
}

static void end(void)
{
    client_free(deleter);
    trio_end();
}

static void ask(int64_t offset, int32_t timeout_ms)
{
    struct arena *arena = client_arena(deleter);
    struct delete_records_request *request = client_request(deleter, API_DELETE_RECORDS);
    request->topics = arena_array(arena, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = TRIO_TOPIC;
    request->topics[0].partitions = arena_array(arena, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].offset = offset;
    request->timeout_ms = timeout_ms;
    client_send(deleter, API_DELETE_RECORDS, VERSION, request);
}

/* The answer's error, and the low watermark that it tells; NEVER: there is no answer. */
static int answer(int64_t *ret_low_watermark)
{
    const struct delete_records_response *response = client_take(deleter);
    if (response == NULL)
        return NEVER;
    *ret_low_watermark = response->topics[0].partitions[0].low_watermark;
    return response->topics[0].partitions[0].error_code;
}

static void expect(int error, int64_t low_watermark)
{
    int64_t low = 0;
    ck_assert_int_eq(answer(&low), error);
    ck_assert_int_eq(low, low_watermark);
}

static void expect_none(void)
{
    int64_t low;
    ck_assert_int_eq(answer(&low), NEVER);
}

static int64_t start_of(int32_t id)
{
    return log_start(trio_hosted(id)->log);
}

START_TEST(every_replica_in_sync_is_waited_for)
{
    const int32_t slow = trio_follower();
    world_hold(crew_nodes[slow].world, EFFECT_RENAME, STARTS);
    ask(START, TIMEOUT_MS);
    crew_advance(1000);
    expect_none();
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        ck_assert_int_eq(start_of(id), id == slow ? 0 : START);
    world_release(crew_nodes[slow].world);
    crew_advance(500);
    expect(ERR_NONE, START);
    ck_assert_int_eq(start_of(slow), START);
}
END_TEST

START_TEST(whoever_leads_next_has_deleted)
{
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != leader)
            world_hold(crew_nodes[id].world, EFFECT_RENAME, STARTS);
    }
    ask(START, TIMEOUT_MS);
    crew_advance(500);
    int64_t low = -1;
    if (answer(&low) == NEVER) {
        for (int32_t id = 1; id <= TRIO_NODES; id++)
            world_release(crew_nodes[id].world);
        for (int ms = 0; ms < 500 && answer(&low) == NEVER; ms += 10)
            crew_advance(10);
    }
    ck_assert_int_eq(low, START);
    node_kill(&crew_nodes[leader]);
    crew_advance(15000);
    ck_assert_int_ne(trio_leader(), leader);
    ck_assert_int_eq(start_of(trio_leader()), START);
    node_start(&crew_nodes[leader]);
    crew_advance(5000);
}
END_TEST

/* Each is told what it asked for or more, and nothing that a follower does not have. */
START_TEST(the_low_watermark_is_that_of_all)
{
    const int32_t slow = trio_follower();
    struct client *first = deleter;
    ask(START, TIMEOUT_MS);
    crew_advance(500);
    expect(ERR_NONE, START);
    world_hold(crew_nodes[slow].world, EFFECT_RENAME, STARTS);
    ask(START + 2, TIMEOUT_MS);
    crew_advance(500);
    ck_assert_int_eq(start_of(leader), START + 2);
    deleter = client_new(crew_nodes[leader].world);
    ask(START, TIMEOUT_MS);
    crew_advance(100);
    expect(ERR_NONE, START);
    client_free(deleter);
    deleter = first;
    expect_none();
}
END_TEST

START_TEST(nobody_waits_longer_than_it_said)
{
    world_hold(crew_nodes[trio_follower()].world, EFFECT_RENAME, STARTS);
    ask(START, 300);
    crew_advance(200);
    expect_none();
    crew_advance(200);
    expect(ERR_REQUEST_TIMED_OUT, -1);
    ck_assert_int_eq(start_of(leader), START);
}
END_TEST

/* Nothing comes of its wait: the next request has its memory. */
START_TEST(its_client_goes_while_it_waits)
{
    world_hold(crew_nodes[trio_follower()].world, EFFECT_RENAME, STARTS);
    ask(START, 300);
    crew_advance(100);
    world_client_close(crew_nodes[leader].world, client_connection(deleter));
    client_free(deleter);
    crew_advance(100);
    deleter = client_new(crew_nodes[leader].world);
    ask(START + 1, TIMEOUT_MS);
    crew_advance(1000);
    expect_none();
    world_release(crew_nodes[trio_follower()].world);
    crew_advance(1000);
    expect(ERR_NONE, START + 1);
}
END_TEST

/* Fewer than min.insync.replicas: who left meanwhile may lead (KIP-966). */
START_TEST(too_few_in_sync_promise_nothing)
{
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != leader)
            world_hold(crew_nodes[id].world, EFFECT_SYNC, "topic-0");
    }
    trio_send(1, 1);
    crew_advance(9000);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 1);
    ask(START, TIMEOUT_MS);
    crew_advance(1000);
    expect_none();
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        world_release(crew_nodes[id].world);
    crew_advance(1000);
    expect(ERR_NONE, START);
}
END_TEST

/* It has all records that there are; but if it led, it would have more than these. */
START_TEST(who_has_not_deleted_does_not_join)
{
    const int32_t away = trio_follower();
    crew_stop(away);
    ask(START, TIMEOUT_MS);
    crew_advance(500);
    expect(ERR_NONE, START);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 2);
    node_start(&crew_nodes[away]);
    world_hold(crew_nodes[away].world, EFFECT_RENAME, STARTS);
    crew_advance(5000);
    ck_assert_int_eq(log_end(trio_hosted(away)->log), RECORDS);
    ck_assert_int_eq(start_of(away), 0);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 2);
    world_release(crew_nodes[away].world);
    crew_advance(1000);
    ck_assert_int_eq(start_of(away), START);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 3);
}
END_TEST

/* It knows of nothing that is committed but what is deleted; and with fewer than
 * min.insync.replicas there is no more for it to learn. */
START_TEST(who_was_in_sync_alone_is_joined_when_it_is_there_again)
{
    const int32_t away = leader % TRIO_NODES + 1;
    const int32_t slow = away % TRIO_NODES + 1;
    crew_stop(away);
    world_hold(crew_nodes[slow].world, EFFECT_SYNC, "topic-0");
    trio_send(1, 1);
    crew_advance(9000);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 1);
    ask(START, 300);
    crew_advance(500);
    expect(ERR_REQUEST_TIMED_OUT, -1);
    trio_leave();
    node_kill(&crew_nodes[slow]);
    node_kill(&crew_nodes[leader]);
    node_start(&crew_nodes[leader]);
    node_start(&crew_nodes[away]);
    crew_advance(15000);
    ck_assert_int_eq(trio_meta(leader)->leader, leader);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 2);
    ck_assert_int_eq(start_of(leader), START);
    ck_assert_int_eq(start_of(away), START);
}
END_TEST

/* The others elect one of them, who goes on from what is committed. */
static void elect_without(int32_t dead)
{
    node_kill(&crew_nodes[dead]);
    node_start(&crew_nodes[dead % TRIO_NODES + 1]);
    node_start(&crew_nodes[(dead + 1) % TRIO_NODES + 1]);
    crew_advance(8000);
    leader = trio_leader();
    ck_assert_int_ne(leader, dead);
    client_free(deleter);
    deleter = client_new(crew_nodes[leader].world);
}

/* It ends where the leader's log begins, by when the leader knows no more than that itself. */
START_TEST(what_only_the_dead_leader_had_does_not_stay_below_a_deletion)
{
    const int32_t dead = leader;
    node_kill(&crew_nodes[dead % TRIO_NODES + 1]);
    node_kill(&crew_nodes[(dead + 1) % TRIO_NODES + 1]);
    trio_send(1, 2);
    world_run(crew_nodes[dead].world);
    ck_assert_int_eq(log_written_end(trio_hosted(dead)->log), RECORDS + 2);
    trio_leave();
    elect_without(dead);
    trio_produce(2);
    ask(RECORDS + 2, TIMEOUT_MS);
    crew_advance(500);
    expect(ERR_NONE, RECORDS + 2);
    trio_produce(1);
    node_start(&crew_nodes[dead]);
    crew_advance(5000);
    trio_equal(RECORDS + 3);
    ck_assert_int_eq(start_of(dead), RECORDS + 2);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 3);
    ck_assert(world_logged(crew_nodes[dead].world, "the log is cut log=topic-0 end=12 offset=12"));
}
END_TEST

/* All that there was is deleted, with `away` or without; then another one leads, and has appended
 * when `away` is there again, which has nothing to cut. */
START_TEST(what_was_committed_need_not_go_for_a_deletion)
{
    const int32_t away = leader % TRIO_NODES + 1;
    const int32_t next = away % TRIO_NODES + 1;
    if (_i == 0)
        node_kill(&crew_nodes[away]);
    ask(RECORDS, TIMEOUT_MS);
    crew_advance(500);
    expect(ERR_NONE, RECORDS);
    if (_i == 1)
        node_kill(&crew_nodes[away]);
    crew_advance(5000);
    ck_assert_int_eq(trio_meta(leader)->isr_count, 2);
    trio_leave();
    node_kill(&crew_nodes[leader]);
    node_start(&crew_nodes[leader]);
    crew_advance(8000);
    ck_assert_int_eq(trio_leader(), next);
    trio_produce(1);
    node_start(&crew_nodes[away]);
    crew_advance(5000);
    trio_equal(RECORDS + 1);
    ck_assert_int_eq(start_of(away), RECORDS);
    ck_assert_int_eq(trio_meta(next)->isr_count, 3);
    ck_assert(!world_logged(crew_nodes[away].world, "the log is cut log=topic-0"));
}
END_TEST

static int16_t acked_version;

/* What a follower acknowledges in an older version of the protocol. */
static void acknowledge(struct turn_task *task)
{
    (void)task;
    struct broker *broker = crew_nodes[leader].broker;
    const int32_t from = trio_follower();
    struct replica_ack_partition partition = {
        .topic_id = image_topic(&broker->image, TRIO_TOPIC)->id,
        .leader_epoch = trio_meta(leader)->leader_epoch,
        .written_end = RECORDS,
        .durable_end = RECORDS,
        .log_start = START - 1,
    };
    const struct replica_ack ack = {
        .broker_epoch = image_broker(&broker->image, from)->epoch,
        .partitions = &partition,
        .partitions_count = 1,
    };
    struct buffer *buffer = buffer_new(&broker->memory, MEMORY_STATE, 256);
    struct wire_writer writer = {.data = buffer->data, .capacity = 256};
    ck_assert_int_eq(wire_encode(&wire_replica_ack, acked_version, &ack, &writer), ERR_NONE);
    const struct peer_message message = {
        .node_id = from,
        .type = PEER_MESSAGE_FIRST + 68,
        .version = acked_version,
        .body = span_of(buffer->data, writer.length),
        .buffer = buffer,
    };
    ck_assert_ptr_null(broker->cluster->observer.received(&broker->cluster->observer, &message));
    buffer_release(buffer);
}

/* A node of version 0 says nothing of its start, and is not waited for. */
START_TEST(a_node_that_cannot_say_is_not_waited_for)
{
    struct turn_task task;
    world_hold(crew_nodes[trio_follower()].world, EFFECT_RENAME, STARTS);
    ask(START, TIMEOUT_MS);
    crew_advance(500);
    for (acked_version = 1; acked_version >= 0; acked_version--) {
        expect_none();
        list_init(&task.place);
        io_at_turn_end(&crew_nodes[leader].broker->io, &task, acknowledge);
        crew_advance(100);
    }
    expect(ERR_NONE, START);
}
END_TEST

SUITE(cluster_deletes)
{
    TCase *tcase = tcase_create("cluster_deletes");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, every_replica_in_sync_is_waited_for);
    tcase_add_test(tcase, whoever_leads_next_has_deleted);
    tcase_add_test(tcase, the_low_watermark_is_that_of_all);
    tcase_add_test(tcase, nobody_waits_longer_than_it_said);
    tcase_add_test(tcase, its_client_goes_while_it_waits);
    tcase_add_test(tcase, too_few_in_sync_promise_nothing);
    tcase_add_test(tcase, who_has_not_deleted_does_not_join);
    tcase_add_test(tcase, who_was_in_sync_alone_is_joined_when_it_is_there_again);
    tcase_add_test(tcase, what_only_the_dead_leader_had_does_not_stay_below_a_deletion);
    tcase_add_loop_test(tcase, what_was_committed_need_not_go_for_a_deletion, 0, 2);
    tcase_add_test(tcase, a_node_that_cannot_say_is_not_waited_for);
    suite_add_tcase(suite, tcase);
}
