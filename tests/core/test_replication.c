/* SPDX-License-Identifier: Apache-2.0 */
/* What replicas of a partition send one another, and who of them is in sync. */
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/metrics.h"
#include "core/partition.h"
#include "core/replica/internal.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/trio.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

START_TEST(what_is_produced_is_on_every_replica)
{
    trio_produce(3);
    trio_produce(4);
    ck_assert_int_eq(trio_meta(1)->isr_count, 3);
    trio_equal(7);
}
END_TEST

START_TEST(a_leader_that_dies_is_followed_by_one_that_has_everything)
{
    trio_produce(5);
    const int32_t dead = trio_leader();
    const int32_t epoch = trio_meta(dead)->leader_epoch;
    trio_leave();
    node_kill(&crew_nodes[dead]);
    crew_advance(500);
    ck_assert_int_ne(trio_leader(), dead);
    ck_assert_int_gt(trio_meta(trio_leader())->leader_epoch, epoch);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 2);
    trio_produce(2);
    node_start(&crew_nodes[dead]);
    crew_advance(5000);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
    trio_equal(7);
}
END_TEST

/* A broker that asked before its new leader knew asks again soon, the tenth time as the first. */
START_TEST(every_death_costs_a_moment_only)
{
    for (int i = 0; i < 8; i++) {
        trio_produce(1);
        const int32_t dead = trio_leader();
        trio_leave();
        node_kill(&crew_nodes[dead]);
        crew_advance(100);
        trio_send(-1, 1);
        crew_advance(100);
        ck_assert(trio_is_answered());
        ck_assert_int_eq(trio.answer, ERR_NONE);
        node_start(&crew_nodes[dead]);
        crew_advance(3000);
        ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
    }
    trio_equal(16);
}
END_TEST

START_TEST(what_only_the_dead_leader_had_is_cut_off)
{
    trio_produce(5);
    const int32_t dead = trio_leader();
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != dead)
            node_kill(&crew_nodes[id]);
    }
    trio_send(1, 9);
    world_run(crew_nodes[dead].world);
    ck_assert_int_eq(log_written_end(trio_hosted(dead)->log), 14);
    ck_assert_int_eq(trio_hosted(dead)->high_watermark, 5);
    trio_leave();
    node_kill(&crew_nodes[dead]);
    node_start(&crew_nodes[dead % TRIO_NODES + 1]);
    node_start(&crew_nodes[(dead + 1) % TRIO_NODES + 1]);
    crew_advance(8000);
    ck_assert_int_ne(trio_leader(), dead);
    trio_produce(2);
    node_start(&crew_nodes[dead]);
    crew_advance(5000);
    trio_equal(7);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
}
END_TEST

START_TEST(too_few_replicas_commit_nothing)
{
    trio_produce(5);
    const int32_t leads = trio_leader();
    node_kill(&crew_nodes[leads % TRIO_NODES + 1]);
    crew_advance(500);
    trio_produce(1);
    ck_assert_int_eq(trio_meta(leads)->isr_count, 2);
    node_kill(&crew_nodes[(leads + 1) % TRIO_NODES + 1]);
    trio_send(-1, 1);
    crew_advance(3000);
    ck_assert(!trio_is_answered());
    ck_assert_int_eq(trio_hosted(leads)->high_watermark, 6);
    node_start(&crew_nodes[leads % TRIO_NODES + 1]);
    node_start(&crew_nodes[(leads + 1) % TRIO_NODES + 1]);
    crew_advance(9000);
    trio_produce(1);
    ck_assert_int_ge(trio_hosted(trio_leader())->high_watermark, 7);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
}
END_TEST

START_TEST(a_follower_that_was_away_for_long_catches_up_from_the_log)
{
    trio_produce(1);
    const int32_t away = trio_follower();
    node_kill(&crew_nodes[away]);
    crew_advance(500);
    for (int i = 0; i < 40; i++)
        trio_produce(50);
    node_start(&crew_nodes[away]);
    crew_advance(5000);
    trio_equal(2001);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
}
END_TEST

/* Who keeps up is not held back by who does not. */
START_TEST(catching_up_has_a_rate)
{
    trio_produce(1);
    const int32_t away = trio_follower();
    node_kill(&crew_nodes[away]);
    crew_advance(500);
    for (int i = 0; i < 100; i++)
        trio_produce(50);
    node_start(&crew_nodes[away]);
    crew_advance(2000);
    const int64_t before = log_end(trio_hosted(away)->log);
    ck_assert_int_gt(before, 0);
    trio_produce(50);
    crew_advance(500);
    const int64_t rows = log_end(trio_hosted(away)->log) - before;
    ck_assert_int_gt(rows, 0);
    ck_assert_int_lt(log_end(trio_hosted(away)->log), 5051);
    crew_advance(8000);
    trio_equal(5051);
}
END_TEST

/* What was received goes when it is written: whoever is away reads the log. */
START_TEST(nothing_is_kept_in_memory_for_a_broker_that_is_away)
{
    trio_produce(1);
    const int32_t away = trio_follower();
    node_kill(&crew_nodes[away]);
    trio_produce(1);
    crew_advance(500);
    const struct memory *memory = &crew_nodes[trio_leader()].broker->memory;
    ck_assert_uint_eq(memory->used_bytes[MEMORY_RECEIVE], 0);
    for (int i = 0; i < 20; i++)
        trio_produce(1);
    ck_assert_uint_eq(memory->used_bytes[MEMORY_RECEIVE], 0);
    node_start(&crew_nodes[away]);
    crew_advance(5000);
    trio_equal(22);
}
END_TEST

/* Nodes have no message that is as large as what clients may send. */
START_TEST(what_no_link_can_carry_is_refused)
{
    static uint8_t value[17 * 1024 * 1024];
    trio_produce(1);
    trio_send_values(1, 1, span_of(value, sizeof(value)));
    crew_advance(500);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, ERR_MESSAGE_TOO_LARGE);
    trio_send_values(-1, 1, span_of(value, 15 * 1024 * 1024));
    crew_advance(2000);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, ERR_NONE);
    trio_equal(2);
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
    ck_assert_int_eq(log_delete_before(trio_hosted(trio_leader())->log, offset, &waiter), offset);
    crew_advance(500);
    ck_assert_int_eq(log_start(trio_hosted(trio_leader())->log), offset);
}

/* It begins with the batch that the start lies in, of which there is no half. */
START_TEST(a_follower_begins_where_a_batch_does)
{
    const int32_t away = trio_follower();
    node_kill(&crew_nodes[away]);
    crew_advance(500);
    trio_produce(10);
    delete_before(4);
    node_start(&crew_nodes[away]);
    crew_advance(5000);
    ck_assert_int_eq(log_start(trio_hosted(away)->log), 4);
    trio_equal(10);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
    trio_produce(1);
    trio_equal(11);
}
END_TEST

START_TEST(a_follower_that_lags_leaves_the_isr_and_comes_back)
{
    const int32_t slow = trio_follower();
    trio_produce(1);
    world_hold(crew_nodes[slow].world, EFFECT_SYNC, "topic-0");
    trio_send(-1, 1);
    crew_advance(1000);
    ck_assert(!trio_is_answered());
    ck_assert_int_eq(trio_hosted(trio_leader())->high_watermark, 1);
    crew_advance(9000);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, ERR_NONE);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 2);
    world_release(crew_nodes[slow].world);
    crew_advance(1000);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
    trio_equal(2);
}
END_TEST

START_TEST(acks_all_is_refused_while_too_few_are_in_sync)
{
    const int32_t leads = trio_leader();
    trio_produce(1);
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != leads)
            world_hold(crew_nodes[id].world, EFFECT_SYNC, "topic-0");
    }
    trio_send(1, 1);
    crew_advance(10000);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, ERR_NONE);
    ck_assert_int_eq(trio_meta(leads)->isr_count, 1);
    trio_send(-1, 1);
    crew_advance(100);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, ERR_NOT_ENOUGH_REPLICAS);
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        world_release(crew_nodes[id].world);
    crew_advance(1000);
    trio_produce(1);
    trio_equal(3);
}
END_TEST

/* A disk that takes nothing is tried again and again, and not as fast as the link is. */
START_TEST(a_full_disk_is_asked_at_an_easy_pace)
{
    const int32_t full = trio_follower();
    trio_produce(1);
    world_fail(crew_nodes[full].world, EFFECT_WRITE, "topic-0", 0, 100000, ERR_NO_SPACE, 0);
    trio_send(1, 1);
    crew_advance(100);
    const uint64_t writes = world_count(crew_nodes[full].world, EFFECT_WRITE);
    crew_advance(3000);
    ck_assert_uint_le(world_count(crew_nodes[full].world, EFFECT_WRITE), writes + 40);
    ck_assert_uint_gt(world_count(crew_nodes[full].world, EFFECT_WRITE), writes);
}
END_TEST

/* What a follower asks when no answer came in time, though one is on its way. */
static void ask_again(struct turn_task *task)
{
    (void)task;
    struct broker *broker = crew_nodes[trio_leader()].broker;
    const int32_t from = trio_follower();
    struct replica_follow_partition partition = {
        .topic_id = image_topic(&broker->image, TRIO_TOPIC)->id,
        .leader_epoch = trio_meta(trio_leader())->leader_epoch,
        .end_offset = log_end(trio_hosted(from)->log),
        .last_epoch = log_last_epoch(trio_hosted(from)->log),
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
    trio_produce(3);
    crew_advance(1000);
    list_init(&task.place);
    io_at_turn_end(&crew_nodes[trio_leader()].broker->io, &task, ask_again);
    crew_advance(1000);
    /* Something happens to the third, and everybody is looked at. */
    const int32_t third = 6 - trio_leader() - trio_follower();
    node_kill(&crew_nodes[third]);
    crew_advance(500);
    node_start(&crew_nodes[third]);
    crew_advance(10000);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 3);
}
END_TEST

/* Of two: the other holds the metadata log, and goes on. */
START_TEST(a_data_folder_that_fails_is_left_to_the_other_replicas)
{
    trio_produce(2);
    const int32_t failed = _i == 0 ? trio_leader() : trio_follower();
    const bool leads = failed == trio_leader();
    world_fail(crew_nodes[failed].world, EFFECT_SYNC, "topic-0", 0, 1, ERR_IO, 0);
    trio_send(-1, 1);
    crew_advance(3000);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, leads ? ERR_KAFKA_STORAGE_ERROR : ERR_NONE);
    ck_assert(!world_is_stopped(crew_nodes[failed].world));
    ck_assert_int_ne(trio_leader(), failed);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 2);
    ck_assert_int_eq(trio_meta(trio_leader())->elr_count, 0);
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        struct broker_metrics metrics;
        broker_metrics(crew_nodes[id].broker, &metrics);
        ck_assert_uint_eq(metrics.offline_folders, id == failed);
    }
    trio_produce(1);
}
END_TEST

/* Of those that were in sync it is the last, and both others have all that is committed. */
START_TEST(a_data_folder_that_fails_is_left_to_an_eligible_replica)
{
    trio_produce(2);
    const int32_t failed = trio_leader();
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != failed)
            node_kill(&crew_nodes[id]);
    }
    crew_advance(100);
    world_fail(crew_nodes[failed].world, EFFECT_SYNC, "topic-0", 0, 1, ERR_IO, 0);
    trio_send(1, 1);
    crew_advance(1000);
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != failed)
            node_start(&crew_nodes[id]);
    }
    crew_advance(20000);
    ck_assert(!world_is_stopped(crew_nodes[failed].world));
    ck_assert_int_ne(trio_leader(), failed);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 2);
    ck_assert_int_eq(trio_meta(trio_leader())->elr_count, 0);
    trio_produce(1);
}
END_TEST

/* A bit of its first batch flips. */
static void damage(int32_t id, size_t at)
{
    world_flip(crew_nodes[id].world, log_folder_number(trio_hosted(id)->log),
               "topic-0/00000000000000000000.log", at, 1);
}

static const size_t damaged_at[] = {BATCH_AT_BASE_OFFSET + 7, BATCH_AT_MAGIC,
                                    BATCH_HEADER_BYTES + 1};

START_TEST(a_leader_that_meets_damage_leaves_it_to_others)
{
    const int32_t leader = trio_leader();
    const int32_t follower = trio_follower();
    node_kill(&crew_nodes[follower]);
    trio_produce(2);
    trio_produce(1);
    damage(leader, damaged_at[_i]);
    node_start(&crew_nodes[follower]);
    crew_advance(10000);
    ck_assert(world_logged(crew_nodes[leader].world, "a batch is damaged log=topic-0"));
    ck_assert(world_logged(crew_nodes[leader].world, "the log is damaged, and left to other"));
    ck_assert_int_ne(trio_leader(), leader);
    ck_assert_int_eq(trio_meta(trio_leader())->isr_count, 2);
    ck_assert(!meta_is_member(meta_isr(trio_meta(trio_leader())), 2, leader));
    ck_assert_int_eq(log_end(trio_hosted(follower)->log), 3);
    trio_leave();
    trio_produce(1);
    /* The mend that its log tells the operator. */
    const uint32_t data_folder = log_folder_number(trio_hosted(leader)->log);
    crew_stop(leader);
    world_remove_in(crew_nodes[leader].world, data_folder, "topic-0");
    crew_start(leader);
    crew_advance(5000);
    trio_equal(4);
    ck_assert_uint_eq(trio_meta(leader)->isr_count, 3);
}
END_TEST

/* As long as nobody else can lead, what is sound is served. */
START_TEST(a_leader_that_is_alone_with_damage_goes_on)
{
    const int32_t leader = trio_leader();
    trio_produce(2);
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != leader)
            node_kill(&crew_nodes[id]);
    }
    damage(leader, BATCH_AT_MAGIC);
    replica_offline(partition_hosted(crew_nodes[leader].broker, trio_hosted(leader)->topic->id, 0));
    crew_advance(5000);
    ck_assert_int_eq(log_state(trio_hosted(leader)->log), LOG_READY);
}
END_TEST

/* As after the answer to a former process's question: it believes that it follows, and the leader
 * does not send. */
START_TEST(who_believes_that_it_follows_is_told)
{
    const int32_t leader = trio_leader();
    const int32_t follower = trio_follower();
    struct replicas *replicas = crew_nodes[leader].broker->cluster->replicas;
    trio_produce(2);
    crew_advance(1000);
    struct replica_stream *stream = lead_stream(trio_hosted(leader)->leading, follower);
    ck_assert(stream->is_sending);
    if (_i == 0) { /* the leader hears of another process */
        stream->broker_epoch--;
        replicas_broker_changed(replicas, follower);
    } else { /* a new link, on which it says how far it is */
        replica_stream_stop(stream);
        replicas_peer_up(crew_nodes[follower].broker->cluster->replicas, leader);
    }
    crew_advance(1000);
    ck_assert(stream->is_sending);
    trio_produce(1);
    trio_equal(3);
    ck_assert_uint_eq(trio_meta(leader)->isr_count, 3);
}
END_TEST

START_TEST(an_idle_partition_stays_as_it_is)
{
    trio_produce(1);
    const int32_t leads = trio_leader();
    const int32_t epoch = trio_meta(leads)->partition_epoch;
    crew_advance(120000);
    ck_assert_int_eq(trio_leader(), leads);
    ck_assert_int_eq(trio_meta(leads)->partition_epoch, epoch);
    trio_produce(1);
}
END_TEST

SUITE(replication)
{
    TCase *tcase = tcase_create("replication");
    tcase_add_checked_fixture(tcase, trio_begin, trio_end);
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
    tcase_add_test(tcase, who_asks_once_more_is_still_known_to_have_everything);
    tcase_add_loop_test(tcase, a_data_folder_that_fails_is_left_to_the_other_replicas, 0, 2);
    tcase_add_test(tcase, a_data_folder_that_fails_is_left_to_an_eligible_replica);
    tcase_add_loop_test(tcase, a_leader_that_meets_damage_leaves_it_to_others, 0,
                        sizeof(damaged_at) / sizeof(damaged_at[0]));
    tcase_add_test(tcase, a_leader_that_is_alone_with_damage_goes_on);
    tcase_add_loop_test(tcase, who_believes_that_it_follows_is_told, 0, 2);
    tcase_add_test(tcase, an_idle_partition_stays_as_it_is);
    suite_add_tcase(suite, tcase);
}
