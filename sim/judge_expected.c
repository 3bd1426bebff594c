/* SPDX-License-Identifier: Apache-2.0 */
/* What a scenario expects: without it, one in which nothing ever works would pass. */
#include "sim/judge.h"

static void expect(struct judge *judge, enum tally_row row, uint64_t least)
{
    const uint64_t count = judge->sim->tally.counts[row];
    if (least == 0)
        return;
    judge->judged++;
    if (count < least)
        judge_object_late(judge, "%llu %s, and the scenario expects %llu",
                          (unsigned long long)count, tally_text(row), (unsigned long long)least);
}

/* Clients have ended what they began by then, and the auditor has not begun. */
static void phase(struct judge *judge, enum sim_phase phase)
{
    const struct scenario_expect *expected = &judge->sim->scenario->expect;
    if (phase != SIM_AUDIT)
        return;
    expect(judge, TALLY_acked_records, expected->acked_least);
    expect(judge, TALLY_consumed_records, expected->consumed_least);
    if (expected->steps_most == 0)
        return;
    judge->judged++;
    if (judge->sim->steps > expected->steps_most)
        judge_object_late(judge, "%llu steps, and the scenario expects %llu at most",
                          (unsigned long long)judge->sim->steps,
                          (unsigned long long)expected->steps_most);
}

const struct judge_kind judge_expected = {
    .name = "expected",
    .rule = "what the scenario expects has happened",
    .source = "the scenario",
    .phase = phase,
};
