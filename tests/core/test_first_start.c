/* SPDX-License-Identifier: Apache-2.0 */
/* The first start of a broker, which may end at every effect. */
#include "tests/support/node.h"
#include "tests/support/runner.h"

/* Starts as far as so many effects go. True when that was not far enough. */
static bool start_in_part(struct node *node, uint64_t effects)
{
    world_allow(node->world, effects);
    node_start(node);
    return world_is_used_up(node->world);
}

/* A process is killed, and the next one, which takes up what it left, loses power: there is always
 * something to begin with. True when the second one was not ready yet. */
static bool starts_after(uint64_t seed, uint64_t first, uint64_t second, bool *ret_first_goes_on)
{
    struct node node;
    node_init(&node, seed, NULL);
    *ret_first_goes_on = start_in_part(&node, first);
    node_kill(&node);
    const bool goes_on = start_in_part(&node, second);
    node_power_loss(&node);
    world_allow(node.world, UINT64_MAX);
    ck_assert_msg(node_start(&node), "seed %d: after %d and %d effects", (int)seed, (int)first,
                  (int)second);
    node_free(&node);
    return goes_on;
}

START_TEST(a_first_start_may_end_anywhere)
{
    bool first_goes_on = true;
    for (uint64_t first = 0; first_goes_on; first++) {
        bool goes_on = true;
        for (uint64_t second = 0; goes_on; second++) {
            goes_on = false;
            for (uint64_t seed = 0; seed < 8; seed++)
                goes_on |= starts_after(seed, first, second, &first_goes_on);
        }
    }
}
END_TEST

/* Each node would draw another cluster id, and be a cluster of its own. */
START_TEST(a_node_of_a_cluster_does_not_start_unformatted)
{
    static const char *const settings[] = {"listeners",
                                           "PLAINTEXT://:9092,CONTROLLER://:9093",
                                           "controller.listener.names",
                                           "CONTROLLER",
                                           "controller.quorum.voters",
                                           "1@a:9093,2@b:9093",
                                           NULL};
    struct node node;
    node_init(&node, 1, settings);
    ck_assert(!node_start(&node));
    ck_assert(world_is_stopped(node.world));
    ck_assert(world_logged(node.world, "run chronik format"));
    ck_assert(span_is_null(world_file(node.world, "meta.properties")));
    node_free(&node);
}
END_TEST

SUITE(first_start)
{
    TCase *tcase = tcase_create("first_start");
    tcase_add_test(tcase, a_first_start_may_end_anywhere);
    tcase_add_test(tcase, a_node_of_a_cluster_does_not_start_unformatted);
    suite_add_tcase(suite, tcase);
}
