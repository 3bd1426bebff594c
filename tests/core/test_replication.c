/* SPDX-License-Identifier: Apache-2.0 */
/* Three brokers of one cluster, each in a world of its own, and a topic with a replica on each. */
#include <stdio.h>

#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/meta/topics.h"
#include "core/partition.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/support/client.h"
#include "tests/support/node.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

#define NODES 3
#define TOPIC SPAN("topic")

static struct node nodes[NODES + 1]; /* by id */
static struct client *client;
static int32_t client_node;
static int32_t answer; /* of the latest request that was awaited; a negative one: there is none */

static void connect_worlds(void)
{
    static const char *const names[] = {NULL, "n1", "n2", "n3"};
    for (int32_t a = 1; a <= NODES; a++) {
        for (int32_t b = 1; b <= NODES; b++) {
            if (a != b)
                world_add_host(nodes[a].world, names[b], nodes[b].world);
        }
    }
}

static void advance(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 10) {
        for (int32_t id = 1; id <= NODES; id++) {
            if (nodes[id].broker != NULL)
                world_advance_ms(nodes[id].world, 10);
        }
    }
}

static int wish_prepare(struct meta_proposal *proposal, const struct image *image,
                        struct meta_writer *writer)
{
    (void)proposal;
    struct broker *broker = nodes[1].broker;
    struct topic_creation topic = {.name = TOPIC, .partitions = 1, .replication_factor = 3};
    struct topic_override rules[] = {{SPAN("min.insync.replicas"), SPAN("2")},
                                     {SPAN("max.message.bytes"), SPAN("33554432")}};
    struct topics_context context;
    struct arena arena;
    topic.configs = rules;
    topic.configs_count = sizeof(rules) / sizeof(rules[0]);
    arena_init(&arena, &broker->memory, MEMORY_STATE, (size_t)1 << 20);
    topics_begin(&context, image, broker->conf, &broker->io.rng, &arena, writer);
    const int error = topics_create(&context, &topic);
    topics_end(&context);
    arena_reset(&arena);
    return error;
}

static void wish_done(struct meta_proposal *proposal, int error)
{
    (void)proposal;
    ck_assert_int_eq(error, ERR_NONE);
}

static struct meta_proposal wish = {.prepare = wish_prepare, .done = wish_done};

static void begin(void)
{
    static const char *const ids[] = {NULL, "1", "2", "3"};
    for (int32_t id = 1; id <= NODES; id++) {
        const char *const settings[] = {
            "node.id",
            ids[id],
            "listeners",
            "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
            "controller.listener.names",
            "CONTROLLER",
            "controller.quorum.voters",
            "1@n1:9093,2@n2:9093,3@n3:9093",
            "replica.lag.time.max.ms",
            "4000",
            "leader.replication.throttled.rate",
            "20000",
            "log.dirs",
            "/a,/b",
            NULL,
        };
        node_init(&nodes[id], (uint64_t)id, settings);
        node_format(&nodes[id], id, "the-cluster");
    }
    connect_worlds();
    for (int32_t id = 1; id <= NODES; id++)
        node_start(&nodes[id]);
    advance(5000);
    controller_propose(nodes[1].broker->controller, &wish);
    advance(500);
    client_node = 0;
}

static void client_leave(void)
{
    if (client_node != 0)
        client_free(client);
    client_node = 0;
}

static void end(void)
{
    client_leave();
    for (int32_t id = 1; id <= NODES; id++)
        node_free(&nodes[id]);
}

static const struct meta_partition *meta(int32_t id)
{
    const struct meta_topic *topic = image_topic(&nodes[id].broker->image, TOPIC);
    ck_assert_ptr_nonnull(topic);
    return image_partition(topic, 0);
}

static const struct partition *hosted(int32_t id)
{
    const struct meta_topic *topic = image_topic(&nodes[id].broker->image, TOPIC);
    const struct partition *partition = partition_hosted(nodes[id].broker, topic->id, 0);
    ck_assert_ptr_nonnull(partition);
    return partition;
}

static int32_t any(void)
{
    for (int32_t id = 1; id <= NODES; id++) {
        if (nodes[id].broker != NULL)
            return id;
    }
    return 0;
}

static int32_t leader(void)
{
    return meta(any())->leader;
}

static int32_t follower(void)
{
    return leader() % NODES + 1;
}

/* Sends `count` records to the leader; the answer comes with time. */
static void send_values(int16_t acks, int32_t count, struct span value)
{
    if (client_node != leader()) {
        client_leave();
        client_node = leader();
        client = client_new(nodes[client_node].world);
    }
    client_send(client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(client, TOPIC, acks, batch_of(client, count, value)));
}

static void send(int16_t acks, int32_t count)
{
    send_values(acks, count, SPAN("0123456789"));
}

static bool is_answered(void)
{
    const struct produce_response *response = client_take(client);
    answer = response == NULL ? -1 : response->responses[0].partition_responses[0].error_code;
    return response != NULL;
}

static void produce_some(int32_t count)
{
    send(-1, count);
    advance(500);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, ERR_NONE);
}

static void equal_everywhere(int64_t end_offset)
{
    for (int32_t id = 1; id <= NODES; id++) {
        ck_assert_int_eq(log_end(hosted(id)->log), end_offset);
        ck_assert_int_eq(log_durable_end(hosted(id)->log), end_offset);
        ck_assert_int_eq(hosted(id)->high_watermark, end_offset);
    }
}

START_TEST(what_is_produced_is_on_every_replica)
{
    produce_some(3);
    produce_some(4);
    ck_assert_int_eq(meta(1)->isr_count, 3);
    equal_everywhere(7);
}
END_TEST

START_TEST(a_leader_that_dies_is_followed_by_one_that_has_everything)
{
    produce_some(5);
    const int32_t dead = leader();
    const int32_t epoch = meta(dead)->leader_epoch;
    client_leave();
    node_kill(&nodes[dead]);
    advance(500);
    ck_assert_int_ne(leader(), dead);
    ck_assert_int_gt(meta(leader())->leader_epoch, epoch);
    ck_assert_int_eq(meta(leader())->isr_count, 2);
    produce_some(2);
    node_start(&nodes[dead]);
    advance(5000);
    ck_assert_int_eq(meta(leader())->isr_count, 3);
    equal_everywhere(7);
}
END_TEST

/* A broker that asked before its new leader knew asks again soon, the tenth time as the first. */
START_TEST(every_death_costs_a_moment_only)
{
    for (int i = 0; i < 8; i++) {
        produce_some(1);
        const int32_t dead = leader();
        client_leave();
        node_kill(&nodes[dead]);
        advance(100);
        send(-1, 1);
        advance(100);
        ck_assert(is_answered());
        ck_assert_int_eq(answer, ERR_NONE);
        node_start(&nodes[dead]);
        advance(3000);
        ck_assert_int_eq(meta(leader())->isr_count, 3);
    }
    equal_everywhere(16);
}
END_TEST

START_TEST(what_only_the_dead_leader_had_is_cut_off)
{
    produce_some(5);
    const int32_t dead = leader();
    for (int32_t id = 1; id <= NODES; id++) {
        if (id != dead)
            node_kill(&nodes[id]);
    }
    send(1, 9);
    world_run(nodes[dead].world);
    ck_assert_int_eq(log_written_end(hosted(dead)->log), 14);
    ck_assert_int_eq(hosted(dead)->high_watermark, 5);
    client_leave();
    node_kill(&nodes[dead]);
    node_start(&nodes[dead % NODES + 1]);
    node_start(&nodes[(dead + 1) % NODES + 1]);
    advance(8000);
    ck_assert_int_ne(leader(), dead);
    produce_some(2);
    node_start(&nodes[dead]);
    advance(5000);
    equal_everywhere(7);
    ck_assert_int_eq(meta(leader())->isr_count, 3);
}
END_TEST

START_TEST(too_few_replicas_commit_nothing)
{
    produce_some(5);
    const int32_t leads = leader();
    node_kill(&nodes[leads % NODES + 1]);
    advance(500);
    produce_some(1);
    ck_assert_int_eq(meta(leads)->isr_count, 2);
    node_kill(&nodes[(leads + 1) % NODES + 1]);
    send(-1, 1);
    advance(3000);
    ck_assert(!is_answered());
    ck_assert_int_eq(hosted(leads)->high_watermark, 6);
    node_start(&nodes[leads % NODES + 1]);
    node_start(&nodes[(leads + 1) % NODES + 1]);
    advance(9000);
    produce_some(1);
    ck_assert_int_ge(hosted(leader())->high_watermark, 7);
    ck_assert_int_eq(meta(leader())->isr_count, 3);
}
END_TEST

START_TEST(a_follower_that_was_away_for_long_catches_up_from_the_log)
{
    produce_some(1);
    const int32_t away = follower();
    node_kill(&nodes[away]);
    advance(500);
    for (int i = 0; i < 40; i++)
        produce_some(50);
    node_start(&nodes[away]);
    advance(5000);
    equal_everywhere(2001);
    ck_assert_int_eq(meta(leader())->isr_count, 3);
}
END_TEST

/* Who keeps up is not held back by who does not. */
START_TEST(catching_up_has_a_rate)
{
    produce_some(1);
    const int32_t away = follower();
    node_kill(&nodes[away]);
    advance(500);
    for (int i = 0; i < 100; i++)
        produce_some(50);
    node_start(&nodes[away]);
    advance(2000);
    const int64_t before = log_end(hosted(away)->log);
    ck_assert_int_gt(before, 0);
    produce_some(50);
    advance(500);
    const int64_t rows = log_end(hosted(away)->log) - before;
    ck_assert_int_gt(rows, 0);
    ck_assert_int_lt(log_end(hosted(away)->log), 5051);
    advance(8000);
    equal_everywhere(5051);
}
END_TEST

/* What was received goes when it is written: whoever is away reads the log. */
START_TEST(nothing_is_kept_in_memory_for_a_broker_that_is_away)
{
    produce_some(1);
    const int32_t away = follower();
    node_kill(&nodes[away]);
    produce_some(1);
    advance(500);
    const struct memory *memory = &nodes[leader()].broker->memory;
    ck_assert_uint_eq(memory->used_bytes[MEMORY_RECEIVE], 0);
    for (int i = 0; i < 20; i++)
        produce_some(1);
    ck_assert_uint_eq(memory->used_bytes[MEMORY_RECEIVE], 0);
    node_start(&nodes[away]);
    advance(5000);
    equal_everywhere(22);
}
END_TEST

/* Nodes have no message that is as large as what clients may send. */
START_TEST(what_no_link_can_carry_is_refused)
{
    static uint8_t value[17 * 1024 * 1024];
    produce_some(1);
    send_values(1, 1, span_of(value, sizeof(value)));
    advance(500);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, ERR_MESSAGE_TOO_LARGE);
    send_values(-1, 1, span_of(value, 15 * 1024 * 1024));
    advance(2000);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, ERR_NONE);
    equal_everywhere(2);
}
END_TEST

static void nobody_waits(struct log_waiter *waiter, int error)
{
    (void)waiter;
    ck_assert_int_eq(error, ERR_NONE);
}

/* Deletes what lies below `offset`, which may be inside of a batch. */
static void delete_before(int64_t offset)
{
    static struct log_waiter waiter = {.wake = nobody_waits};
    ck_assert_int_eq(log_delete_before(hosted(leader())->log, offset, &waiter), offset);
    advance(500);
    ck_assert_int_eq(log_start(hosted(leader())->log), offset);
}

/* It begins with the batch that the start lies in, of which there is no half. */
START_TEST(a_follower_begins_where_a_batch_does)
{
    const int32_t away = follower();
    node_kill(&nodes[away]);
    advance(500);
    produce_some(10);
    delete_before(4);
    node_start(&nodes[away]);
    advance(5000);
    ck_assert_int_eq(log_start(hosted(away)->log), 4);
    equal_everywhere(10);
    ck_assert_int_eq(meta(leader())->isr_count, 3);
    produce_some(1);
    equal_everywhere(11);
}
END_TEST

START_TEST(a_follower_that_lags_leaves_the_isr_and_comes_back)
{
    const int32_t slow = follower();
    produce_some(1);
    world_hold(nodes[slow].world, EFFECT_SYNC, "topic-0");
    send(-1, 1);
    advance(1000);
    ck_assert(!is_answered());
    ck_assert_int_eq(hosted(leader())->high_watermark, 1);
    advance(9000);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, ERR_NONE);
    ck_assert_int_eq(meta(leader())->isr_count, 2);
    world_release(nodes[slow].world);
    advance(1000);
    ck_assert_int_eq(meta(leader())->isr_count, 3);
    equal_everywhere(2);
}
END_TEST

START_TEST(acks_all_is_refused_while_too_few_are_in_sync)
{
    const int32_t leads = leader();
    produce_some(1);
    for (int32_t id = 1; id <= NODES; id++) {
        if (id != leads)
            world_hold(nodes[id].world, EFFECT_SYNC, "topic-0");
    }
    send(1, 1);
    advance(10000);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, ERR_NONE);
    ck_assert_int_eq(meta(leads)->isr_count, 1);
    send(-1, 1);
    advance(100);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, ERR_NOT_ENOUGH_REPLICAS);
    for (int32_t id = 1; id <= NODES; id++)
        world_release(nodes[id].world);
    advance(1000);
    produce_some(1);
    equal_everywhere(3);
}
END_TEST

/* A disk that takes nothing is tried again and again, and not as fast as the link is. */
START_TEST(a_full_disk_is_asked_at_an_easy_pace)
{
    const int32_t full = follower();
    produce_some(1);
    world_fail(nodes[full].world, EFFECT_WRITE, "topic-0", 0, 100000, ERR_NO_SPACE, 0);
    send(1, 1);
    advance(100);
    const uint64_t writes = world_count(nodes[full].world, EFFECT_WRITE);
    advance(3000);
    ck_assert_uint_le(world_count(nodes[full].world, EFFECT_WRITE), writes + 40);
    ck_assert_uint_gt(world_count(nodes[full].world, EFFECT_WRITE), writes);
}
END_TEST

/* Stops one node for as long as it takes until another one leads. */
static void let_sleep(int32_t id, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 10) {
        for (int32_t other = 1; other <= NODES; other++) {
            if (other != id)
                world_advance_ms(nodes[other].world, 10);
        }
    }
    world_sleep_ms(nodes[id].world, ms);
}

START_TEST(a_leader_that_was_stopped_acknowledges_nothing)
{
    produce_some(1);
    const int32_t stopped = leader();
    const int16_t acks = _i == 0 ? 1 : -1;
    let_sleep(stopped, 8000);
    ck_assert_int_ne(meta(stopped % NODES + 1)->leader, stopped);
    ck_assert_int_eq(meta(stopped)->leader, stopped); /* it does not know yet */
    client_send(client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(client, TOPIC, acks, batch_of(client, 1, SPAN("too late"))));
    world_run(nodes[stopped].world);
    ck_assert_int_eq(log_written_end(hosted(stopped)->log), 2);
    ck_assert(!is_answered());
    advance(5000);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, ERR_NOT_LEADER_OR_FOLLOWER);
    produce_some(2);
    equal_everywhere(3);
}
END_TEST

/* It is heard again while that it is fenced is on its way to the disks already. */
START_TEST(a_broker_that_is_about_to_be_fenced_gets_no_lease)
{
    struct quorum *quorum = controller_quorum(nodes[1].broker->controller);
    const int32_t controls = quorum_status(quorum).leader;
    const int32_t slept = controls % NODES + 1;
    produce_some(1);
    client_leave();
    for (int32_t id = 1; id <= NODES; id++) {
        if (id != slept)
            world_hold(nodes[id].world, EFFECT_SYNC, "__cluster_metadata-0");
    }
    let_sleep(slept, 8000);
    ck_assert(world_logged(nodes[controls].world, "a broker is fenced"));
    ck_assert(!image_broker(&nodes[controls].broker->image, slept)->fenced);
    advance(1000);
    ck_assert(!lease_holds(nodes[slept].broker));
    for (int32_t id = 1; id <= NODES; id++)
        world_release(nodes[id].world);
    advance(4000);
    ck_assert(lease_holds(nodes[slept].broker));
    ck_assert(!image_broker(&nodes[controls].broker->image, slept)->fenced);
}
END_TEST

/* It is let in again at once, while what happened meanwhile has still to be read for it. */
START_TEST(a_leader_that_was_stopped_gets_no_lease_before_it_knows)
{
    produce_some(1);
    const int32_t stopped = leader();
    client_leave();
    let_sleep(stopped, 8000);
    for (int32_t id = 1; id <= NODES; id++)
        world_hold(nodes[id].world, EFFECT_READ, "__cluster_metadata-0");
    advance(1000);
    ck_assert(!image_broker(&nodes[stopped % NODES + 1].broker->image, stopped)->fenced);
    ck_assert_int_eq(meta(stopped)->leader, stopped);
    ck_assert(!lease_holds(nodes[stopped].broker));
    for (int32_t id = 1; id <= NODES; id++)
        world_release(nodes[id].world);
    advance(500);
    ck_assert_int_ne(meta(stopped)->leader, stopped);
    ck_assert(lease_holds(nodes[stopped].broker));
}
END_TEST

/* With another partition in the request that was refused, an answer acknowledges none the less. */
START_TEST(an_acknowledgement_that_was_held_up_does_not_leave)
{
    produce_some(1);
    const int32_t stopped = leader();
    struct produce_request *request =
        produce_of(client, TOPIC, 1, batch_of(client, 1, SPAN("held up")));
    struct produce_request_topic_data *topic = request->topic_data;
    struct produce_request_topic_data_partition_data parts[] = {topic->partition_data[0],
                                                                topic->partition_data[0]};
    parts[1].index = 7;
    topic->partition_data = parts;
    topic->partition_data_count = _i + 1;
    client_send(client, API_PRODUCE, PRODUCE_VERSION, request);
    world_hold(nodes[stopped].world, EFFECT_SEND, NULL);
    world_run(nodes[stopped].world);
    ck_assert_int_eq(log_written_end(hosted(stopped)->log), 2);
    let_sleep(stopped, 8000);
    world_release(nodes[stopped].world);
    world_run(nodes[stopped].world);
    ck_assert(!is_answered());
}
END_TEST

/* The process ends while it has no lease. */
START_TEST(a_leader_that_was_stopped_may_end)
{
    produce_some(1);
    const int32_t stopped = leader();
    let_sleep(stopped, 8000);
    client_send(client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(client, TOPIC, 1, batch_of(client, 1, SPAN("too late"))));
    world_run(nodes[stopped].world);
    ck_assert(!is_answered());
    client_leave();
    node_kill(&nodes[stopped]);
}
END_TEST

/* The others heard of it within the session timeout, and nobody else leads. */
START_TEST(a_leader_that_was_stopped_for_a_moment_goes_on)
{
    produce_some(1);
    const int32_t stopped = leader();
    const int32_t epoch = meta(stopped)->leader_epoch;
    let_sleep(stopped, 1400);
    produce_some(1);
    ck_assert_int_eq(leader(), stopped);
    ck_assert_int_eq(meta(stopped)->leader_epoch, epoch);
}
END_TEST

/* Its silence is told of after two seconds; that another controller has to be elected first, and
 * that leases of the one before are waited for, costs a moment more. */
START_TEST(a_controller_that_is_stopped_is_fenced_in_time)
{
    int32_t stopped = 1;
    while (!quorum_leads(controller_quorum(nodes[stopped].broker->controller)))
        stopped++;
    produce_some(1);
    let_sleep(stopped, 2300);
    ck_assert(image_broker(&nodes[stopped % NODES + 1].broker->image, stopped)->fenced);
}
END_TEST

/* What a follower asks when no answer came in time, though one is on its way. */
static void ask_again(struct turn_task *task)
{
    (void)task;
    struct broker *broker = nodes[leader()].broker;
    const int32_t from = follower();
    struct replica_follow_partition partition = {
        .topic_id = image_topic(&broker->image, TOPIC)->id,
        .leader_epoch = meta(leader())->leader_epoch,
        .end_offset = log_end(hosted(from)->log),
        .last_epoch = log_last_epoch(hosted(from)->log),
    };
    const struct replica_follow follow = {
        .broker_epoch = image_broker(&broker->image, from)->epoch,
        .partitions = &partition,
        .partitions_count = 1,
    };
    struct buffer *buffer = buffer_new(&broker->memory, MEMORY_STATE, 256);
    struct wire_writer writer = {.data = buffer->data, .capacity = 256};
    wire_encode(&wire_replica_follow, 0, &follow, &writer);
    const struct peer_message message = {
        .node_id = from,
        .type = PEER_MESSAGE_FIRST + 64,
        .body = span_of(buffer->data, wire_size(&wire_replica_follow, 0, &follow)),
        .buffer = buffer,
    };
    ck_assert_ptr_null(broker->cluster->observer.received(&broker->cluster->observer, &message));
    buffer_release(buffer);
}

START_TEST(who_asks_once_more_is_still_known_to_have_everything)
{
    struct turn_task task;
    produce_some(3);
    advance(1000);
    list_init(&task.place);
    io_at_turn_end(&nodes[leader()].broker->io, &task, ask_again);
    advance(1000);
    /* Something happens to the third, and everybody is looked at. */
    const int32_t third = 6 - leader() - follower();
    node_kill(&nodes[third]);
    advance(500);
    node_start(&nodes[third]);
    advance(10000);
    ck_assert_int_eq(meta(leader())->isr_count, 3);
}
END_TEST

/* Of two: the other holds the metadata log, and goes on. */
START_TEST(a_data_folder_that_fails_is_left_to_the_other_replicas)
{
    produce_some(2);
    const int32_t failed = _i == 0 ? leader() : follower();
    const bool leads = failed == leader();
    world_fail(nodes[failed].world, EFFECT_SYNC, "topic-0", 0, 1, ERR_IO, 0);
    send(-1, 1);
    advance(3000);
    ck_assert(is_answered());
    ck_assert_int_eq(answer, leads ? ERR_KAFKA_STORAGE_ERROR : ERR_NONE);
    ck_assert(!world_is_stopped(nodes[failed].world));
    ck_assert_int_ne(leader(), failed);
    ck_assert_int_eq(meta(leader())->isr_count, 2);
    ck_assert_int_eq(meta(leader())->elr_count, 0);
    produce_some(1);
}
END_TEST

START_TEST(an_idle_partition_stays_as_it_is)
{
    produce_some(1);
    const int32_t leads = leader();
    const int32_t epoch = meta(leads)->partition_epoch;
    advance(120000);
    ck_assert_int_eq(leader(), leads);
    ck_assert_int_eq(meta(leads)->partition_epoch, epoch);
    produce_some(1);
}
END_TEST

SUITE(replication)
{
    TCase *tcase = tcase_create("replication");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_is_produced_is_on_every_replica);
    tcase_add_test(tcase, a_leader_that_dies_is_followed_by_one_that_has_everything);
    tcase_add_test(tcase, every_death_costs_a_moment_only);
    tcase_add_test(tcase, what_only_the_dead_leader_had_is_cut_off);
    tcase_add_test(tcase, too_few_replicas_commit_nothing);
    tcase_add_test(tcase, a_follower_that_was_away_for_long_catches_up_from_the_log);
    tcase_add_test(tcase, catching_up_has_a_rate);
    tcase_add_test(tcase, nothing_is_kept_in_memory_for_a_broker_that_is_away);
    tcase_add_test(tcase, what_no_link_can_carry_is_refused);
    tcase_add_test(tcase, a_follower_begins_where_a_batch_does);
    tcase_add_test(tcase, a_follower_that_lags_leaves_the_isr_and_comes_back);
    tcase_add_test(tcase, acks_all_is_refused_while_too_few_are_in_sync);
    tcase_add_test(tcase, a_full_disk_is_asked_at_an_easy_pace);
    tcase_add_loop_test(tcase, a_leader_that_was_stopped_acknowledges_nothing, 0, 2);
    tcase_add_test(tcase, a_broker_that_is_about_to_be_fenced_gets_no_lease);
    tcase_add_test(tcase, a_leader_that_was_stopped_gets_no_lease_before_it_knows);
    tcase_add_loop_test(tcase, an_acknowledgement_that_was_held_up_does_not_leave, 0, 2);
    tcase_add_test(tcase, a_leader_that_was_stopped_may_end);
    tcase_add_test(tcase, a_leader_that_was_stopped_for_a_moment_goes_on);
    tcase_add_test(tcase, a_controller_that_is_stopped_is_fenced_in_time);
    tcase_add_test(tcase, who_asks_once_more_is_still_known_to_have_everything);
    tcase_add_loop_test(tcase, a_data_folder_that_fails_is_left_to_the_other_replicas, 0, 2);
    tcase_add_test(tcase, an_idle_partition_stays_as_it_is);
    suite_add_tcase(suite, tcase);
}
