/* SPDX-License-Identifier: Apache-2.0 */
/* Whole brokers of one cluster, each in a world of its own. */
#include <string.h>

#include "core/meta/identity.h"
#include "core/peer/message.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

#define CLIENTS 0 /* listeners, by their numbers */
#define PEERS   1

static struct node nodes[3]; /* by id */

static void format(struct node *node, int32_t id, const char *cluster_id)
{
    char text[IDENTITY_BYTES_MAX];
    struct identity identity = {.node_id = id};
    memcpy(identity.cluster_id, cluster_id, strlen(cluster_id));
    identity.directory_id.bytes[0] = (uint8_t)id;
    identity.directory_id.bytes[6] = 0x40;
    identity.directory_id.bytes[8] = 0x80;
    const size_t length = identity_print(&identity, text, sizeof(text));
    world_put_file(node->world, IDENTITY_FILE, span_of(text, length));
}

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
        NULL,
    };
    node_init(&nodes[id], (uint64_t)id, settings);
    format(&nodes[id], id, cluster_id);
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

static bool logged(int32_t id, const char *part)
{
    return world_logged(nodes[id].world, part);
}

START_TEST(nodes_of_a_cluster_find_each_other)
{
    ck_assert(node_start(&nodes[1]));
    advance(3000);
    ck_assert(logged(1, "a node cannot be reached: node=2"));
    ck_assert(node_start(&nodes[2]));
    advance(3000);
    ck_assert(logged(1, "a link is up: node=2 host=n2 port=9093"));
    ck_assert(logged(2, "a link is up: node=1 host=n1 port=9093"));
    advance(30000);
    ck_assert(!logged(1, "silent") && !logged(2, "silent"));
    ck_assert(!logged(1, "a link ended") && !logged(2, "a link ended"));
}
END_TEST

START_TEST(a_node_that_ends_in_order_is_proven_dead)
{
    ck_assert(node_start(&nodes[1]));
    ck_assert(node_start(&nodes[2]));
    advance(3000);
    node_stop(&nodes[2]);
    advance(100);
    ck_assert(logged(1, "a node's process has ended: node=2 incarnation="));
    ck_assert(node_start(&nodes[2]));
    world_reset_counts(nodes[1].world);
    advance(2000);
    ck_assert(logged(1, "a link is up: node=2"));
    node_stop(&nodes[1]);
}
END_TEST

START_TEST(a_node_of_another_cluster_is_refused)
{
    node_free(&nodes[2]);
    init(2, "another-cluster");
    world_add_host(nodes[2].world, "n1", nodes[1].world);
    ck_assert(node_start(&nodes[1]));
    ck_assert(node_start(&nodes[2]));
    advance(2000);
    ck_assert(logged(1, "a node is refused: from=127.0.0.1:40000 why=the other node's cluster.id"));
    ck_assert(logged(2, "a node refused this one: node=1 host=n1 port=9093 why=the other node's"));
    ck_assert(!logged(2, "a link is up"));
}
END_TEST

START_TEST(clients_and_nodes_have_listeners_of_their_own)
{
    static const uint8_t request[] = {0, 0, 0, 10, 0, 18, 0, 3, 0, 0, 0, 1, 0, 0};
    static const uint8_t hello[] = {0, 0, 0, 10, PEER_HELLO >> 8, PEER_HELLO & 0xff, 0, 3, 0, 0,
                                    0, 1, 0, 0};
    ck_assert(node_start(&nodes[1]));
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
    tcase_add_test(tcase, a_node_that_ends_in_order_is_proven_dead);
    tcase_add_test(tcase, a_node_of_another_cluster_is_refused);
    tcase_add_test(tcase, clients_and_nodes_have_listeners_of_their_own);
    tcase_add_test(tcase, a_single_node_opens_no_listener_for_peers);
    suite_add_tcase(suite, tcase);
}
