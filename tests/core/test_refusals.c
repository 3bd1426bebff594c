/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are refused by the thousand do not fill the log. */
#include "core/refusals.h"

#include "core/base/format.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

static struct node node;

static void start(void)
{
    node_init(&node, 7, NULL);
    ck_assert(node_start(&node));
    world_advance_ms(node.world, 5000);
    world_run(node.world);
    world_reset_counts(node.world);
}

static void end(void)
{
    node_free(&node);
}

/* Connections that each send what is no request. */
static void refuse(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t connection = world_connect(node.world, 0);
        world_client_send(node.world, connection, SPAN("GET / HTTP/1.1\r\n\r\n"));
        world_run(node.world);
        ck_assert(world_client_is_closed(node.world, connection));
    }
}

static void advance(int64_t ms)
{
    world_advance_ms(node.world, ms);
    world_run(node.world);
}

/* `waves` of refusals, each followed by a pause; the lines that the log has then. */
static const struct {
    const char *name;
    struct {
        uint32_t refused;
        int64_t pause_ms;
        uint64_t lines; /* in all, after the pause */
    } waves[4];
} tales[] = {
    {"few are told one by one", {{1, 100, 1}, {8, 100, 9}, {1, 5000, 10}}},
    {"many are told in one line when the second is over",
     {{10, 100, 10}, {1, 100, 10}, {400, 100, 10}, {0, 1000, 11}}},
    {"the next second begins anew", {{12, 1000, 11}, {3, 10, 14}, {7, 10, 21}, {1, 1000, 22}}},
    {"a second without too many ends without a word", {{9, 1500, 9}, {9, 1500, 18}, {2, 0, 20}}},
    {"a second begins with the first that is told", {{5, 900, 5}, {5, 200, 10}, {10, 10, 20}}},
};

START_TEST(lines_are_few)
{
    start();
    for (size_t i = 0; i < sizeof(tales[_i].waves) / sizeof(tales[_i].waves[0]); i++) {
        refuse(tales[_i].waves[i].refused);
        advance(tales[_i].waves[i].pause_ms);
        if (tales[_i].waves[i].refused + tales[_i].waves[i].pause_ms > 0)
            ck_assert_msg(world_count(node.world, EFFECT_LOG) == tales[_i].waves[i].lines,
                          "%s: %d lines after wave %d", tales[_i].name,
                          (int)world_count(node.world, EFFECT_LOG), (int)i);
    }
    end();
}
END_TEST

START_TEST(the_number_is_told)
{
    start();
    refuse(REFUSALS_TOLD_MAX + 123);
    ck_assert(!world_logged(node.world, "more connections"));
    advance(1000);
    ck_assert(world_logged(node.world, "closed 123 more connections within a second"));
    refuse(REFUSALS_TOLD_MAX + 7);
    advance(1000);
    ck_assert(world_logged(node.world, "closed 7 more connections within a second"));
    end();
}
END_TEST

START_TEST(a_quiet_broker_sets_no_timer)
{
    start();
    const uint64_t before_us = world_next_timer_us(node.world);
    refuse(REFUSALS_TOLD_MAX);
    ck_assert_uint_eq(world_next_timer_us(node.world), before_us);
    refuse(1);
    ck_assert_uint_lt(world_next_timer_us(node.world), before_us);
    advance(1000);
    ck_assert_uint_eq(world_next_timer_us(node.world), before_us);
    end();
}
END_TEST

SUITE(refusals)
{
    TCase *tcase = tcase_create("refusals");
    tcase_add_loop_test(tcase, lines_are_few, 0, sizeof(tales) / sizeof(tales[0]));
    tcase_add_test(tcase, the_number_is_told);
    tcase_add_test(tcase, a_quiet_broker_sets_no_timer);
    suite_add_tcase(suite, tcase);
}
