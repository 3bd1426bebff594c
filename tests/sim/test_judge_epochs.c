/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/checkpoint.h"
#include "core/records/batch.h"
#include "tests/sim/story.h"

#define FILE_NUMBER 1

/* Judges read the metadata that has become durable. */
static void looks(struct story *story)
{
    judges_host_changed(story->sim.judges, story->host, HOST_READY);
}

/* The segment's file is open after this. */
static void begin(struct story *story)
{
    story_begin(story, &judge_epochs);
    story_topic(story, "orders", 1, NULL, NULL);
    looks(story);
    story_write(story, "orders-0/00000000000000000000.log", SPAN(""), true);
    const struct effect open = {.kind = EFFECT_OPEN,
                                .id = 1,
                                .open = {.file = FILE_NUMBER,
                                         .mode = OPEN_EXISTING,
                                         .path = SPAN("orders-0/00000000000000000000.log")}};
    struct completion completion;
    files_submitted(&story->host->files, &open);
    files_carry_out(&story->host->files, &open, 0, 0, 0, &completion);
    ck_assert_int_eq(completion.error, 0);
}

static void writes(struct story *story, int64_t base_offset, int32_t count, uint8_t seed,
                   int32_t epoch)
{
    static const struct event turn_end = {.kind = EVENT_TURN_END};
    const struct span batch = story_batch(story, base_offset, count, seed);
    batch_patch((uint8_t *)(uintptr_t)batch.data, base_offset, epoch);
    struct piece *piece = story_take(story, sizeof(*piece));
    *piece = (struct piece){.data = batch.data, .length = batch.length};
    const struct effect write = {
        .kind = EFFECT_WRITE,
        .id = 2,
        .write = {.file = FILE_NUMBER, .pieces = piece, .pieces_count = 1}};
    story_step(story, turn_end, &write, 1);
}

START_TEST(offsets_one_after_another)
{
    struct story story;
    begin(&story);
    writes(&story, 0, 3, 1, 0);
    writes(&story, 3, 2, 2, 0);
    writes(&story, 5, 1, 3, 0);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 3);
    story_end(&story);
}
END_TEST

START_TEST(the_same_batch_once_more)
{
    struct story story;
    begin(&story);
    writes(&story, 0, 3, 1, 0);
    writes(&story, 3, 2, 2, 0);
    writes(&story, 0, 3, 1, 0);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

static void folder_is_of(struct story *story, uint8_t topic)
{
    uint8_t text[PARTITION_METADATA_BYTES];
    partition_metadata_write((struct uuid){.bytes = {topic}}, text);
    story_cut(story, "orders-0/partition.metadata", 0);
    story_write(story, "orders-0/partition.metadata", span_of(text, sizeof(text)), true);
}

/* The metadata may know the next topic of this name while the log of the former one is written. */
START_TEST(the_next_topic_of_the_name)
{
    struct story story;
    begin(&story);
    folder_is_of(&story, 1);
    writes(&story, 0, 3, 1, 0);
    folder_is_of(&story, 2);
    writes(&story, 0, 2, 2, 0);
    ck_assert(story_passes(&story));
    folder_is_of(&story, 1);
    writes(&story, 0, 2, 2, 0);
    ck_assert(story_objects(&story, "and has written other records to offsets 0 to 2"));
    story_end(&story);
}
END_TEST

START_TEST(another_batch_under_a_higher_epoch)
{
    struct story story;
    begin(&story);
    writes(&story, 0, 3, 1, 0);
    writes(&story, 0, 2, 2, 1);
    writes(&story, 2, 2, 3, 1);
    writes(&story, 0, 3, 1, 0);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(another_batch_under_the_same_epoch)
{
    struct story story;
    begin(&story);
    writes(&story, 0, 3, 1, 4);
    writes(&story, 0, 3, 2, 4);
    ck_assert(story_objects(&story, "other records to offsets 0 to 2 under that epoch"));
    story_end(&story);
}
END_TEST

START_TEST(a_shorter_batch_under_the_same_epoch)
{
    struct story story;
    begin(&story);
    writes(&story, 0, 3, 1, 4);
    writes(&story, 2, 1, 2, 4);
    ck_assert(story_objects(&story, "offsets 2 to 2 of orders-0"));
    story_end(&story);
}
END_TEST

START_TEST(a_topic_made_again)
{
    struct story story;
    begin(&story);
    writes(&story, 0, 3, 1, 0);
    const struct image *image =
        durable_image(judge_durable(judges_get(story.sim.judges, 0), story.host));
    story_topic_goes(&story, image_topic(image, SPAN("orders"))->id);
    story_topic(&story, "orders", 1, NULL, NULL);
    looks(&story);
    writes(&story, 0, 3, 2, 0);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

SUITE(judge_epochs)
{
    TCase *tcase = tcase_create("epochs");
    tcase_add_test(tcase, offsets_one_after_another);
    tcase_add_test(tcase, the_same_batch_once_more);
    tcase_add_test(tcase, the_next_topic_of_the_name);
    tcase_add_test(tcase, another_batch_under_a_higher_epoch);
    tcase_add_test(tcase, another_batch_under_the_same_epoch);
    tcase_add_test(tcase, a_shorter_batch_under_the_same_epoch);
    tcase_add_test(tcase, a_topic_made_again);
    suite_add_tcase(suite, tcase);
}
