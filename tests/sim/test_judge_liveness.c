/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"
#include "sim/clients.h"
#include "tests/sim/story.h"

static struct uuid orders;

/* One consumer is in the world, number 1, and the faults are over. */
static void begin(struct story *story)
{
    static struct scenario_client consumer = {.kind = CLIENT_CONSUMER, .count = 1};
    story_begin(story, &judge_liveness);
    story->scenario.clients = &consumer;
    story->scenario.clients_count = 1;
    story->sim.clients = clients_new(&story->sim);
    orders = story_topic(story, "orders", 1, NULL, NULL);
    story_phase(story, SIM_SETTLE);
}

static void end(struct story *story)
{
    clients_free(story->sim.clients);
    story_end(story);
}

static void received(struct story *story, struct exchange *exchange)
{
    story_exchanged(story, exchange);
    judges_received(story->sim.judges, exchange);
}

static void produced(struct story *story, int16_t error)
{
    struct exchange *exchange =
        story_produce(story, "orders", 0, -1, story_batch(story, 0, 1, 'a'), 0);
    story_response(exchange, produce_response)->responses->partition_responses->error_code = error;
    received(story, exchange);
}

static void fetched(struct story *story, int64_t offset, struct span records,
                    int64_t high_watermark)
{
    received(story, story_fetch(story, "orders", 0, offset, records, high_watermark));
}

static void finish(struct story *story)
{
    story_phase(story, SIM_AUDIT);
    story_phase(story, SIM_END);
}

START_TEST(everything_comes_back)
{
    struct story story;
    begin(&story);
    story.sim.now_us += 10000000;
    produced(&story, ERR_NOT_LEADER_OR_FOLLOWER);
    produced(&story, ERR_NONE);
    fetched(&story, 0, story_batch(&story, 0, 2, 'a'), 3);
    fetched(&story, 2, story_batch(&story, 2, 1, 'b'), 3);
    struct exchange *lost = story_exchange(&story, API_METADATA, 12);
    story_ask(&story, lost);
    judges_lost(story.sim.judges, lost);
    struct exchange *silent = story_produce(&story, "orders", 0, 0, SPAN_NULL, 0);
    silent->has_reply = false;
    story_ask(&story, silent);
    finish(&story);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 3);
    end(&story);
}
END_TEST

START_TEST(a_request_that_does_not_end)
{
    struct story story;
    begin(&story);
    story_ask(&story, story_exchange(&story, API_METADATA, 12));
    finish(&story);
    ck_assert(story_objects(&story, "1 requests of Metadata"));
    ck_assert_int_eq(story.sim.violation.result, SIM_LIVENESS);
    end(&story);
}
END_TEST

START_TEST(a_consumer_that_stands_still)
{
    struct story story;
    begin(&story);
    fetched(&story, 0, story_batch(&story, 0, 2, 'a'), 3);
    fetched(&story, 2, SPAN(""), 3);
    finish(&story);
    ck_assert(story_objects(&story, "client 1 stands at offset 2"));
    end(&story);
}
END_TEST

/* Its administrators still may, with what they asked for before. */
START_TEST(a_consumer_of_a_topic_that_went)
{
    struct story story;
    begin(&story);
    fetched(&story, 0, story_batch(&story, 0, 2, 'a'), 3);
    story_topic_goes(&story, orders);
    struct exchange *next = story_exchange(&story, API_METADATA, 12);
    story_ask(&story, next);
    judges_lost(story.sim.judges, next);
    finish(&story);
    ck_assert(story_passes(&story));
    end(&story);
}
END_TEST

/* Of a node that led before, say. */
START_TEST(a_reply_that_comes_late_says_nothing)
{
    struct story story;
    begin(&story);
    struct exchange *early = story_fetch(&story, "orders", 0, 0, story_batch(&story, 0, 2, 'a'), 3);
    story_ask(&story, early);
    story.sim.now_us++;
    fetched(&story, 0, story_batch(&story, 0, 3, 'a'), 3);
    story_reply(&story, early);
    judges_received(story.sim.judges, early);
    finish(&story);
    ck_assert(story_passes(&story));
    end(&story);
}
END_TEST

START_TEST(a_partition_that_takes_nothing)
{
    struct story story;
    begin(&story);
    produced(&story, ERR_NOT_LEADER_OR_FOLLOWER); /* too soon */
    story.sim.now_us += 10000000;
    finish(&story);
    ck_assert(story_passes(&story));
    story.sim.phase = SIM_SETTLE;
    produced(&story, ERR_NOT_LEADER_OR_FOLLOWER);
    finish(&story);
    ck_assert(story_objects(&story, "the last Produce ended with NOT_LEADER_OR_FOLLOWER"));
    end(&story);
}
END_TEST

START_TEST(a_machine_that_stays_down)
{
    struct story story;
    begin(&story);
    story.host->state = HOST_OFF;
    story.host->is_rotten = true;
    finish(&story);
    ck_assert(story_passes(&story));
    story.host->is_rotten = false;
    finish(&story);
    ck_assert(story_objects(&story, "n1 does not serve"));
    end(&story);
}
END_TEST

SUITE(judge_liveness)
{
    TCase *tcase = tcase_create("liveness");
    tcase_add_test(tcase, everything_comes_back);
    tcase_add_test(tcase, a_request_that_does_not_end);
    tcase_add_test(tcase, a_consumer_that_stands_still);
    tcase_add_test(tcase, a_consumer_of_a_topic_that_went);
    tcase_add_test(tcase, a_reply_that_comes_late_says_nothing);
    tcase_add_test(tcase, a_partition_that_takes_nothing);
    tcase_add_test(tcase, a_machine_that_stays_down);
    suite_add_tcase(suite, tcase);
}
