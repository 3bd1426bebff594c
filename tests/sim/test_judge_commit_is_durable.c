/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/record.h"
#include "tests/sim/story.h"

#define SHARD "__consumer_offsets-0/00000000000000000000.log"

static void begin(struct story *story)
{
    story_begin(story, &judge_commit_is_durable);
    story_topic(story, "__consumer_offsets", 1, NULL, NULL);
}

static struct span commit_record(struct story *story, int64_t at, int64_t offset)
{
    const struct offset_value value = {.offset = offset, .metadata = SPAN("m"), .expire_ms = -1};
    const struct coord_record record =
        record_of_offset(&story->arena, SPAN("readers"), SPAN("orders"), 2, &value);
    return story_record(story, at, record.key, record.value);
}

static void committed(struct story *story, int64_t offset, int16_t error)
{
    struct exchange *exchange = story_exchange(story, API_OFFSET_COMMIT, 8);
    struct offset_commit_request *request = story_request(exchange, offset_commit_request);
    request->group_id = SPAN("readers");
    request->topics = story_take(story, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->name = SPAN("orders");
    request->topics->partitions = story_take(story, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    *request->topics->partitions = (struct offset_commit_request_topic_partition){
        .partition_index = 2, .committed_offset = offset, .committed_metadata = SPAN("m")};
    struct offset_commit_response *response = story_response(exchange, offset_commit_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = SPAN("orders");
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    *response->topics->partitions =
        (struct offset_commit_response_topic_partition){.partition_index = 2, .error_code = error};
    story_exchanged(story, exchange);
}

static void synced(struct story *story, int32_t generation)
{
    struct exchange *exchange = story_exchange(story, API_SYNC_GROUP, 5);
    struct sync_group_request *request = story_request(exchange, sync_group_request);
    request->group_id = SPAN("readers");
    request->generation_id = generation;
    story_exchanged(story, exchange);
}

START_TEST(durable_commits)
{
    struct story story;
    begin(&story);
    story_write(&story, SHARD, commit_record(&story, 0, 7), true);
    story_write(&story, SHARD, commit_record(&story, 1, 9), true);
    committed(&story, 9, 0);
    committed(&story, 7, 0); /* both were under way */
    committed(&story, 11, 25);
    ck_assert(story_passes(&story));
    ck_assert_uint_ge(judges_get(story.sim.judges, 0)->judged, 2);
    story_end(&story);
}
END_TEST

START_TEST(a_commit_that_is_only_written)
{
    struct story story;
    begin(&story);
    story_write(&story, SHARD, commit_record(&story, 0, 7), true);
    story_write(&story, SHARD, commit_record(&story, 1, 9), false);
    committed(&story, 9, 0);
    ck_assert(story_objects(&story, "the commit of offset 9"));
    story_end(&story);
}
END_TEST

START_TEST(an_assignment)
{
    struct story story;
    begin(&story);
    struct group_metadata_key key = {.group = SPAN("readers")};
    struct group_metadata_value value = {
        .protocol_type = SPAN("consumer"), .generation = 3, .current_state_timestamp = -1};
    uint8_t bytes[2][256];
    struct wire_writer writers[2] = {{.data = bytes[0], .capacity = 256},
                                     {.data = bytes[1], .capacity = 256}};
    ck_assert_int_eq(wire_encode_record(&wire_group_metadata_key, 0, &key, &writers[0]), 0);
    ck_assert_int_eq(wire_encode_record(&wire_group_metadata_value, 3, &value, &writers[1]), 0);
    story_write(&story, SHARD,
                story_record(&story, 0, span_of(bytes[0], writers[0].length),
                             span_of(bytes[1], writers[1].length)),
                true);
    synced(&story, 3);
    ck_assert(story_passes(&story));
    synced(&story, 4);
    ck_assert(story_objects(&story, "generation 4"));
    story_end(&story);
}
END_TEST

SUITE(judge_commit_is_durable)
{
    TCase *tcase = tcase_create("commit");
    tcase_add_test(tcase, durable_commits);
    tcase_add_test(tcase, a_commit_that_is_only_written);
    tcase_add_test(tcase, an_assignment);
    suite_add_tcase(suite, tcase);
}
