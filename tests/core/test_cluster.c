/* SPDX-License-Identifier: Apache-2.0 */
/* Brokers become a cluster, and stay apart from what is none of it. */
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/meta/identity.h"
#include "core/meta/quorum_internal.h"
#include "core/peer/message.h"
#include "core/peer/peers.h"
#include "core/raft/message.h"
#include "core/records/builder.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/pair.h"
#include "tests/support/runner.h"

#define CLIENTS 0 /* listeners, by their numbers */
#define PEERS   1

#define TYPE_PROPOSE (PEER_MESSAGE_FIRST + 32)

START_TEST(nodes_of_a_cluster_find_each_other)
{
    pair_run(1);
    pair_advance(3000);
    ck_assert(pair_logged(1, "a node cannot be reached: node=2"));
    pair_run(2);
    pair_advance(3000);
    ck_assert(pair_logged(1, "a link is up: node=2 host=n2 port=9093"));
    ck_assert(pair_logged(2, "a link is up: node=1 host=n1 port=9093"));
    pair_advance(30000);
    ck_assert(!pair_logged(1, "silent") && !pair_logged(2, "silent"));
    ck_assert(!pair_logged(1, "a link ended") && !pair_logged(2, "a link ended"));
}
END_TEST

START_TEST(nothing_is_served_before_every_voter_is_there)
{
    pair_run(1);
    pair_advance(20000);
    ck_assert(!pair_is_ready(1));
    pair_run(2);
    pair_advance(5000);
    ck_assert(pair_is_ready(1) && pair_is_ready(2));
    ck_assert_uint_eq(image_live_brokers(&pair[1].broker->image), 2);
    const struct meta_broker *known = image_broker(&pair[1].broker->image, 2);
    ck_assert_uint_eq(known->directories_count, 1);
    ck_assert(
        uuid_equal(known->directories[0], identity_directory_id(pair[2].broker->identity, 0)));
    ck_assert_uint_eq(image_digest(&pair[1].broker->image), image_digest(&pair[2].broker->image));
}
END_TEST

START_TEST(any_node_changes_the_metadata_of_all)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    pair_wish(0, 1, "one");
    pair_wish(1, 2, "two");
    pair_wish(2, 1, "three");
    pair_advance(1000);
    ck_assert(pair_is_granted(0) && pair_is_granted(1) && pair_is_granted(2));
    for (int32_t id = 1; id <= 2; id++)
        ck_assert(pair_has_topic(id, "one") && pair_has_topic(id, "two") &&
                  pair_has_topic(id, "three"));
}
END_TEST

START_TEST(half_of_the_voters_change_nothing)
{
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    node_kill(&pair[2]);
    pair_wish(0, 1, "alone");
    pair_advance(10000);
    ck_assert(!pair_is_granted(0) && !pair_has_topic(1, "alone"));
    pair_run(2);
    pair_advance(5000);
    ck_assert(pair_is_ready(2));
    ck_assert(pair_has_topic(1, "alone") == pair_has_topic(2, "alone"));
    pair_wish(1, 2, "together");
    pair_advance(1000);
    ck_assert(pair_is_granted(0) && pair_is_granted(1));
    ck_assert(pair_has_topic(1, "together") && pair_has_topic(2, "together"));
}
END_TEST

START_TEST(a_node_of_another_cluster_is_refused)
{
    node_free(&pair[2]);
    pair_format(2, "another-cluster");
    world_add_host(pair[2].world, "n1", pair[1].world);
    world_add_host(pair[1].world, "n2", pair[2].world);
    pair_run(1);
    pair_run(2);
    pair_advance(2000);
    ck_assert(
        pair_logged(1, "a node is refused: from=127.0.0.1:40000 why=the other node's cluster.id"));
    ck_assert(
        pair_logged(2, "a node refused this one: node=1 host=n1 port=9093 why=the other node's"));
    ck_assert(!pair_logged(2, "a link is up"));
}
END_TEST

/* What follows the image's end, of the follower's term, but is no metadata: every node would fail
 * on it if it were committed. */
static void propose_rubbish(int32_t from, int32_t to, bool is_record)
{
    static const uint8_t rubbish[] = {1, 0x7e, 0, 9, 9, 9};
    const struct broker *broker = pair[from].broker;
    struct buffer *batch = buffer_new(&pair[from].broker->memory, MEMORY_STATE, 128);
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
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    const int32_t leader = pair_leads_quorum(1) ? 1 : 2;
    const int64_t end_offset = pair[leader].broker->image.end_offset;
    propose_rubbish(3 - leader, leader, _i == 0);
    pair_advance(1000);
    ck_assert(pair_logged(leader, "a proposal is no batch of metadata records"));
    ck_assert_int_eq(pair[leader].broker->image.end_offset, end_offset);
    pair_wish(0, 3 - leader, "afterwards");
    pair_advance(3000);
    ck_assert(pair_is_granted(0) && pair_has_topic(1, "afterwards") &&
              pair_has_topic(2, "afterwards"));
}
END_TEST

/* It would wait for ever for those whom it cannot find. */
START_TEST(a_node_whose_log_has_other_voters_does_not_start_alone)
{
    static const char *const alone[] = {"node.id", "1", "listeners", "PLAINTEXT://localhost:9092",
                                        NULL};
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    pair_end_in_order(1);
    node_configure(&pair[1], alone);
    ck_assert(!node_start(&pair[1]));
    ck_assert(world_is_stopped(pair[1].world));
    ck_assert(pair_logged(1, "a single node cannot go on with the metadata log of a quorum: "
                             "folder=__cluster_metadata-0 voters=2 mend="));
}
END_TEST

START_TEST(clients_and_nodes_have_listeners_of_their_own)
{
    static const uint8_t request[] = {0, 0, 0, 10, 0, 18, 0, 3, 0, 0, 0, 1, 0, 0};
    static const uint8_t hello[] = {0, 0, 0, 10, PEER_HELLO >> 8, PEER_HELLO & 0xff, 0, 3, 0, 0,
                                    0, 1, 0, 0};
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    ck_assert(pair_is_ready(1));
    const uint64_t client = world_connect(pair[1].world, PEERS);
    world_client_send(pair[1].world, client, span_of(request, sizeof(request)));
    const uint64_t node = world_connect(pair[1].world, CLIENTS);
    world_client_send(pair[1].world, node, span_of(hello, sizeof(hello)));
    pair_advance(10);
    ck_assert(world_client_is_closed(pair[1].world, client));
    ck_assert(world_client_is_closed(pair[1].world, node));
    ck_assert(pair_logged(1, "it is no node of a cluster: clients use other listeners"));
    ck_assert(pair_logged(1, "it is a node of a cluster, for which there are other listeners"));
}
END_TEST

/* By its number behind PEER_MESSAGE_FIRST; NULL: there is none. */
static const struct wire_schema *schema_of(int32_t number)
{
    static const struct wire_schema *const others[] = {
        [32] = &wire_quorum_propose, [33] = &wire_quorum_ask,     [34] = &wire_quorum_told,
        [48] = &wire_lease_ask,      [49] = &wire_lease_granted,  [64] = &wire_replica_follow,
        [65] = &wire_replica_place,  [66] = &wire_replica_append, [67] = &wire_replica_mark,
        [68] = &wire_replica_ack,
    };
    return number < 32 ? raft_message_schema(number) : others[number];
}

/* What is sound in version 0 may be something else in the version that the link speaks. */
START_TEST(a_message_is_read_in_the_version_that_its_link_speaks)
{
    uint64_t fields[64];
    uint32_t seen = 0;
    pair_run(1);
    pair_run(2);
    pair_advance(5000);
    struct broker *broker = pair[1].broker;
    struct buffer *buffer = buffer_new(&broker->memory, MEMORY_STATE, 512);
    for (int16_t number = 0; number <= 68; number++) {
        const struct wire_schema *schema = schema_of(number);
        struct wire_writer writer = {.data = buffer->data, .capacity = buffer->capacity};
        if (schema == NULL)
            continue;
        ck_assert_uint_le(schema->size, sizeof(fields));
        wire_defaults(schema, fields);
        ck_assert_int_eq(wire_encode(schema, 0, fields, &writer), ERR_NONE);
        const struct peer_message message = {
            .node_id = 2,
            .type = (int16_t)(PEER_MESSAGE_FIRST + number),
            .version = PEER_VERSION_HIGHEST + 1,
            .body = span_of(buffer->data, writer.length),
            .buffer = buffer,
        };
        const char *why = broker->cluster->observer.received(&broker->cluster->observer, &message);
        ck_assert_msg(why != NULL && strstr(why, "malformed") != NULL, "%s", schema->name);
        seen++;
    }
    ck_assert_uint_eq(seen, 20);
    buffer_release(buffer);
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
    tcase_add_checked_fixture(tcase, pair_begin, pair_end);
    tcase_add_test(tcase, nodes_of_a_cluster_find_each_other);
    tcase_add_test(tcase, nothing_is_served_before_every_voter_is_there);
    tcase_add_test(tcase, any_node_changes_the_metadata_of_all);
    tcase_add_test(tcase, half_of_the_voters_change_nothing);
    tcase_add_test(tcase, a_node_of_another_cluster_is_refused);
    tcase_add_loop_test(tcase, records_that_nobody_can_read_are_not_proposed, 0, 2);
    tcase_add_test(tcase, a_node_whose_log_has_other_voters_does_not_start_alone);
    tcase_add_test(tcase, clients_and_nodes_have_listeners_of_their_own);
    tcase_add_test(tcase, a_message_is_read_in_the_version_that_its_link_speaks);
    tcase_add_test(tcase, a_single_node_opens_no_listener_for_peers);
    suite_add_tcase(suite, tcase);
}
