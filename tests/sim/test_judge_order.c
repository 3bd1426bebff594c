/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/story.h"

START_TEST(replies_in_order)
{
    struct story story;
    story_begin(&story, &judge_order);
    struct exchange *first = story_exchange(&story, API_METADATA, 12);
    struct exchange *second = story_exchange(&story, API_METADATA, 12);
    struct exchange *elsewhere = story_exchange(&story, API_METADATA, 12);
    elsewhere->connection = 2;
    story_ask(&story, first);
    story_ask(&story, second);
    story_exchanged(&story, elsewhere);
    story_reply(&story, first);
    story_reply(&story, second);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 3);
    story_end(&story);
}
END_TEST

START_TEST(a_reply_that_overtakes)
{
    struct story story;
    story_begin(&story, &judge_order);
    struct exchange *first = story_exchange(&story, API_METADATA, 12);
    struct exchange *second = story_exchange(&story, API_METADATA, 12);
    story_ask(&story, first);
    story_exchanged(&story, second);
    story_reply(&story, first);
    ck_assert(story_objects(&story, "comes after that"));
    story_end(&story);
}
END_TEST

START_TEST(a_reply_that_nobody_asked_for)
{
    struct story story;
    story_begin(&story, &judge_order);
    struct exchange *silent = story_produce(&story, "orders", 0, 0, SPAN_NULL, 0);
    silent->has_reply = false;
    story_exchanged(&story, silent);
    ck_assert(story_objects(&story, "acks=0"));
    story_end(&story);
}
END_TEST

SUITE(judge_order)
{
    TCase *tcase = tcase_create("order");
    tcase_add_test(tcase, replies_in_order);
    tcase_add_test(tcase, a_reply_that_overtakes);
    tcase_add_test(tcase, a_reply_that_nobody_asked_for);
    suite_add_tcase(suite, tcase);
}
