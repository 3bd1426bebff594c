/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/sim/story.h"

#define FIRST  "orders-0/00000000000000000000.log"
#define SECOND "orders-0/00000000000000000003.log"

static void begin(struct story *story)
{
    story_begin(story, &judge_acked_is_durable);
    story_topic(story, "orders", 2, NULL, NULL);
}

static void acked(struct story *story, int64_t base_offset, int32_t count, uint8_t seed)
{
    story_exchanged(story, story_produce(story, "orders", 0, -1, story_batch(story, 0, count, seed),
                                         base_offset));
}

START_TEST(what_is_durable_may_be_acknowledged)
{
    struct story story;
    begin(&story);
    story_write(&story, FIRST, story_batch(&story, 0, 2, 'a'), true);
    story_write(&story, FIRST, story_batch(&story, 2, 1, 'b'), true);
    acked(&story, 2, 1, 'b');
    acked(&story, 0, 2, 'a');
    story_write(&story, SECOND, story_batch(&story, 3, 5, 'c'), true);
    acked(&story, 3, 5, 'c');
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 3);
    story_end(&story);
}
END_TEST

START_TEST(what_is_only_written_may_not)
{
    struct story story;
    begin(&story);
    story_write(&story, FIRST, story_batch(&story, 0, 2, 'a'), true);
    story_write(&story, FIRST, story_batch(&story, 2, 1, 'b'), false);
    acked(&story, 0, 2, 'a');
    ck_assert(story_passes(&story));
    acked(&story, 2, 1, 'b');
    ck_assert(story_objects(&story, "only what lies before offset 2"));
    story_end(&story);
}
END_TEST

START_TEST(a_torn_batch_is_not_durable)
{
    struct story story;
    begin(&story);
    const struct span batch = story_batch(&story, 0, 2, 'a');
    story_write(&story, FIRST, span_of(batch.data, batch.length - 1), true);
    acked(&story, 0, 2, 'a');
    ck_assert(story_objects(&story, "orders-0"));
    story_end(&story);
}
END_TEST

START_TEST(other_records_at_the_offset)
{
    struct story story;
    begin(&story);
    story_write(&story, FIRST, story_batch(&story, 0, 2, 'x'), true);
    acked(&story, 0, 2, 'a');
    ck_assert(story_objects(&story, "other records"));
    story_end(&story);
}
END_TEST

START_TEST(a_log_that_was_cut_is_read_again)
{
    struct story story;
    begin(&story);
    story_write(&story, FIRST, story_batch(&story, 0, 2, 'a'), true);
    const struct span lost = story_batch(&story, 2, 2, 'b');
    story_write(&story, FIRST, lost, true);
    acked(&story, 2, 2, 'b');
    ck_assert(story_passes(&story));
    story_cut(&story, FIRST, story_batch(&story, 0, 2, 'a').length);
    acked(&story, 4, 1, 'c');
    ck_assert(story_objects(&story, "only what lies before offset 2"));
    story_end(&story);
}
END_TEST

/* What comes instead of a segment that went may lie in the one before it. */
START_TEST(a_log_that_lost_a_segment_is_read_again)
{
    struct story story;
    begin(&story);
    story_write(&story, FIRST, story_batch(&story, 0, 3, 'a'), true);
    story_write(&story, SECOND, story_batch(&story, 3, 2, 'b'), true);
    acked(&story, 3, 2, 'b');
    story_remove(&story, "orders-0", strchr(SECOND, '/') + 1);
    story_write(&story, FIRST, story_batch(&story, 3, 2, 'c'), true);
    story_write(&story, FIRST, story_batch(&story, 5, 1, 'd'), true);
    acked(&story, 5, 1, 'd');
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 2);
    story_end(&story);
}
END_TEST

/* It began anew where all that was acknowledged is deleted, and has nothing yet. */
START_TEST(a_log_that_begins_anew_has_deleted_it)
{
    struct story story;
    begin(&story);
    story_write(&story, FIRST, story_batch(&story, 0, 3, 'a'), true);
    acked(&story, 0, 3, 'a');
    story_remove(&story, "orders-0", strchr(FIRST, '/') + 1);
    story_write(&story, "orders-0/00000000000000000009.log", SPAN(""), true);
    acked(&story, 3, 2, 'b');
    ck_assert(story_passes(&story));
    acked(&story, 8, 2, 'c');
    ck_assert(story_objects(&story, "would leave only what lies before offset 9"));
    story_end(&story);
}
END_TEST

START_TEST(cached_topics_and_acks_1_promise_less)
{
    struct story story;
    begin(&story);
    story_topic(&story, "fast", 1, "write.caching", "true");
    const struct span batch = story_batch(&story, 0, 1, 'a');
    story_exchanged(&story, story_produce(&story, "fast", 0, -1, batch, 0));
    story_exchanged(&story, story_produce(&story, "orders", 0, 1, batch, 0));
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 0);
    story_end(&story);
}
END_TEST

START_TEST(a_topic_made_again_meanwhile_is_not_judged)
{
    struct story story;
    story_begin(&story, &judge_acked_is_durable);
    const struct uuid id = story_topic(&story, "orders", 1, NULL, NULL);
    struct exchange *exchange =
        story_produce(&story, "orders", 0, -1, story_batch(&story, 0, 1, 'a'), 0);
    story_ask(&story, exchange);
    story_topic_goes(&story, id);
    story_topic(&story, "orders", 1, NULL, NULL);
    story_reply(&story, exchange);
    ck_assert(story_passes(&story));
    acked(&story, 0, 1, 'a');
    ck_assert(story_objects(&story, "orders-0"));
    story_end(&story);
}
END_TEST

/* Whoever answers, the replicas in sync have to have it: here that is n1 alone. */
START_TEST(replicas_in_sync_have_it)
{
    struct story story;
    story_begin_cluster(&story, &judge_acked_is_durable);
    story_topic(&story, "orders", 1, NULL, NULL);
    story_write(&story, FIRST, story_batch(&story, 0, 2, 'a'), true);
    acked(&story, 0, 2, 'a');
    story_at(&story, 2);
    acked(&story, 0, 2, 'a');
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 2);
    story_write(&story, FIRST, story_batch(&story, 0, 2, 'a'), true);
    story_write(&story, FIRST, story_batch(&story, 2, 1, 'b'), true);
    acked(&story, 2, 1, 'b');
    ck_assert(story_objects(&story, "a power loss of n1 now would leave only what lies before"));
    story_end(&story);
}
END_TEST

static void registers(struct story *story)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    struct uuid directory = story->host->disk.directories[0];
    record.body.register_broker.broker_id = 1;
    record.body.register_broker.broker_epoch = story->wal_end;
    record.body.register_broker.incarnation_id = (struct uuid){.bytes = {1}};
    record.body.register_broker.fenced = false;
    record.body.register_broker.log_dirs = &directory;
    record.body.register_broker.log_dirs_count = 1;
    story_metadata(story, &record);
}

/* A disk that was taken out had what it was asked for; one that came in its place counts when its
 * broker has said that it is there. */
START_TEST(it_is_the_disk_that_is_in_sync)
{
    struct story story;
    story_begin_cluster(&story, &judge_acked_is_durable);
    registers(&story);
    story_topic(&story, "orders", 1, NULL, NULL);
    story_write(&story, FIRST, story_batch(&story, 0, 2, 'a'), true);
    story_empty_disk(&story);
    acked(&story, 0, 2, 'a');
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 1);
    registers(&story);
    acked(&story, 0, 2, 'a');
    ck_assert(story_objects(&story, "leave only what lies before offset 0"));
    story_end(&story);
}
END_TEST

SUITE(judge_acked_is_durable)
{
    TCase *tcase = tcase_create("acked");
    tcase_add_test(tcase, what_is_durable_may_be_acknowledged);
    tcase_add_test(tcase, what_is_only_written_may_not);
    tcase_add_test(tcase, a_torn_batch_is_not_durable);
    tcase_add_test(tcase, other_records_at_the_offset);
    tcase_add_test(tcase, a_log_that_was_cut_is_read_again);
    tcase_add_test(tcase, a_log_that_lost_a_segment_is_read_again);
    tcase_add_test(tcase, a_log_that_begins_anew_has_deleted_it);
    tcase_add_test(tcase, cached_topics_and_acks_1_promise_less);
    tcase_add_test(tcase, a_topic_made_again_meanwhile_is_not_judged);
    tcase_add_test(tcase, replicas_in_sync_have_it);
    tcase_add_test(tcase, it_is_the_disk_that_is_in_sync);
    suite_add_tcase(suite, tcase);
}
