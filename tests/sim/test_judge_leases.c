/* SPDX-License-Identifier: Apache-2.0 */
/* A broker that is not of any cluster yet has a lease for ever. */
#include "tests/sim/story.h"

static void registers(struct story *story, uint8_t incarnation, bool fenced)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = 1;
    record.body.register_broker.broker_epoch = story->wal_end;
    record.body.register_broker.incarnation_id = (struct uuid){.bytes = {incarnation}};
    record.body.register_broker.fenced = fenced;
    story_metadata(story, &record);
    story_step(story, (struct event){.kind = EVENT_TURN_END}, NULL, 0);
}

START_TEST(who_takes_part)
{
    struct story story;
    story_begin_cluster(&story, &judge_leases);
    registers(&story, 0, false);
    ck_assert(story_passes(&story));
    ck_assert_uint_ge(judges_get(story.sim.judges, 0)->judged, 1);
    story_end(&story);
}
END_TEST

START_TEST(another_process_was_fenced)
{
    struct story story;
    story_begin_cluster(&story, &judge_leases);
    registers(&story, 1, true);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(who_is_fenced)
{
    struct story story;
    story_begin_cluster(&story, &judge_leases);
    registers(&story, 0, true);
    ck_assert(story_objects(&story, "n1 holds a lease, and is fenced under broker epoch"));
    story_end(&story);
}
END_TEST

SUITE(judge_leases)
{
    TCase *tcase = tcase_create("leases");
    tcase_add_test(tcase, who_takes_part);
    tcase_add_test(tcase, another_process_was_fenced);
    tcase_add_test(tcase, who_is_fenced);
    suite_add_tcase(suite, tcase);
}
