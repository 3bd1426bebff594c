/* SPDX-License-Identifier: Apache-2.0 */
/* Whole brokers of one cluster, each in a world of its own. */
#include <stdio.h>
#include <string.h>

#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/lease.h"
#include "core/meta/identity.h"
#include "core/meta/quorum_internal.h"
#include "core/meta/topics.h"
#include "core/peer/message.h"
#include "core/peer/peers.h"
#include "core/records/builder.h"
#include "core/wire/error.h"
#include "tests/support/client.h"
#include "tests/support/node.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

#define CLIENTS 0 /* listeners, by their numbers */
#define PEERS   1

#define TYPE_PROPOSE (PEER_MESSAGE_FIRST + 32)

static struct node nodes[3]; /* by id */

static void init(int32_t id, const char *cluster_id)
{
    const char *const settings[] = {
        "node.id",
        id == 1 ? "1" : "2",
        "listeners",
        "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
        "controller.listener.names",
        "CONTROLLER",
        "controller.quorum.voters",
        "1@n1:9093,2@n2:9093",
        "metadata.log.max.record.bytes.between.snapshots",
        "2000",
        NULL,
    };
    node_init(&nodes[id], (uint64_t)id, settings);
    node_format(&nodes[id], id, cluster_id);
}

static void begin(void)
{
    init(1, "the-cluster");
    init(2, "the-cluster");
    world_add_host(nodes[1].world, "n2", nodes[2].world);
    world_add_host(nodes[2].world, "n1", nodes[1].world);
}

static void end(void)
{
    node_free(&nodes[1]);
    node_free(&nodes[2]);
}

/* Time goes by for both, as far as they run. */
static void advance(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 10) {
        for (int32_t id = 1; id <= 2; id++) {
            if (nodes[id].broker != NULL)
                world_advance_ms(nodes[id].world, 10);
        }
    }
}

/* It ends in order, which takes others that go on. */
static void end_in_order(int32_t id)
{
    world_stop(nodes[id].world);
    for (int32_t turns = 0; turns < 100 && !world_is_stopped(nodes[id].world); turns++)
        advance(10);
    node_stop(&nodes[id]);
}

/* It takes part in its cluster, and serves once that has formed. */
static void begin_to_run(int32_t id)
{
    node_start(&nodes[id]);
    ck_assert(!world_is_stopped(nodes[id].world));
}

static bool is_ready(int32_t id)
{
    return world_is_ready(nodes[id].world) && !world_is_stopped(nodes[id].world);
}

static bool logged(int32_t id, const char *part)
{
    return world_logged(nodes[id].world, part);
}

START_TEST(nodes_of_a_cluster_find_each_other)
{
    begin_to_run(1);
    advance(3000);
    ck_assert(logged(1, "a node cannot be reached: node=2"));
    begin_to_run(2);
    advance(3000);
    ck_assert(logged(1, "a link is up: node=2 host=n2 port=9093"));
    ck_assert(logged(2, "a link is up: node=1 host=n1 port=9093"));
    advance(30000);
    ck_assert(!logged(1, "silent") && !logged(2, "silent"));
    ck_assert(!logged(1, "a link ended") && !logged(2, "a link ended"));
}
END_TEST

/* A topic that a node wants; its answer may never come. */
static struct wish {
    struct meta_proposal proposal;
    struct broker *broker;
    struct span name;
} wishes[4];

static int wish_prepare(struct meta_proposal *proposal, const struct image *image,
                        struct meta_writer *writer)
{
    struct wish *wish = container_of(proposal, struct wish, proposal);
    struct topic_creation topic = {.name = wish->name, .partitions = 1, .replication_factor = 1};
    struct topics_context context;
    struct arena arena;
    arena_init(&arena, &wish->broker->memory, MEMORY_STATE, (size_t)1 << 20);
    topics_begin(&context, image, wish->broker->conf, &wish->broker->io.rng, &arena, writer);
    const int error = topics_create(&context, &topic);
    topics_end(&context);
    arena_reset(&arena);
    return error;
}

static void wish_done(struct meta_proposal *proposal, int error)
{
    (void)error;
    container_of(proposal, struct wish, proposal)->name = SPAN_NULL;
}

/* Another wish than those before. */
static void wish(uint32_t number, int32_t id, const char *topic)
{
    wishes[number] = (struct wish){
        .proposal = {.prepare = wish_prepare, .done = wish_done},
        .broker = nodes[id].broker,
        .name = span_text(topic),
    };
    controller_propose(nodes[id].broker->controller, &wishes[number].proposal);
}

static bool is_granted(uint32_t number)
{
    return span_is_null(wishes[number].name);
}

static bool has_topic(int32_t id, const char *name)
{
    return image_topic(&nodes[id].broker->image, span_text(name)) != NULL;
}

START_TEST(nothing_is_served_before_every_voter_is_there)
{
    begin_to_run(1);
    advance(20000);
    ck_assert(!is_ready(1));
    begin_to_run(2);
    advance(5000);
    ck_assert(is_ready(1) && is_ready(2));
    ck_assert_uint_eq(image_live_brokers(&nodes[1].broker->image), 2);
    const struct meta_broker *known = image_broker(&nodes[1].broker->image, 2);
    ck_assert_uint_eq(known->directories_count, 1);
    ck_assert(
        uuid_equal(known->directories[0], identity_directory_id(nodes[2].broker->identity, 0)));
    ck_assert_uint_eq(image_digest(&nodes[1].broker->image), image_digest(&nodes[2].broker->image));
}
END_TEST

START_TEST(any_node_changes_the_metadata_of_all)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    wish(0, 1, "one");
    wish(1, 2, "two");
    wish(2, 1, "three");
    advance(1000);
    ck_assert(is_granted(0) && is_granted(1) && is_granted(2));
    for (int32_t id = 1; id <= 2; id++)
        ck_assert(has_topic(id, "one") && has_topic(id, "two") && has_topic(id, "three"));
}
END_TEST

START_TEST(half_of_the_voters_change_nothing)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    node_kill(&nodes[2]);
    wish(0, 1, "alone");
    advance(10000);
    ck_assert(!is_granted(0) && !has_topic(1, "alone"));
    begin_to_run(2);
    advance(5000);
    ck_assert(is_ready(2));
    ck_assert(has_topic(1, "alone") == has_topic(2, "alone"));
    wish(1, 2, "together");
    advance(1000);
    ck_assert(is_granted(0) && is_granted(1));
    ck_assert(has_topic(1, "together") && has_topic(2, "together"));
}
END_TEST

START_TEST(a_node_that_waits_for_the_others_ends_when_told)
{
    begin_to_run(1);
    advance(1000);
    node_stop(&nodes[1]);
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
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    end_in_order(1);
    world_hold(nodes[1].world, moments[_i].kind, moments[_i].path);
    begin_to_run(1);
    world_stop(nodes[1].world);
    world_run(nodes[1].world);
    world_release(nodes[1].world);
    world_run(nodes[1].world);
    ck_assert(world_is_stopped(nodes[1].world));
    node_stop(&nodes[1]);
}
END_TEST

START_TEST(a_broker_that_ended_is_fenced_and_let_in_again)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    end_in_order(2);
    advance(500);
    begin_to_run(2);
    advance(5000);
    ck_assert(is_ready(2));
    ck_assert_uint_eq(image_live_brokers(&nodes[1].broker->image), 2);
    ck_assert_uint_eq(image_live_brokers(&nodes[2].broker->image), 2);
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
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    wish(0, 1, "t");
    wishes[0].proposal.prepare = replicas_prepare;
    advance(1000);
    ck_assert(is_granted(0) && has_topic(2, "t"));
    /* A log that is not empty has to be read before it is in sync again. */
    struct client *client = client_new(nodes[1].world);
    client_send(client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(client, SPAN("t"), 1, batch_of(client, 1, SPAN("value"))));
    advance(1000);
    ck_assert_ptr_nonnull(client_take(client));
    client_free(client);
}

static const struct meta_partition *partition_on(int32_t id)
{
    return image_partition(image_topic(&nodes[id].broker->image, SPAN("t")), 0);
}

/* It serves, but catches up with nothing. */
static void begin_to_run_without_log(int32_t id)
{
    world_hold(nodes[id].world, EFFECT_OPEN, "t-0/");
    begin_to_run(id);
    advance(5000);
    ck_assert(is_ready(id));
}

static bool leads_quorum(int32_t id)
{
    return quorum_leads(controller_quorum(nodes[id].broker->controller));
}

START_TEST(a_broker_gives_its_leaderships_away_before_it_ends)
{
    begin_replicated();
    ck_assert_int_eq(partition_on(2)->leader, 1);
    ck_assert(lease_holds(nodes[1].broker));
    world_stop(nodes[1].world);
    world_run(nodes[1].world);
    /* Others may lead from now on, and it may learn of that late. */
    ck_assert_int_eq(partition_on(1)->leader, 1);
    ck_assert(!lease_holds(nodes[1].broker));
    for (int32_t turns = 0; turns < 100 && !world_is_stopped(nodes[1].world); turns++) {
        ck_assert(!image_broker(&nodes[2].broker->image, 1)->fenced);
        advance(10);
    }
    ck_assert(world_is_stopped(nodes[1].world));
    ck_assert(image_broker(&nodes[2].broker->image, 1)->is_shutting_down);
    ck_assert_int_eq(partition_on(2)->leader, 2);
    ck_assert_int_eq(partition_on(2)->elr_count, 1);
    node_stop(&nodes[1]);
    begin_to_run_without_log(1);
    ck_assert_uint_eq(image_live_brokers(&nodes[1].broker->image), 2);
    ck_assert_int_eq(partition_on(2)->elr_count, 1); /* it ended in order: it has all it had */
    world_release(nodes[1].world);
    advance(5000);
    ck_assert_int_eq(partition_on(2)->isr_count, 2);
}
END_TEST

START_TEST(a_broker_that_was_killed_may_have_lost_what_was_cached)
{
    begin_replicated();
    node_kill(&nodes[1]);
    begin_to_run_without_log(1);
    ck_assert_int_eq(partition_on(2)->leader, 2);
    ck_assert_int_eq(partition_on(2)->elr_count, 0);
    ck_assert_int_eq(partition_on(2)->isr_count, 1);
}
END_TEST

START_TEST(the_quorums_leader_hands_over_before_it_ends)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    const int32_t leader = leads_quorum(1) ? 1 : 2;
    const int32_t other = 3 - leader;
    world_stop(nodes[leader].world);
    bool served = true;
    for (int32_t turns = 0; turns < 100 && !world_is_stopped(nodes[leader].world); turns++) {
        served = served && world_is_ready(nodes[leader].world);
        advance(10);
    }
    ck_assert(served && world_is_stopped(nodes[leader].world));
    ck_assert(logged(other, "the quorum's leader asks this node to stand"));
    ck_assert(leads_quorum(other));
    ck_assert(image_broker(&nodes[other].broker->image, leader)->is_shutting_down);
}
END_TEST

/* Nobody could agree to anything. */
START_TEST(the_last_ones_end_without_leave)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    end_in_order(2);
    advance(100);
    node_stop(&nodes[1]);
}
END_TEST

START_TEST(a_broker_whose_others_do_not_answer_ends_all_the_same)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    world_stop(nodes[1].world);
    int64_t waited_ms = 0;
    for (; waited_ms < 20000 && !world_is_stopped(nodes[1].world); waited_ms += 10)
        world_advance_ms(nodes[1].world, 10);
    ck_assert(world_is_stopped(nodes[1].world));
    /* One of them is silent, at the latest, after broker.session.timeout.ms. */
    ck_assert_int_ge(waited_ms, 1000);
    ck_assert_int_le(waited_ms, 2600);
}
END_TEST

static const struct log *metadata_log(int32_t id)
{
    return wal_log(controller_quorum(nodes[id].broker->controller)->wal);
}

/* Node 2 has nothing of the metadata any more, and node 1 has a snapshot in the place of it. */
static void lose_metadata(void)
{
    static char names[8][16];
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    for (int i = 0; log_start(metadata_log(1)) == 0; i++) {
        snprintf(names[i % 8], sizeof(names[0]), "topic-%d", i);
        wish(0, 1, names[i % 8]);
        advance(100);
        ck_assert(is_granted(0) && i < 1000);
    }
    node_kill(&nodes[2]);
    world_remove(nodes[2].world, "quorum-state");
    const char *name;
    while ((name = world_name(nodes[2].world, WAL_LOG_NAME, 0)) != NULL) {
        char path[256];
        snprintf(path, sizeof(path), WAL_LOG_NAME "/%s", name);
        world_remove(nodes[2].world, path);
    }
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
    struct node *node = &nodes[moments[_i].id];
    lose_metadata();
    world_hold(node->world, moments[_i].kind, ".checkpoint");
    begin_to_run(2);
    advance(20000);
    ck_assert(!is_ready(2));
    world_stop(node->world);
    advance(20000); /* for its leave nobody is there who could agree */
    ck_assert(!world_is_stopped(node->world));
    world_release(node->world);
    advance(100);
    ck_assert(world_is_stopped(node->world));
    node_stop(node);
    begin_to_run(moments[_i].id);
    advance(20000);
    ck_assert(is_ready(1) && is_ready(2));
    ck_assert_uint_eq(image_digest(&nodes[1].broker->image), image_digest(&nodes[2].broker->image));
}
END_TEST

START_TEST(a_node_that_ends_in_order_is_proven_dead)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(3000);
    end_in_order(2);
    advance(100);
    ck_assert(logged(1, "a node's process has ended: node=2 incarnation="));
    begin_to_run(2);
    world_reset_counts(nodes[1].world);
    advance(2000);
    ck_assert(logged(1, "a link is up: node=2"));
    end_in_order(1);
}
END_TEST

START_TEST(a_node_of_another_cluster_is_refused)
{
    node_free(&nodes[2]);
    init(2, "another-cluster");
    world_add_host(nodes[2].world, "n1", nodes[1].world);
    world_add_host(nodes[1].world, "n2", nodes[2].world);
    begin_to_run(1);
    begin_to_run(2);
    advance(2000);
    ck_assert(logged(1, "a node is refused: from=127.0.0.1:40000 why=the other node's cluster.id"));
    ck_assert(logged(2, "a node refused this one: node=1 host=n1 port=9093 why=the other node's"));
    ck_assert(!logged(2, "a link is up"));
}
END_TEST

/* What follows the image's end, of the follower's term, but is no metadata: every node would fail
 * on it if it were committed. */
static void propose_rubbish(int32_t from, int32_t to, bool is_record)
{
    static const uint8_t rubbish[] = {1, 0x7e, 0, 9, 9, 9};
    const struct broker *broker = nodes[from].broker;
    struct buffer *batch = buffer_new(&nodes[from].broker->memory, MEMORY_STATE, 128);
    struct batch_builder builder;
    batch_builder_start(&builder, batch->data, 128, 0, false);
    batch_builder_add(&builder, 0, SPAN_NULL, is_record ? span_of(rubbish, 6) : SPAN_NULL);
    const size_t length = batch_builder_finish(&builder);
    const struct quorum_propose propose = {
        .term = quorum_status(controller_quorum(broker->controller)).term,
        .base_offset = broker->image.end_offset,
        .records = {NULL, length},
    };
    peers_send(broker->cluster->peers, to, TYPE_PROPOSE, &wire_quorum_propose, &propose, batch,
               span_of(batch->data, length));
    buffer_release(batch);
}

START_TEST(records_that_nobody_can_read_are_not_proposed)
{
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    const int32_t leader = leads_quorum(1) ? 1 : 2;
    const int64_t end_offset = nodes[leader].broker->image.end_offset;
    propose_rubbish(3 - leader, leader, _i == 0);
    advance(1000);
    ck_assert(logged(leader, "a proposal is no batch of metadata records"));
    ck_assert_int_eq(nodes[leader].broker->image.end_offset, end_offset);
    wish(0, 3 - leader, "afterwards");
    advance(3000);
    ck_assert(is_granted(0) && has_topic(1, "afterwards") && has_topic(2, "afterwards"));
}
END_TEST

/* It would wait for ever for those whom it cannot find. */
START_TEST(a_node_whose_log_has_other_voters_does_not_start_alone)
{
    static const char *const alone[] = {"node.id", "1", "listeners", "PLAINTEXT://localhost:9092",
                                        NULL};
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    end_in_order(1);
    node_configure(&nodes[1], alone);
    ck_assert(!node_start(&nodes[1]));
    ck_assert(world_is_stopped(nodes[1].world));
    ck_assert(logged(1, "a single node cannot go on with the metadata log of a quorum: "
                        "folder=__cluster_metadata-0 voters=2 mend="));
}
END_TEST

START_TEST(clients_and_nodes_have_listeners_of_their_own)
{
    static const uint8_t request[] = {0, 0, 0, 10, 0, 18, 0, 3, 0, 0, 0, 1, 0, 0};
    static const uint8_t hello[] = {0, 0, 0, 10, PEER_HELLO >> 8, PEER_HELLO & 0xff, 0, 3, 0, 0,
                                    0, 1, 0, 0};
    begin_to_run(1);
    begin_to_run(2);
    advance(5000);
    ck_assert(is_ready(1));
    const uint64_t client = world_connect(nodes[1].world, PEERS);
    world_client_send(nodes[1].world, client, span_of(request, sizeof(request)));
    const uint64_t node = world_connect(nodes[1].world, CLIENTS);
    world_client_send(nodes[1].world, node, span_of(hello, sizeof(hello)));
    advance(10);
    ck_assert(world_client_is_closed(nodes[1].world, client));
    ck_assert(world_client_is_closed(nodes[1].world, node));
    ck_assert(logged(1, "it is no node of a cluster: clients use other listeners"));
    ck_assert(logged(1, "it is a node of a cluster, for which there are other listeners"));
}
END_TEST

START_TEST(a_single_node_opens_no_listener_for_peers)
{
    static const char *const settings[] = {"listeners",
                                           "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
                                           "controller.listener.names", "CONTROLLER", NULL};
    struct node node;
    node_init(&node, 7, settings);
    ck_assert(node_start(&node));
    ck_assert_uint_eq(world_count(node.world, EFFECT_LISTEN), 1);
    ck_assert_uint_eq(world_count(node.world, EFFECT_CONNECT), 0);
    node_free(&node);
}
END_TEST

SUITE(cluster)
{
    TCase *tcase = tcase_create("cluster");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, nodes_of_a_cluster_find_each_other);
    tcase_add_test(tcase, nothing_is_served_before_every_voter_is_there);
    tcase_add_test(tcase, any_node_changes_the_metadata_of_all);
    tcase_add_test(tcase, half_of_the_voters_change_nothing);
    tcase_add_test(tcase, a_node_that_waits_for_the_others_ends_when_told);
    tcase_add_loop_test(tcase, a_node_ends_at_any_moment_of_its_start, 0, 5);
    tcase_add_test(tcase, a_broker_that_ended_is_fenced_and_let_in_again);
    tcase_add_test(tcase, a_broker_gives_its_leaderships_away_before_it_ends);
    tcase_add_test(tcase, a_broker_that_was_killed_may_have_lost_what_was_cached);
    tcase_add_test(tcase, the_quorums_leader_hands_over_before_it_ends);
    tcase_add_test(tcase, the_last_ones_end_without_leave);
    tcase_add_test(tcase, a_broker_whose_others_do_not_answer_ends_all_the_same);
    tcase_add_loop_test(tcase, a_node_waits_for_a_snapshot_under_way_before_it_ends, 0, 5);
    tcase_add_test(tcase, a_node_that_ends_in_order_is_proven_dead);
    tcase_add_test(tcase, a_node_of_another_cluster_is_refused);
    tcase_add_loop_test(tcase, records_that_nobody_can_read_are_not_proposed, 0, 2);
    tcase_add_test(tcase, a_node_whose_log_has_other_voters_does_not_start_alone);
    tcase_add_test(tcase, clients_and_nodes_have_listeners_of_their_own);
    tcase_add_test(tcase, a_single_node_opens_no_listener_for_peers);
    suite_add_tcase(suite, tcase);
}
