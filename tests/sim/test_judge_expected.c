/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/story.h"

static void reach(struct story *story, enum sim_phase phase)
{
    story->sim.phase = phase;
    judges_phase(story->sim.judges, phase);
}

START_TEST(what_is_expected_has_happened)
{
    struct story story;
    story_begin(&story, &judge_expected);
    story.scenario.expect = (struct scenario_expect){.acked_least = 5, .consumed_least = 7};
    story.sim.tally.counts[TALLY_acked_records] = 5;
    story.sim.tally.counts[TALLY_consumed_records] = 7;
    reach(&story, SIM_AUDIT);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(records_are_missing)
{
    struct story story;
    story_begin(&story, &judge_expected);
    story.scenario.expect = (struct scenario_expect){.acked_least = 5, .consumed_least = 7};
    story.sim.tally.counts[TALLY_acked_records] = 5;
    story.sim.tally.counts[TALLY_consumed_records] = 6;
    reach(&story, SIM_SETTLE);
    ck_assert(story_passes(&story));
    reach(&story, SIM_AUDIT);
    ck_assert(story_objects(&story, "6 records consumed, and the scenario expects 7"));
    ck_assert_int_eq(story.sim.violation.result, SIM_LIVENESS);
    story_end(&story);
}
END_TEST

START_TEST(steps_are_too_many)
{
    struct story story;
    story_begin(&story, &judge_expected);
    story.scenario.expect = (struct scenario_expect){.steps_most = 5};
    story.sim.steps = 5;
    reach(&story, SIM_AUDIT);
    ck_assert(story_passes(&story));
    story.sim.steps = 6;
    reach(&story, SIM_AUDIT);
    ck_assert(story_objects(&story, "6 steps, and the scenario expects 5 at most"));
    story_end(&story);
}
END_TEST

START_TEST(nothing_is_expected)
{
    struct story story;
    story_begin(&story, &judge_expected);
    reach(&story, SIM_AUDIT);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 0);
    story_end(&story);
}
END_TEST

SUITE(judge_expected)
{
    TCase *tcase = tcase_create("expected");
    tcase_add_test(tcase, what_is_expected_has_happened);
    tcase_add_test(tcase, records_are_missing);
    tcase_add_test(tcase, steps_are_too_many);
    tcase_add_test(tcase, nothing_is_expected);
    suite_add_tcase(suite, tcase);
}
