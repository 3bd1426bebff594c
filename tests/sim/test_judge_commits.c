/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/coordinator.h"
#include "core/wire/error.h"
#include "tests/sim/story.h"

static void begin(struct story *story)
{
    story_begin(story, &judge_commits);
    story_topic(story, "orders", 3, NULL, NULL);
    story_topic(story, "__consumer_offsets", 1, NULL, NULL);
    struct exchange *exchange = story_exchange(story, API_METADATA, 12);
    story_ask(story, exchange); /* the topics are known from now on */
}

static struct exchange *commit(struct story *story, int64_t offset, int16_t error)
{
    struct exchange *exchange = story_exchange(story, API_OFFSET_COMMIT, 8);
    struct offset_commit_request *request = story_request(exchange, offset_commit_request);
    request->group_id = SPAN("readers");
    request->topics = story_take(story, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->name = SPAN("orders");
    request->topics->partitions = story_take(story, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    request->topics->partitions->committed_offset = offset;
    struct offset_commit_response *response = story_response(exchange, offset_commit_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = SPAN("orders");
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->error_code = error;
    return exchange;
}

static struct exchange *fetch(struct story *story, int64_t offset)
{
    struct exchange *exchange = story_exchange(story, API_OFFSET_FETCH, 5);
    struct offset_fetch_request *request = story_request(exchange, offset_fetch_request);
    request->group_id = SPAN("readers");
    struct offset_fetch_response *response = story_response(exchange, offset_fetch_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = SPAN("orders");
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->committed_offset = offset;
    return exchange;
}

START_TEST(the_last_one)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, fetch(&story, -1));
    story_exchanged(&story, commit(&story, 5, 0));
    story_exchanged(&story, fetch(&story, 5));
    struct exchange *early = fetch(&story, 5);
    struct exchange *slow = commit(&story, 8, 0);
    story_ask(&story, early);
    story_ask(&story, slow);
    story_exchanged(&story, fetch(&story, 5));
    story_exchanged(&story, fetch(&story, 8));
    story_reply(&story, slow);
    story_reply(&story, early);
    story_exchanged(&story, fetch(&story, 8));
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 6);
    story_end(&story);
}
END_TEST

START_TEST(one_that_was_overwritten)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, commit(&story, 5, 0));
    story_exchanged(&story, commit(&story, 8, 0));
    story_exchanged(&story, fetch(&story, 5));
    ck_assert(story_objects(&story, "told to be 5"));
    story_end(&story);
}
END_TEST

START_TEST(none_after_a_commit)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, commit(&story, 5, 0));
    story_exchanged(&story, fetch(&story, -1));
    ck_assert(story_objects(&story, "told to be -1"));
    story_end(&story);
}
END_TEST

START_TEST(one_that_was_refused)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, commit(&story, 5, ERR_ILLEGAL_GENERATION));
    story_exchanged(&story, fetch(&story, 5));
    ck_assert(story_objects(&story, "told to be 5"));
    story_end(&story);
}
END_TEST

START_TEST(one_whose_end_nobody_knows)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, commit(&story, 5, 0));
    story_ask(&story, commit(&story, 6, 0));
    story_exchanged(&story, commit(&story, 7, 0));
    story_exchanged(&story, fetch(&story, 6));
    story_exchanged(&story, fetch(&story, 7));
    ck_assert(story_passes(&story));
    judges_host_changed(story.sim.judges, story.host, HOST_BOOTED);
    story_exchanged(&story, commit(&story, 8, 0));
    story_exchanged(&story, fetch(&story, 6));
    ck_assert(story_objects(&story, "told to be 6"));
    story_end(&story);
}
END_TEST

START_TEST(all_offsets_without_one)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, commit(&story, 5, 0));
    struct exchange *exchange = story_exchange(&story, API_OFFSET_FETCH, 5);
    struct offset_fetch_request *request = story_request(exchange, offset_fetch_request);
    request->group_id = SPAN("readers");
    request->topics_count = -1;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "left out"));
    story_end(&story);
}
END_TEST

START_TEST(many_commits)
{
    struct story story;
    begin(&story);
    for (int64_t i = 0; i < 100; i++)
        story_exchanged(&story, commit(&story, i, 0));
    story_exchanged(&story, fetch(&story, 99));
    ck_assert(story_passes(&story));
    story_exchanged(&story, fetch(&story, 0));
    ck_assert(story_objects(&story, "told to be 0"));
    story_end(&story);
}
END_TEST

START_TEST(a_deleted_group_is_not_judged)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, commit(&story, 5, 0));
    struct exchange *exchange = story_exchange(&story, API_DELETE_GROUPS, 1);
    struct delete_groups_request *request = story_request(exchange, delete_groups_request);
    struct span name = SPAN("readers");
    request->groups_names = &name;
    request->groups_names_count = 1;
    story_exchanged(&story, exchange);
    story_exchanged(&story, fetch(&story, -1));
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

/* An unclean election gives up what was committed to that partition, and nothing later, nor of
 * another. */
START_TEST(an_unclean_election_gives_up_commits)
{
    static int32_t leader = 1;
    struct story story;
    story_begin_cluster(&story, &judge_commits);
    story_topic(&story, "orders", 3, NULL, NULL);
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    struct partition_change_record *change = &record.body.partition_change;
    const int32_t shard = coordinator_partition(SPAN("readers"), 3);
    change->topic_id = story_topic(&story, COORDINATOR_TOPIC, 3, NULL, NULL);
    change->partition_id = _i == 0 ? (shard + 1) % 3 : shard;
    story_ask(&story, story_exchange(&story, API_METADATA, 12)); /* the topics are known */
    story_exchanged(&story, commit(&story, 5, 0));
    story_exchanged(&story, commit(&story, 6, 0));
    change->leader = leader;
    change->isr = &leader;
    change->isr_count = 1;
    change->leader_recovery_state = 1;
    story_metadata(&story, &record);
    if (_i > 0) {
        story_exchanged(&story, fetch(&story, 5));
        story_exchanged(&story, fetch(&story, -1));
        ck_assert(story_passes(&story));
        story_exchanged(&story, commit(&story, 7, 0)); /* it holds again */
        story_exchanged(&story, fetch(&story, 7));
        ck_assert(story_passes(&story));
    }
    story_exchanged(&story, fetch(&story, 5));
    ck_assert(story_objects(&story, "told to be 5"));
    story_end(&story);
}
END_TEST

SUITE(judge_commits)
{
    TCase *tcase = tcase_create("commits");
    tcase_add_test(tcase, the_last_one);
    tcase_add_test(tcase, one_that_was_overwritten);
    tcase_add_test(tcase, none_after_a_commit);
    tcase_add_test(tcase, one_that_was_refused);
    tcase_add_test(tcase, one_whose_end_nobody_knows);
    tcase_add_test(tcase, all_offsets_without_one);
    tcase_add_test(tcase, many_commits);
    tcase_add_test(tcase, a_deleted_group_is_not_judged);
    tcase_add_loop_test(tcase, an_unclean_election_gives_up_commits, 0, 2);
    suite_add_tcase(suite, tcase);
}
