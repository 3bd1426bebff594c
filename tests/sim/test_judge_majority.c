/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/batch.h"
#include "tests/sim/story.h"

#define LOG "__cluster_metadata-0/00000000000000000000.log"

/* A node has an entry behind the voters in its log. */
static void has(struct story *story, uint32_t node, int32_t epoch, bool durable)
{
    const struct span batch = story_batch(story, 1, 1, 1);
    batch_patch((uint8_t *)(uintptr_t)batch.data, 1, epoch);
    story_at(story, node);
    story_write(story, LOG, batch, durable);
    story_at(story, 1);
}

/* It is committed under epoch 0. */
static void commits(struct story *story)
{
    struct meta_record record = meta_record_of(META_RECORD_PRODUCER_IDS);
    record.body.producer_ids.next_producer_id = 1000;
    story_metadata(story, &record);
    story_step(story, (struct event){.kind = EVENT_TURN_END}, NULL, 0);
}

static void begin(struct story *story, uint32_t voters)
{
    story_begin_cluster(story, &judge_majority);
    story_voters(story, voters);
}

START_TEST(two_of_three)
{
    struct story story;
    begin(&story, 3);
    has(&story, 1, 0, true);
    has(&story, 2, 0, true);
    commits(&story);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 2);
    story_end(&story);
}
END_TEST

START_TEST(one_alone)
{
    struct story story;
    begin(&story, 3);
    has(&story, 1, 0, true);
    commits(&story);
    ck_assert(story_objects(&story, "before offset 2, of epoch 0, are committed, as n1 has it, and "
                                    "a power loss now would leave them on 1 of 3 voters"));
    story_end(&story);
}
END_TEST

START_TEST(written_and_no_more)
{
    struct story story;
    begin(&story, 3);
    has(&story, 1, 0, true);
    has(&story, 2, 0, false);
    commits(&story);
    ck_assert(story_objects(&story, "on 1 of 3 voters"));
    story_end(&story);
}
END_TEST

START_TEST(another_entry)
{
    struct story story;
    begin(&story, 3);
    has(&story, 1, 0, true);
    has(&story, 2, 3, true);
    commits(&story);
    ck_assert(story_objects(&story, "on 1 of 3 voters"));
    story_end(&story);
}
END_TEST

/* Who votes is said by the log, and not by settings. */
START_TEST(those_that_vote)
{
    struct story story;
    begin(&story, 1);
    has(&story, 1, 0, true);
    commits(&story);
    ck_assert(story_passes(&story));
    story_end(&story);
    begin(&story, 2);
    has(&story, 1, 0, true);
    has(&story, 3, 0, true);
    commits(&story);
    ck_assert(story_objects(&story, "on 1 of 2 voters"));
    story_end(&story);
}
END_TEST

START_TEST(another_disk_is_no_voter)
{
    struct story story;
    begin(&story, 3);
    story_at(&story, 2);
    story_empty_disk(&story);
    story_write(&story, LOG, SPAN(""), true);
    has(&story, 1, 0, true);
    has(&story, 2, 0, true);
    commits(&story);
    ck_assert(story_objects(&story, "on 1 of 3 voters"));
    story_end(&story);
}
END_TEST

START_TEST(a_disk_that_was_taken_out_had_it)
{
    struct story story;
    begin(&story, 3);
    has(&story, 1, 0, true);
    has(&story, 2, 0, true);
    story_at(&story, 2);
    story_empty_disk(&story);
    commits(&story);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(nobody_votes)
{
    struct story story;
    story_begin_cluster(&story, &judge_majority);
    commits(&story);
    ck_assert(story_objects(&story, "nobody votes"));
    story_end(&story);
}
END_TEST

SUITE(judge_majority)
{
    TCase *tcase = tcase_create("majority");
    tcase_add_test(tcase, two_of_three);
    tcase_add_test(tcase, one_alone);
    tcase_add_test(tcase, written_and_no_more);
    tcase_add_test(tcase, another_entry);
    tcase_add_test(tcase, those_that_vote);
    tcase_add_test(tcase, another_disk_is_no_voter);
    tcase_add_test(tcase, a_disk_that_was_taken_out_had_it);
    tcase_add_test(tcase, nobody_votes);
    suite_add_tcase(suite, tcase);
}
