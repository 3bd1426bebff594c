/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"
#include "sim/bare.h"
#include "sim/file_node.h"
#include "tests/sim/story.h"

/* A broker has run on the disk: the topic "orders" with one batch of three records, all durable. */
static void begin(struct story *story)
{
    char why[256];
    story_begin(story, &judge_images);
    struct bare *bare =
        bare_boot(&story->host->conf, &story->host->files, 1700000000000, why, sizeof(why));
    ck_assert_msg(bare != NULL, "%s", why);
    struct create_topics_request_topic topic = wire_default_create_topics_request_topic;
    topic.name = SPAN("orders");
    topic.num_partitions = 1;
    topic.replication_factor = 1;
    struct create_topics_request create = {.topics = &topic, .topics_count = 1, .timeout_ms = 1000};
    const struct create_topics_response *created =
        bare_ask(bare, API_CREATE_TOPICS, 5, &create, &story->arena);
    ck_assert_ptr_nonnull(created);
    ck_assert_int_eq(created->topics[0].error_code, ERR_NONE);
    const struct exchange *exchange =
        story_produce(story, "orders", 0, -1, story_batch(story, 0, 3, 'a'), 0);
    const struct produce_response *produced =
        bare_ask(bare, API_PRODUCE, 3, exchange->request, &story->arena);
    ck_assert_ptr_nonnull(produced);
    ck_assert_int_eq(produced->responses->partition_responses->error_code, ERR_NONE);
    bare_free(bare);
    story_phase(story, SIM_LOAD); /* of no length: both moments are now */
}

static struct exchange *acked(struct story *story, int64_t base_offset)
{
    struct exchange *exchange =
        story_produce(story, "orders", 0, -1, story_batch(story, 0, 3, 'a'), base_offset);
    story_ask(story, exchange);
    return exchange;
}

static struct file_node *segment(struct story *story)
{
    struct file_node *folder =
        entries_get(&story->host->files.roots[0]->durable_entries, "orders-0");
    ck_assert_ptr_nonnull(folder);
    return entries_get(&folder->durable_entries, "00000000000000000000.log");
}

START_TEST(a_disk_that_holds_what_was_promised)
{
    struct story story;
    begin(&story);
    story_reply(&story, acked(&story, 0));
    story_reply(&story, acked(&story, 0));
    ck_assert(story_passes(&story));
    ck_assert_uint_gt(judges_get(story.sim.judges, 0)->judged, 8);
    story_end(&story);
}
END_TEST

START_TEST(a_disk_that_lacks_what_was_promised)
{
    struct story story;
    begin(&story);
    story_reply(&story, acked(&story, 3));
    ck_assert(story_objects(&story, "an end at offset 3, and 6"));
    story_end(&story);
}
END_TEST

START_TEST(a_batch_that_is_not_durable)
{
    struct story story;
    begin(&story);
    file_bytes_resize(&segment(&story)->durable, 0);
    story_reply(&story, acked(&story, 0));
    ck_assert(story_objects(&story, "an end at offset 0, and 3"));
    story_end(&story);
}
END_TEST

START_TEST(a_disk_on_which_no_broker_starts)
{
    struct story story;
    begin(&story);
    struct file_node *root = story.host->files.roots[0];
    struct file_node *properties = entries_get(&root->durable_entries, "meta.properties");
    ck_assert_ptr_nonnull(properties);
    file_bytes_resize(&properties->durable, 3);
    story_reply(&story, acked(&story, 0));
    ck_assert(story_objects(&story, "no broker starts"));
    story_end(&story);
}
END_TEST

START_TEST(a_clone_loses_power_for_itself)
{
    struct story story;
    struct chance rng;
    struct files clone;
    begin(&story);
    const size_t length = segment(&story)->durable.length;
    struct change *change = change_add(segment(&story));
    change->is_truncate = true;
    change->offset = 0;
    chance_stream(&rng, &(struct chance_source){.seed = 1}, "test", 0);
    files_clone(&clone, &story.host->files, &rng);
    ck_assert(files_are_dirty(&clone));
    files_power_loss(&clone);
    ck_assert(!files_are_dirty(&clone));
    ck_assert(files_are_dirty(&story.host->files));
    ck_assert_uint_eq(segment(&story)->durable.length, length);
    files_free(&clone);
    story_end(&story);
}
END_TEST

SUITE(judge_images)
{
    TCase *tcase = tcase_create("images");
    tcase_add_test(tcase, a_disk_that_holds_what_was_promised);
    tcase_add_test(tcase, a_disk_that_lacks_what_was_promised);
    tcase_add_test(tcase, a_batch_that_is_not_durable);
    tcase_add_test(tcase, a_disk_on_which_no_broker_starts);
    tcase_add_test(tcase, a_clone_loses_power_for_itself);
    suite_add_tcase(suite, tcase);
}
