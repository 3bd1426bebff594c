/* SPDX-License-Identifier: Apache-2.0 */
#include "core/metrics.h"

#include "core/broker_state.h"
#include "tests/core/crew.h"
#include "tests/support/runner.h"

#define NODES 3
#define TOPIC SPAN("t")

static struct broker_metrics metrics_of(int32_t id)
{
    struct broker_metrics metrics;
    broker_metrics(crew_nodes[id].broker, &metrics);
    return metrics;
}

/* Three partitions on all nodes, node 1 prefers the first. */
static void begin(const char *const *settings)
{
    static const int32_t brokers[] = {1, 2, 3, 2, 3, 1, 3, 1, 2};
    crew_begin(NODES, settings, NULL);
    struct client *client = client_new(crew_nodes[1].world);
    crew_create(client, TOPIC, brokers, 3, NODES);
    client_free(client);
}

START_TEST(a_healthy_cluster)
{
    begin(NULL);
    uint32_t controllers = 0;
    for (int32_t id = 1; id <= NODES; id++) {
        const struct broker_metrics metrics = metrics_of(id);
        controllers += metrics.is_active_controller;
        ck_assert_uint_eq(metrics.active_brokers, NODES);
        ck_assert_uint_eq(metrics.fenced_brokers, 0);
        ck_assert_uint_eq(metrics.topics, 1);
        ck_assert_uint_eq(metrics.partitions, 3);
        ck_assert_uint_eq(metrics.preferred_imbalance, 0);
        ck_assert_uint_eq(metrics.replicas, 3);
        ck_assert_uint_eq(metrics.leaders, 1);
        ck_assert_uint_eq(metrics.under_replicated, 0);
        ck_assert_uint_eq(metrics.under_min_isr, 0);
        ck_assert_uint_eq(metrics.at_min_isr, 0);
        ck_assert_int_eq(metrics.current_leader, metrics_of(1).current_leader);
        ck_assert_int_ge(metrics.current_epoch, 1);
        ck_assert_int_eq(metrics.high_watermark, metrics_of(1).high_watermark);
        ck_assert_int_eq(metrics.log_end, metrics.high_watermark);
        ck_assert_int_eq(metrics.last_applied, metrics.high_watermark - 1);
        ck_assert_uint_eq(metrics.offline_folders, 0);
        ck_assert_uint_gt(metrics.memory_used_bytes[MEMORY_STATE], 0);
        for (int wait = 0; wait < LEADERLESS_WAITS; wait++)
            ck_assert_uint_eq(metrics.offline_partitions[wait], 0);
    }
    ck_assert_uint_eq(controllers, 1);
    crew_end();
}
END_TEST

/* Who leads counts what it leads: two nodes have three leaderships between them. */
START_TEST(without_one_of_three)
{
    static const char *const settings[] = {"min.insync.replicas", "2", NULL};
    begin(settings);
    crew_kill(3);
    crew_advance(5000);
    const struct broker_metrics one = metrics_of(1);
    const struct broker_metrics two = metrics_of(2);
    ck_assert_uint_eq(one.active_brokers, 2);
    ck_assert_uint_eq(one.fenced_brokers, 1);
    ck_assert_uint_eq(one.preferred_imbalance, 1);
    ck_assert_uint_eq(one.leaders, 2);
    ck_assert_uint_eq(two.leaders, 1);
    ck_assert_uint_eq(one.under_replicated, 2);
    ck_assert_uint_eq(two.under_replicated, 1);
    ck_assert_uint_eq(one.at_min_isr, 2);
    ck_assert_uint_eq(two.at_min_isr, 1);
    ck_assert_uint_eq(one.under_min_isr + two.under_min_isr, 0);
    crew_end();
}
END_TEST

/* An ISR of one is too small for two: nobody dies, they follow no more. */
START_TEST(too_few_in_sync)
{
    static const char *const settings[] = {"min.insync.replicas", "3", NULL};
    begin(settings);
    crew_kill(3);
    crew_advance(5000);
    ck_assert_uint_eq(metrics_of(1).under_min_isr, 2);
    ck_assert_uint_eq(metrics_of(1).at_min_isr, 0);
    ck_assert_uint_eq(metrics_of(2).under_min_isr, 1);
    crew_end();
}
END_TEST

START_TEST(a_node_that_is_alone)
{
    struct node node;
    node_init(&node, 1, NULL);
    node_start(&node);
    struct broker_metrics metrics;
    broker_metrics(node.broker, &metrics);
    ck_assert(metrics.is_active_controller);
    ck_assert_uint_eq(metrics.active_brokers, 1);
    ck_assert_int_eq(metrics.current_leader, 1);
    ck_assert_uint_eq(metrics.connections, 0);
    struct client *client = client_new(node.world);
    broker_metrics(node.broker, &metrics);
    ck_assert_uint_eq(metrics.connections, 1);
    client_free(client);
    node_free(&node);
}
END_TEST

SUITE(metrics)
{
    TCase *tcase = tcase_create("metrics");
    tcase_add_test(tcase, a_healthy_cluster);
    tcase_add_test(tcase, without_one_of_three);
    tcase_add_test(tcase, too_few_in_sync);
    tcase_add_test(tcase, a_node_that_is_alone);
    suite_add_tcase(suite, tcase);
}
