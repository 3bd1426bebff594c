/* SPDX-License-Identifier: Apache-2.0 */
#include "core/broker_state.h"
#include "tests/sim/story.h"

static void turn(struct story *story)
{
    story_step(story, (struct event){.kind = EVENT_TURN_END}, NULL, 0);
}

START_TEST(within_the_limits)
{
    struct story story;
    story_begin(&story, &judge_limits);
    story_topic(&story, "orders", 1, NULL, NULL);
    story_broker(&story);
    turn(&story);
    struct exchange *exchange =
        story_fetch(&story, "orders", 0, 0, story_batch(&story, 0, 3, 'a'), 3);
    story_request(exchange, fetch_request)->max_bytes = 1; /* the first batch comes whole */
    story_exchanged(&story, exchange);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 2);
    story_end(&story);
}
END_TEST

START_TEST(a_budget_that_is_passed)
{
    struct story story;
    story_begin(&story, &judge_limits);
    story_broker(&story);
    struct memory *memory = broker_memory(story.host->broker);
    const uint64_t used = memory->used_bytes[MEMORY_RECEIVE];
    memory->limit_bytes[MEMORY_RECEIVE] = 100;
    memory->used_bytes[MEMORY_RECEIVE] = 101;
    turn(&story);
    memory->used_bytes[MEMORY_RECEIVE] = used;
    ck_assert(story_objects(&story, "101 bytes of received requests"));
    story_end(&story);
}
END_TEST

START_TEST(too_many_connections)
{
    struct story story;
    story_begin(&story, &judge_limits);
    story_broker(&story);
    story.host->broker->limits.connections = 3;
    story.host->broker->sessions_count = 4;
    turn(&story);
    story.host->broker->sessions_count = 0;
    ck_assert(story_objects(&story, "4 connections"));
    story_end(&story);
}
END_TEST

START_TEST(more_bytes_than_were_asked_for)
{
    struct story story;
    story_begin(&story, &judge_limits);
    story_topic(&story, "orders", 1, NULL, NULL);
    const struct span two =
        story_join(&story, story_batch(&story, 0, 1, 'a'), story_batch(&story, 1, 1, 'b'));
    struct exchange *exchange = story_fetch(&story, "orders", 0, 0, two, 2);
    story_request(exchange, fetch_request)->topics->partitions->partition_max_bytes = 10;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "asked for 10 at most"));
    story_end(&story);
}
END_TEST

SUITE(judge_limits)
{
    TCase *tcase = tcase_create("limits");
    tcase_add_test(tcase, within_the_limits);
    tcase_add_test(tcase, a_budget_that_is_passed);
    tcase_add_test(tcase, too_many_connections);
    tcase_add_test(tcase, more_bytes_than_were_asked_for);
    suite_add_tcase(suite, tcase);
}
