/* SPDX-License-Identifier: Apache-2.0 */
/* Who lives, who died, and who is only silent. */
#include <string.h>

#include "tests/core/peer/rig.h"

static void start_both(void)
{
    rig_start(1);
    rig_start(2);
    rig_know(1, 2);
    rig_know(2, 1);
    rig_advance(200);
}

static struct uuid incarnation_told(const struct rig_node *node, int kind)
{
    for (uint32_t i = 0; i < node->told_count; i++) {
        if ((int)node->told[i].kind == kind)
            return node->told[i].incarnation;
    }
    return (struct uuid){{0}};
}

/* A day without a word but heartbeats. */
START_TEST(an_idle_cluster_is_calm)
{
    for (int32_t id = 1; id <= RIG_NODES; id++)
        rig_start(id);
    for (int32_t a = 1; a <= RIG_NODES; a++) {
        for (int32_t b = 1; b <= RIG_NODES; b++)
            rig_know(a, b);
    }
    rig_advance(60000);
    for (int32_t id = 1; id <= RIG_NODES; id++) {
        ck_assert_uint_eq(rig_nodes[id].told_count, RIG_NODES - 1); /* up, each other */
        ck_assert_uint_ge(rig_heard_us(&rig_nodes[id], id % RIG_NODES + 1) + HEARTBEAT_MS * 1000,
                          world_now_us(rig_nodes[id].world));
    }
    /* Two for each interval and node: its own, and the answers to others. */
    ck_assert_uint_le(world_count(rig_nodes[1].world, EFFECT_SEND), 4 * 130);
}
END_TEST

/* A link that only one side wants is enough for both to know that the other lives. */
START_TEST(one_link_tells_both)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    rig_know(1, 2);
    rig_advance(60000);
    ck_assert_uint_eq(a->told_count, 1);
    ck_assert_uint_eq(b->told_count, 0);
    ck_assert_uint_ge(rig_heard_us(b, 1) + 1000000, world_now_us(b->world));
    ck_assert_uint_eq(rig_heard_us(b, 3), 0);
}
END_TEST

START_TEST(a_process_that_ended_is_proven_dead_at_once)
{
    start_both();
    const struct uuid incarnation = rig_nodes[2].identity.incarnation;
    rig_kill(2);
    rig_advance(10);
    const struct rig_node *a = &rig_nodes[1];
    ck_assert_uint_eq(rig_count(a, TOLD_DOWN, 2), 1);
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 1);
    ck_assert(uuid_equal(incarnation_told(a, TOLD_DIED), incarnation));
    rig_advance(10000);
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 1);
    ck_assert_uint_eq(rig_count(a, TOLD_SILENT, 2), 0);
}
END_TEST

START_TEST(another_process_in_its_place_proves_it_too)
{
    start_both();
    const struct uuid incarnation = rig_nodes[2].identity.incarnation;
    /* The connections of the first one are still there, as after a loss of power. */
    world_hold(rig_nodes[1].world, EFFECT_WATCH, NULL);
    rig_kill(2);
    rig_start(2);
    rig_know(2, 1);
    world_release(rig_nodes[1].world);
    rig_advance(100);
    const struct rig_node *a = &rig_nodes[1];
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 1);
    ck_assert(uuid_equal(incarnation_told(a, TOLD_DIED), incarnation));
    rig_advance(5000);
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 1);
    ck_assert(rig_is_up(a, 2) && rig_is_up(&rig_nodes[2], 1));
}
END_TEST

/* A dial that is refused proves nothing of a node that never listened there. */
START_TEST(a_wrong_address_proves_nothing)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    peers_know(a->peers, 2, SPAN("n2"), RIG_PORT + 1);
    rig_know(2, 1);
    rig_advance(5000);
    ck_assert(rig_is_up(b, 1));
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 0);
    ck_assert_uint_eq(rig_count(a, TOLD_SILENT, 2), 0);
}
END_TEST

START_TEST(a_process_that_stands_still_is_silent)
{
    start_both();
    struct rig_node *a = &rig_nodes[1];
    for (int i = 0; i < 30; i++) {
        world_advance_ms(a->world, 100);
    }
    ck_assert_uint_eq(rig_count(a, TOLD_SILENT, 2), 1);
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 0);
    /* It wakes, and is heard of again. */
    rig_advance(3000);
    ck_assert_uint_eq(rig_count(a, TOLD_SILENT, 2), 1);
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 0);
    ck_assert(rig_is_up(a, 2) && rig_is_up(&rig_nodes[2], 1));
    ck_assert(world_logged(a->world, "a node is heard again: node=2"));
}
END_TEST

/* A machine that is away neither refuses nor answers. */
START_TEST(no_way_proves_nothing)
{
    start_both();
    struct rig_node *a = &rig_nodes[1];
    world_fail(a->world, EFFECT_CONNECT, NULL, 0, 1000, ERR_IO, 0);
    world_cut(a->world);
    rig_advance(500);
    ck_assert_uint_eq(rig_count(a, TOLD_DOWN, 2), 1);
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 0);
    world_mend(a->world);
    rig_advance(1500);
    ck_assert(rig_is_up(a, 2));
    ck_assert_uint_eq(rig_count(a, TOLD_SILENT, 2), 0);
}
END_TEST

SUITE(peer_life)
{
    TCase *tcase = tcase_create("life");
    tcase_add_checked_fixture(tcase, rig_begin, rig_end);
    tcase_add_test(tcase, an_idle_cluster_is_calm);
    tcase_add_test(tcase, one_link_tells_both);
    tcase_add_test(tcase, a_process_that_ended_is_proven_dead_at_once);
    tcase_add_test(tcase, another_process_in_its_place_proves_it_too);
    tcase_add_test(tcase, a_wrong_address_proves_nothing);
    tcase_add_test(tcase, a_process_that_stands_still_is_silent);
    tcase_add_test(tcase, no_way_proves_nothing);
    suite_add_tcase(suite, tcase);
}
