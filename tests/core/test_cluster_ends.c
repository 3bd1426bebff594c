/* SPDX-License-Identifier: Apache-2.0 */
/* Brokers of a cluster end, or are killed, and come back. */
#include <stdio.h>

#include "core/broker_state.h"
#include "core/lease.h"
#include "core/meta/quorum_internal.h"
#include "core/records/batch.h"
#include "core/wire/error.h"
#include "tests/core/pair.h"
#include "tests/support/client.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

START_TEST(a_node_that_waits_for_the_others_ends_when_told)
{
    pair_run(1);
    pair_advance(1000);
    node_stop(&pair[1]);
}
END_TEST

/* What was asked of the disk when it was told to end is waited for. */
START_TEST(a_node_ends_at_any_moment_of_its_start)
{
    static const struct {
        enum effect_kind kind;
        const char *path;
    } moments[] = {
        {EFFECT_OPEN, "quorum-state"},       {EFFECT_READ, "quorum-state"},
        {EFFECT_READ, "__cluster_metadata"}, {EFFECT_LIST, "__cluster_metadata"},
        {EFFECT_OPEN, "meta.properties"},
    };
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    pair_end_in_order(1);
    world_hold(pair[1].world, moments[_i].kind, moments[_i].path);
    pair_run(1);
    world_stop(pair[1].world);
    world_run(pair[1].world);
    world_release(pair[1].world);
    world_run(pair[1].world);
    ck_assert(world_is_stopped(pair[1].world));
    node_stop(&pair[1]);
}
END_TEST

/* What its log had before it started is committed by the other one's word, and read again. */
START_TEST(a_node_ends_while_it_reads_what_is_committed)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    pair_end_in_order(1);
    pair_run(1);
    world_hold(pair[1].world, EFFECT_READ, "__cluster_metadata");
    pair_advance(3000);
    ck_assert(!pair_is_ready(1)); /* it has not read it */
    world_stop(pair[1].world);
    pair_advance(100);
    ck_assert(!world_is_stopped(pair[1].world));
    world_release(pair[1].world);
    pair_advance(1000);
    ck_assert(world_is_stopped(pair[1].world));
    node_stop(&pair[1]);
}
END_TEST

START_TEST(a_broker_that_ended_is_fenced_and_let_in_again)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    pair_end_in_order(2);
    pair_advance(500);
    pair_run(2);
    pair_advance(5000);
    ck_assert(pair_is_ready(2));
    ck_assert_uint_eq(image_live_brokers(&pair[1].broker->image), 2);
    ck_assert_uint_eq(image_live_brokers(&pair[2].broker->image), 2);
}
END_TEST

/* "t", whose only partition has both brokers in sync and is written through a cache. */
static int replicas_prepare(struct meta_proposal *proposal, const struct image *image,
                            struct meta_writer *writer)
{
    static int32_t brokers[] = {1, 2};
    static const struct uuid id = {{1, 2, 3, 4, 5, 6, 0x40, 8, 0x80}};
    static const char *const settings[] = {"write.caching", "true", "min.insync.replicas", "2"};
    (void)proposal;
    (void)image;
    struct meta_record topic = meta_record_of(META_RECORD_TOPIC);
    topic.body.topic.name = SPAN("t");
    topic.body.topic.topic_id = id;
    int error = meta_write(writer, &topic);
    for (size_t i = 0; i < 4 && error == ERR_NONE; i += 2) {
        struct meta_record setting = meta_record_of(META_RECORD_CONFIG);
        setting.body.config.resource_type = META_RESOURCE_TOPIC;
        setting.body.config.resource_name = SPAN("t");
        setting.body.config.name = span_text(settings[i]);
        setting.body.config.value = span_text(settings[i + 1]);
        error = meta_write(writer, &setting);
    }
    struct meta_record partition = meta_record_of(META_RECORD_PARTITION);
    partition.body.partition.topic_id = id;
    partition.body.partition.replicas = partition.body.partition.isr = brokers;
    partition.body.partition.replicas_count = partition.body.partition.isr_count = 2;
    partition.body.partition.leader = 1;
    partition.body.partition.partition_id = 0;
    partition.body.partition.leader_epoch = partition.body.partition.partition_epoch = 0;
    return error == ERR_NONE ? meta_write(writer, &partition) : error;
}

static void begin_replicated(void)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    pair_wish_for(0, 1, replicas_prepare);
    pair_advance(1000);
    ck_assert(pair_is_granted(0) && pair_has_topic(2, "t"));
    /* A log that is not empty has to be read before it is in sync again. */
    struct client *client = client_new(pair[1].world);
    client_send(client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(client, SPAN("t"), 1, batch_of(client, 1, SPAN("value"))));
    pair_advance(1000);
    ck_assert_ptr_nonnull(client_take(client));
    client_free(client);
}

static const struct meta_partition *partition_on(int32_t id)
{
    return image_partition(image_topic(&pair[id].broker->image, SPAN("t")), 0);
}

/* It serves, but catches up with nothing. */
static void begin_to_run_without_log(int32_t id)
{
    world_hold(pair[id].world, EFFECT_OPEN, "t-0/");
    pair_run(id);
    pair_advance(5000);
    ck_assert(pair_is_ready(id));
}

START_TEST(a_broker_gives_its_leaderships_away_before_it_ends)
{
    begin_replicated();
    ck_assert_int_eq(partition_on(2)->leader, 1);
    ck_assert(lease_holds(pair[1].broker));
    world_stop(pair[1].world);
    world_run(pair[1].world);
    /* Others may lead from now on, and it may learn of that late. */
    ck_assert_int_eq(partition_on(1)->leader, 1);
    ck_assert(!lease_holds(pair[1].broker));
    for (int32_t turns = 0; turns < 100 && !world_is_stopped(pair[1].world); turns++) {
        ck_assert(!image_broker(&pair[2].broker->image, 1)->fenced);
        pair_advance(10);
    }
    ck_assert(world_is_stopped(pair[1].world));
    ck_assert(image_broker(&pair[2].broker->image, 1)->is_shutting_down);
    ck_assert_int_eq(partition_on(2)->leader, 2);
    ck_assert_int_eq(partition_on(2)->elr_count, 1);
    node_stop(&pair[1]);
    begin_to_run_without_log(1);
    ck_assert_uint_eq(image_live_brokers(&pair[1].broker->image), 2);
    ck_assert_int_eq(partition_on(2)->elr_count, 1); /* it ended in order: it has all it had */
    world_release(pair[1].world);
    pair_advance(5000);
    ck_assert_int_eq(partition_on(2)->isr_count, 2);
}
END_TEST

START_TEST(a_broker_that_was_killed_may_have_lost_what_was_cached)
{
    begin_replicated();
    node_kill(&pair[1]);
    begin_to_run_without_log(1);
    ck_assert_int_eq(partition_on(2)->leader, 2);
    ck_assert_int_eq(partition_on(2)->elr_count, 0);
    ck_assert_int_eq(partition_on(2)->isr_count, 1);
}
END_TEST

START_TEST(the_quorums_leader_hands_over_before_it_ends)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    const int32_t leader = pair_leads_quorum(1) ? 1 : 2;
    const int32_t other = 3 - leader;
    world_stop(pair[leader].world);
    bool served = true;
    for (int32_t turns = 0; turns < 100 && !world_is_stopped(pair[leader].world); turns++) {
        served = served && world_is_ready(pair[leader].world);
        pair_advance(10);
    }
    ck_assert(served && world_is_stopped(pair[leader].world));
    ck_assert(pair_logged(other, "the quorum's leader asks this node to stand"));
    ck_assert(pair_leads_quorum(other));
    ck_assert(image_broker(&pair[other].broker->image, leader)->is_shutting_down);
}
END_TEST

/* Nobody could agree to anything. */
START_TEST(the_last_ones_end_without_leave)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    pair_end_in_order(2);
    pair_advance(100);
    node_stop(&pair[1]);
}
END_TEST

START_TEST(a_broker_whose_others_do_not_answer_ends_all_the_same)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    world_stop(pair[1].world);
    int64_t waited_ms = 0;
    for (; waited_ms < 20000 && !world_is_stopped(pair[1].world); waited_ms += 10)
        world_advance_ms(pair[1].world, 10);
    ck_assert(world_is_stopped(pair[1].world));
    /* One of them is silent, at the latest, after broker.session.timeout.ms. */
    ck_assert_int_ge(waited_ms, 1000);
    ck_assert_int_le(waited_ms, 2600);
}
END_TEST

static const struct log *metadata_log(int32_t id)
{
    return wal_log(controller_quorum(pair[id].broker->controller)->wal);
}

/* Of node 2's metadata nothing is left but the first batch, as if it were that far behind. */
static void keep_first_batch(void)
{
    static const char log_file[] = WAL_LOG_NAME "/00000000000000000000.log";
    static const char metadata_file[] = WAL_LOG_NAME "/partition.metadata";
    uint8_t first[1024];
    uint8_t metadata[1024];
    const struct span log = world_file(pair[2].world, log_file);
    const size_t first_length = BATCH_AT_LEADER_EPOCH + get_be32(log.data + BATCH_AT_LENGTH);
    ck_assert_uint_le(first_length, sizeof(first));
    memcpy(first, log.data, first_length);
    const struct span whole = world_file(pair[2].world, metadata_file);
    ck_assert_uint_le(whole.length, sizeof(metadata));
    const size_t metadata_length = whole.length;
    memcpy(metadata, whole.data, metadata_length);
    const char *name;
    while ((name = world_name(pair[2].world, WAL_LOG_NAME, 0)) != NULL) {
        char path[256];
        snprintf(path, sizeof(path), WAL_LOG_NAME "/%s", name);
        world_remove(pair[2].world, path);
    }
    world_put_file(pair[2].world, log_file, span_of(first, first_length));
    world_put_file(pair[2].world, metadata_file, span_of(metadata, metadata_length));
    world_remove(pair[2].world, "quorum-state");
    world_remove(pair[2].world, "recovery-point-offset-checkpoint");
    world_remove(pair[2].world, "log-start-offset-checkpoint");
}

/* Node 2 has next to nothing of the metadata any more, and node 1 has a snapshot in the place of
 * it. */
static void lose_metadata(void)
{
    static char names[8][16];
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    for (int i = 0; log_start(metadata_log(1)) == 0; i++) {
        snprintf(names[i % 8], sizeof(names[0]), "topic-%d", i);
        pair_wish(0, 1, names[i % 8]);
        pair_advance(100);
        ck_assert(pair_is_granted(0) && i < 1000);
    }
    node_kill(&pair[2]);
    keep_first_batch();
}

/* The leader reads its snapshot for it, or it writes what it got. */
START_TEST(a_node_waits_for_a_snapshot_under_way_before_it_ends)
{
    static const struct {
        int32_t id;
        enum effect_kind kind;
    } moments[] = {
        {1, EFFECT_OPEN}, {1, EFFECT_READ}, {2, EFFECT_OPEN}, {2, EFFECT_WRITE}, {2, EFFECT_RENAME},
    };
    struct node *node = &pair[moments[_i].id];
    lose_metadata();
    world_hold(node->world, moments[_i].kind, ".checkpoint");
    pair_run(2);
    pair_advance(20000);
    ck_assert(!pair_is_ready(2));
    world_stop(node->world);
    pair_advance(20000); /* for its leave nobody is there who could agree */
    ck_assert(!world_is_stopped(node->world));
    world_release(node->world);
    pair_advance(100);
    ck_assert(world_is_stopped(node->world));
    node_stop(node);
    pair_run(moments[_i].id);
    pair_advance(20000);
    ck_assert(pair_is_ready(1) && pair_is_ready(2));
    ck_assert_uint_eq(image_digest(&pair[1].broker->image), image_digest(&pair[2].broker->image));
}
END_TEST

START_TEST(a_node_that_ends_in_order_is_proven_dead)
{
    pair_run(1);
    pair_run(2);
    pair_advance(3000);
    pair_end_in_order(2);
    pair_advance(100);
    ck_assert(pair_logged(1, "a node's process has ended: node=2 incarnation="));
    pair_run(2);
    world_reset_counts(pair[1].world);
    pair_advance(2000);
    ck_assert(pair_logged(1, "a link is up: node=2"));
    pair_end_in_order(1);
}
END_TEST

SUITE(cluster_ends)
{
    TCase *tcase = tcase_create("cluster_ends");
    tcase_add_checked_fixture(tcase, pair_begin, pair_end);
    tcase_add_test(tcase, a_node_that_waits_for_the_others_ends_when_told);
    tcase_add_loop_test(tcase, a_node_ends_at_any_moment_of_its_start, 0, 5);
    tcase_add_test(tcase, a_node_ends_while_it_reads_what_is_committed);
    tcase_add_test(tcase, a_broker_that_ended_is_fenced_and_let_in_again);
    tcase_add_test(tcase, a_broker_gives_its_leaderships_away_before_it_ends);
    tcase_add_test(tcase, a_broker_that_was_killed_may_have_lost_what_was_cached);
    tcase_add_test(tcase, the_quorums_leader_hands_over_before_it_ends);
    tcase_add_test(tcase, the_last_ones_end_without_leave);
    tcase_add_test(tcase, a_broker_whose_others_do_not_answer_ends_all_the_same);
    tcase_add_loop_test(tcase, a_node_waits_for_a_snapshot_under_way_before_it_ends, 0, 5);
    tcase_add_test(tcase, a_node_that_ends_in_order_is_proven_dead);
    suite_add_tcase(suite, tcase);
}
