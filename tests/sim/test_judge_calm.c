/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"
#include "tests/sim/story.h"

static void answered(struct story *story, int16_t error, uint64_t takes_us)
{
    struct exchange *exchange =
        story_produce(story, "orders", 0, -1, story_batch(story, 0, 1, 'a'), 0);
    story_response(exchange, produce_response)->responses->partition_responses->error_code = error;
    exchange->client = 0;
    story_ask(story, exchange);
    story->sim.now_us += takes_us;
    story_reply(story, exchange);
}

START_TEST(what_is_expected)
{
    struct story story;
    story_begin(&story, &judge_calm);
    answered(&story, ERR_NONE, 1000);
    answered(&story, ERR_UNKNOWN_TOPIC_OR_PARTITION, 999000);
    struct exchange *fetch = story_fetch(&story, "orders", 0, 0, SPAN(""), 0);
    struct exchange *behind = story_exchange(&story, API_HEARTBEAT, 4);
    story_request(fetch, fetch_request)->max_wait_ms = 5000;
    fetch->client = behind->client = 0;
    story_ask(&story, fetch);
    story_ask(&story, behind);
    story.sim.now_us += 5500000;
    story_reply(&story, fetch);
    story.sim.now_us += 900000;
    story_reply(&story, behind);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 4);
    story_end(&story);
}
END_TEST

START_TEST(an_error_without_a_reason)
{
    struct story story;
    story_begin(&story, &judge_calm);
    answered(&story, ERR_KAFKA_STORAGE_ERROR, 1000);
    ck_assert(story_objects(&story, "KAFKA_STORAGE_ERROR"));
    story_end(&story);
}
END_TEST

START_TEST(a_late_reply)
{
    struct story story;
    story_begin(&story, &judge_calm);
    answered(&story, ERR_NONE, 1100000);
    ck_assert(story_objects(&story, "took 1100000 us"));
    story_end(&story);
}
END_TEST

START_TEST(a_bound_of_the_scenario)
{
    struct story story;
    story_begin(&story, &judge_calm);
    story.scenario.expect.latency_ms_most = 10;
    story.scenario.expect.errors_allowed = true;
    answered(&story, ERR_KAFKA_STORAGE_ERROR, 9000);
    ck_assert(story_passes(&story));
    answered(&story, ERR_NONE, 11000);
    ck_assert(story_objects(&story, "took 11000 us"));
    story_end(&story);
}
END_TEST

SUITE(judge_calm)
{
    TCase *tcase = tcase_create("calm");
    tcase_add_test(tcase, what_is_expected);
    tcase_add_test(tcase, an_error_without_a_reason);
    tcase_add_test(tcase, a_late_reply);
    tcase_add_test(tcase, a_bound_of_the_scenario);
    suite_add_tcase(suite, tcase);
}
