/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/story.h"

static void joined(struct story *story, int32_t generation)
{
    struct exchange *exchange = story_exchange(story, API_JOIN_GROUP, 5);
    story_request(exchange, join_group_request)->group_id = SPAN("readers");
    story_response(exchange, join_group_response)->generation_id = generation;
    story_exchanged(story, exchange);
}

static struct exchange *heartbeat(struct story *story, int32_t generation)
{
    struct exchange *exchange = story_exchange(story, API_HEARTBEAT, 3);
    story_request(exchange, heartbeat_request)->group_id = SPAN("readers");
    story_request(exchange, heartbeat_request)->generation_id = generation;
    return exchange;
}

/* The member is told that "orders" partition `partition` is its own. */
static void synced(struct story *story, const char *member, int32_t generation, uint8_t partition)
{
    const uint8_t bytes[] = {0,   0,   0,   0, 0, 1, 0, 6, 'o', 'r', 'd',
                             'e', 'r', 's', 0, 0, 0, 1, 0, 0,   0,   partition};
    struct exchange *exchange = story_exchange(story, API_SYNC_GROUP, 3);
    struct sync_group_request *request = story_request(exchange, sync_group_request);
    request->group_id = SPAN("readers");
    request->member_id = span_text(member);
    request->generation_id = generation;
    uint8_t *copy = story_take(story, sizeof(bytes));
    memcpy(copy, bytes, sizeof(bytes));
    story_response(exchange, sync_group_response)->assignment = span_of(copy, sizeof(bytes));
    story_exchanged(story, exchange);
}

START_TEST(generations_that_grow)
{
    struct story story;
    story_begin(&story, &judge_groups);
    joined(&story, 1);
    synced(&story, "a", 1, 0);
    synced(&story, "b", 1, 1);
    synced(&story, "a", 1, 0);
    struct exchange *early = heartbeat(&story, 1);
    story_ask(&story, early);
    joined(&story, 2);
    story_reply(&story, early);
    synced(&story, "b", 2, 0);
    story_exchanged(&story, heartbeat(&story, 2));
    ck_assert(story_passes(&story));
    ck_assert_uint_gt(judges_get(story.sim.judges, 0)->judged, 5);
    story_end(&story);
}
END_TEST

START_TEST(two_owners)
{
    struct story story;
    story_begin(&story, &judge_groups);
    joined(&story, 1);
    synced(&story, "a", 1, 0);
    synced(&story, "b", 1, 0);
    ck_assert(story_objects(&story, "partition 0 belongs to b and to another member"));
    story_end(&story);
}
END_TEST

START_TEST(an_old_generation_that_gets_through)
{
    struct story story;
    story_begin(&story, &judge_groups);
    joined(&story, 2);
    story_exchanged(&story, heartbeat(&story, 1));
    ck_assert(story_objects(&story, "Heartbeat gets through with generation 1"));
    story_end(&story);
}
END_TEST

START_TEST(a_commit_of_an_old_generation)
{
    struct story story;
    story_begin(&story, &judge_groups);
    joined(&story, 2);
    struct exchange *exchange = story_exchange(&story, API_OFFSET_COMMIT, 8);
    struct offset_commit_request *request = story_request(exchange, offset_commit_request);
    request->group_id = SPAN("readers");
    request->generation_id_or_member_epoch = 1;
    struct offset_commit_response *response = story_response(exchange, offset_commit_response);
    response->topics = story_take(&story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->partitions = story_take(&story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "OffsetCommit gets through"));
    story_end(&story);
}
END_TEST

START_TEST(a_generation_that_comes_back)
{
    struct story story;
    story_begin(&story, &judge_groups);
    joined(&story, 3);
    joined(&story, 2);
    ck_assert(story_objects(&story, "JoinGroup gets through with generation 2"));
    story_end(&story);
}
END_TEST

START_TEST(a_process_that_dies_forgets_what_nobody_was_assigned)
{
    struct story story;
    story_begin(&story, &judge_groups);
    story_topic(&story, "__consumer_offsets", 1, NULL, NULL);
    joined(&story, 3);
    synced(&story, "a", 3, 0);
    joined(&story, 4);
    judges_host_changed(story.sim.judges, story.host, HOST_BOOTED);
    joined(&story, 3);
    joined(&story, 4);
    ck_assert(story_passes(&story));
    joined(&story, 2);
    ck_assert(story_objects(&story, "generation 2"));
    story_end(&story);
}
END_TEST

/* As in Kafka: who cannot know says that all is well. */
START_TEST(a_heartbeat_while_the_coordinator_loads)
{
    struct story story;
    story_begin(&story, &judge_groups);
    story_topic(&story, "__consumer_offsets", 1, NULL, NULL);
    joined(&story, 3);
    synced(&story, "a", 3, 0);
    judges_host_changed(story.sim.judges, story.host, HOST_BOOTED);
    story_exchanged(&story, heartbeat(&story, 2));
    ck_assert(story_passes(&story));
    joined(&story, 4);
    story_exchanged(&story, heartbeat(&story, 2));
    ck_assert(story_objects(&story, "Heartbeat gets through with generation 2"));
    story_end(&story);
}
END_TEST

SUITE(judge_groups)
{
    TCase *tcase = tcase_create("groups");
    tcase_add_test(tcase, generations_that_grow);
    tcase_add_test(tcase, two_owners);
    tcase_add_test(tcase, an_old_generation_that_gets_through);
    tcase_add_test(tcase, a_heartbeat_while_the_coordinator_loads);
    tcase_add_test(tcase, a_commit_of_an_old_generation);
    tcase_add_test(tcase, a_generation_that_comes_back);
    tcase_add_test(tcase, a_process_that_dies_forgets_what_nobody_was_assigned);
    suite_add_tcase(suite, tcase);
}
