/* SPDX-License-Identifier: Apache-2.0 */
/* Links that come up, carry messages, fill up, end and come again. */
#include "tests/core/peer/rig.h"

START_TEST(two_nodes_dial_each_other)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    rig_know(1, 2);
    rig_know(2, 1);
    rig_know(1, 1); /* itself: nothing happens */
    rig_advance(100);
    ck_assert_uint_eq(a->told_count, 1);
    ck_assert_uint_eq(b->told_count, 1);
    ck_assert(rig_is_up(a, 2) && rig_is_up(b, 1));
    ck_assert(world_logged(a->world, "a link is up: node=2 host=n2 port=9093"));
    ck_assert_uint_eq(world_count(a->world, EFFECT_CONNECT), 1);
}
END_TEST

/* A node that is to be told something has to be known; one that only tells need not be. */
START_TEST(messages_go_one_way)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    ck_assert_int_eq(rig_send(a, 2, 10), ERR_CLOSED);
    rig_know(1, 2);
    ck_assert_int_eq(rig_send(a, 2, 10), ERR_CLOSED);
    rig_advance(100);
    ck_assert_int_eq(rig_send(a, 2, 10), ERR_NONE);
    ck_assert_int_eq(rig_send(b, 1, 10), ERR_CLOSED);
    rig_run();
    ck_assert_uint_eq(b->received_count, 1);
    ck_assert_uint_eq(b->received_bytes, 10);
    ck_assert_int_eq(b->received_type, RIG_PAYLOAD);
    ck_assert_uint_eq(a->received_count, 0);
}
END_TEST

/* Whatever their size, and however little comes at a time. */
START_TEST(messages_come_whole_and_in_order)
{
    static const uint32_t sizes[] = {0, 1, 100, 4096, 70000, 1000000, 3, 262144};
    static const size_t pieces[] = {0, 1000, 65536, 17};
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    uint64_t bytes = 0;
    uint32_t count = 0;
    rig_know(1, 2);
    rig_advance(100);
    for (size_t piece = 0; piece < sizeof(pieces) / sizeof(pieces[0]); piece++) {
        world_set_receive_max(b->world, pieces[piece]);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            const uint32_t size = pieces[piece] == 17 ? sizes[i] / 100 : sizes[i];
            ck_assert_int_eq(rig_send(a, 2, size), ERR_NONE);
            bytes += size;
            count++;
        }
        rig_run();
        ck_assert_uint_eq(b->received_count, count);
        ck_assert_uint_eq(b->received_bytes, bytes);
    }
    ck_assert_uint_eq(a->memory.used_bytes[MEMORY_PEER_SEND], 0);
    ck_assert_uint_eq(b->memory.used_bytes[MEMORY_PEER_RECEIVE], 0);
}
END_TEST

/* What one turn brought leaves in one send. */
START_TEST(messages_of_a_turn_are_gathered)
{
    struct rig_node *a = rig_start(1);
    rig_start(2);
    rig_know(1, 2);
    rig_advance(100);
    world_reset_counts(a->world);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(rig_send(a, 2, 100), ERR_NONE);
    rig_run();
    ck_assert_uint_eq(world_count(a->world, EFFECT_SEND), 1);
}
END_TEST

START_TEST(a_full_link_tells_when_there_is_room)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    uint32_t count = 0;
    rig_know(1, 2);
    rig_advance(100);
    world_hold(a->world, EFFECT_SEND, NULL);
    while (rig_send(a, 2, 1000000) == ERR_NONE)
        count++;
    ck_assert_uint_ge(count, 5);
    ck_assert_uint_le(count, 20);
    ck_assert_int_eq(rig_send(a, 2, 1000000), ERR_LIMIT);
    rig_run();
    ck_assert_uint_eq(rig_count(a, TOLD_DRAINED, 2), 0);
    world_release(a->world);
    rig_run();
    ck_assert_uint_eq(rig_count(a, TOLD_DRAINED, 2), 1);
    ck_assert_uint_eq(b->received_count, count);
    ck_assert_int_eq(rig_send(a, 2, 1000000), ERR_NONE);
}
END_TEST

/* One larger than all that may wait has room when nothing else does. */
START_TEST(a_large_message_has_room)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    rig_know(1, 2);
    rig_advance(100);
    ck_assert_int_eq(rig_send(a, 2, 15 * 1024 * 1024), ERR_NONE);
    rig_run();
    ck_assert_uint_eq(b->received_bytes, 15 * 1024 * 1024);
}
END_TEST

/* Past the budget nothing is received, until what was taken is given back. */
START_TEST(a_receiver_without_memory_waits)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    b->memory.limit_bytes[MEMORY_PEER_RECEIVE] = 1500000;
    b->keeps = true;
    rig_know(1, 2);
    rig_advance(100);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(rig_send(a, 2, 500000), ERR_NONE);
    rig_advance(5000);
    ck_assert_uint_lt(b->received_count, 6);
    ck_assert_uint_ge(b->received_count, 1);
    ck_assert_uint_eq(rig_count(a, TOLD_DOWN, 2), 0);
    while (b->kept_count > 0) {
        for (uint32_t i = 0; i < b->kept_count; i++)
            buffer_release(b->kept[i]);
        b->kept_count = 0;
        rig_advance(1000);
    }
    ck_assert_uint_eq(b->received_count, 6);
}
END_TEST

START_TEST(a_link_that_was_cut_comes_again_at_once)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    rig_know(1, 2);
    rig_know(2, 1);
    rig_advance(3000);
    world_cut(a->world);
    rig_advance(10);
    ck_assert_uint_eq(rig_count(a, TOLD_DOWN, 2), 1);
    ck_assert_uint_eq(rig_count(a, TOLD_UP, 2), 2);
    ck_assert(rig_is_up(b, 1));
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2) + rig_count(b, TOLD_DIED, 1), 0);
    ck_assert_int_eq(rig_send(a, 2, 10), ERR_NONE);
    rig_run();
    ck_assert_uint_eq(b->received_bytes, 10);
}
END_TEST

/* Messages of a link that ended are lost, and given back. */
START_TEST(what_waits_is_lost_with_the_link)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    rig_know(1, 2);
    rig_advance(100);
    world_hold(a->world, EFFECT_SEND, NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rig_send(a, 2, 500000), ERR_NONE);
    rig_run();
    ck_assert_int_eq(rig_send(a, 2, 10), ERR_NONE);
    world_cut(a->world);
    rig_run();
    world_release(a->world);
    rig_advance(2000);
    ck_assert_uint_eq(b->received_count, 0);
    ck_assert_uint_eq(a->memory.used_bytes[MEMORY_PEER_SEND], 0);
    ck_assert(rig_is_up(a, 2));
}
END_TEST

/* Dials in vain come further and further apart, up to a second; they are told once. */
START_TEST(a_node_that_is_not_there)
{
    struct rig_node *a = rig_start(1);
    rig_know(1, 2);
    rig_advance(10000);
    ck_assert_uint_ge(world_count(a->world, EFFECT_CONNECT), 10);
    ck_assert_uint_le(world_count(a->world, EFFECT_CONNECT), 30);
    ck_assert_uint_eq(a->told_count, 0);
    ck_assert(world_logged(a->world, "a node cannot be reached: node=2 host=n2 port=9093"));
    ck_assert_uint_le(world_count(a->world, EFFECT_LOG), 1);
    rig_start(2);
    rig_advance(1100);
    ck_assert(rig_is_up(a, 2));
}
END_TEST

START_TEST(another_address)
{
    struct rig_node *a = rig_start(1);
    rig_start(2);
    peers_know(a->peers, 2, SPAN("nowhere"), RIG_PORT);
    rig_advance(3000);
    ck_assert(!rig_is_up(a, 2));
    rig_know(1, 2);
    rig_advance(50);
    ck_assert(rig_is_up(a, 2));
    rig_know(1, 2);
    rig_advance(3000);
    ck_assert_uint_eq(a->told_count, 1);
    peers_know(a->peers, 2, SPAN("nowhere"), RIG_PORT);
    rig_advance(3000);
    ck_assert(!rig_is_up(a, 2));
    ck_assert_uint_eq(rig_count(a, TOLD_DIED, 2), 0);
}
END_TEST

START_TEST(a_node_says_where_it_is_reached)
{
    rig_nodes[2].says_where = true;
    struct rig_node *a = rig_start(1);
    rig_start(2);
    rig_start(3);
    rig_know(2, 1);
    rig_know(3, 1);
    rig_advance(1000);
    ck_assert(rig_is_up(a, 2));
    ck_assert(!rig_is_up(a, 3));
}
END_TEST

/* What is known of it otherwise counts. */
START_TEST(a_node_cannot_say_where_another_is_reached)
{
    rig_nodes[2].says_where = true;
    struct rig_node *a = rig_start(1);
    peers_know(a->peers, 2, SPAN("nowhere"), RIG_PORT);
    rig_start(2);
    rig_know(2, 1);
    rig_advance(3000);
    ck_assert(!rig_is_up(a, 2));
    rig_know(1, 2);
    rig_advance(3000);
    ck_assert(rig_is_up(a, 2));
}
END_TEST

START_TEST(after_the_stop_nothing_is_told)
{
    struct rig_node *a = rig_start(1);
    struct rig_node *b = rig_start(2);
    rig_know(1, 2);
    rig_know(2, 1);
    rig_know(1, 3);
    rig_advance(1000);
    const uint32_t told = a->told_count;
    const uint64_t connects = world_count(a->world, EFFECT_CONNECT);
    peers_stop(a->peers);
    peers_know(a->peers, 3, SPAN("n2"), RIG_PORT);
    rig_advance(5000);
    ck_assert_uint_eq(a->told_count, told);
    ck_assert_uint_le(world_count(a->world, EFFECT_CONNECT), connects + 1);
    ck_assert(!rig_is_up(b, 1));
    ck_assert_uint_eq(world_next_timer_us(a->world), TIMER_NEVER);
}
END_TEST

SUITE(peer_links)
{
    TCase *tcase = tcase_create("links");
    tcase_add_checked_fixture(tcase, rig_begin, rig_end);
    tcase_add_test(tcase, two_nodes_dial_each_other);
    tcase_add_test(tcase, messages_go_one_way);
    tcase_add_test(tcase, messages_come_whole_and_in_order);
    tcase_add_test(tcase, messages_of_a_turn_are_gathered);
    tcase_add_test(tcase, a_full_link_tells_when_there_is_room);
    tcase_add_test(tcase, a_large_message_has_room);
    tcase_add_test(tcase, a_receiver_without_memory_waits);
    tcase_add_test(tcase, a_link_that_was_cut_comes_again_at_once);
    tcase_add_test(tcase, what_waits_is_lost_with_the_link);
    tcase_add_test(tcase, a_node_that_is_not_there);
    tcase_add_test(tcase, another_address);
    tcase_add_test(tcase, a_node_says_where_it_is_reached);
    tcase_add_test(tcase, a_node_cannot_say_where_another_is_reached);
    tcase_add_test(tcase, after_the_stop_nothing_is_told);
    suite_add_tcase(suite, tcase);
}
