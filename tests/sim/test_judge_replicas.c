/* SPDX-License-Identifier: Apache-2.0 */
/* Replicas told by hand; and a cluster that runs, and is then made to believe otherwise. */
#include "core/broker_state.h"
#include "core/partition.h"
#include "sim/host.h"
#include "tests/sim/ran.h"
#include "tests/sim/story.h"

#define FILE_NUMBER 2
#define SEGMENT     "orders-0/00000000000000000000.log"

static const struct event turn_end = {.kind = EVENT_TURN_END};

/* The segment's file is open on each node after this. */
static void begin(struct story *story)
{
    story_begin_cluster(story, &judge_replicas);
    for (uint32_t node = 1; node <= STORY_NODES; node++) {
        const struct effect open = {
            .kind = EFFECT_OPEN,
            .id = 1,
            .open = {.file = FILE_NUMBER, .mode = OPEN_EXISTING, .path = SPAN(SEGMENT)}};
        struct completion completion;
        story_at(story, node);
        story_write(story, "orders-0/partition.metadata", SPAN("orders"), true);
        story_write(story, SEGMENT, SPAN(""), true);
        files_submitted(&story->host->files, &open);
        files_carry_out(&story->host->files, &open, 0, 0, 0, &completion);
        ck_assert_int_eq(completion.error, 0);
    }
}

static void writes(struct story *story, uint32_t node, int64_t base_offset, int32_t count,
                   uint8_t seed, int32_t epoch)
{
    const struct span batch = story_batch(story, base_offset, count, seed);
    batch_patch((uint8_t *)(uintptr_t)batch.data, base_offset, epoch);
    struct piece *piece = story_take(story, sizeof(*piece));
    *piece = (struct piece){.data = batch.data, .length = batch.length};
    const struct effect write = {
        .kind = EFFECT_WRITE,
        .id = 2,
        .write = {.file = FILE_NUMBER, .pieces = piece, .pieces_count = 1}};
    story_at(story, node);
    story_step(story, turn_end, &write, 1);
}

START_TEST(an_epoch_behind_a_later_one)
{
    struct story story;
    begin(&story);
    writes(&story, 1, 0, 3, 1, 2);
    writes(&story, 1, 3, 2, 2, 1);
    ck_assert(story_objects(&story, "n1 writes offset 3 under leader epoch 1, behind epoch 2"));
    story_end(&story);
}
END_TEST

START_TEST(replicas_of_one_log)
{
    struct story story;
    begin(&story);
    for (uint32_t node = 1; node <= 2; node++) {
        writes(&story, node, 0, 3, 1, 0);
        writes(&story, node, 3, 2, 2, 0);
    }
    writes(&story, 3, 0, 3, 1, 0);
    writes(&story, 3, 3, 5, 9, 1); /* it leads, and the others have to cut theirs */
    writes(&story, 1, 3, 5, 9, 1);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 7);
    story_end(&story);
}
END_TEST

START_TEST(other_records_under_one_epoch)
{
    struct story story;
    begin(&story);
    writes(&story, 1, 0, 3, 1, 0);
    writes(&story, 2, 0, 3, 2, 0);
    ck_assert(story_objects(&story, "orders-0: n2 has other records at offsets 0 to 2 than a "));
    story_end(&story);
}
END_TEST

START_TEST(another_log_before_the_same_batch)
{
    struct story story;
    begin(&story);
    writes(&story, 1, 0, 3, 1, 0);
    writes(&story, 1, 3, 1, 3, 2);
    writes(&story, 2, 0, 3, 2, 1);
    ck_assert(story_passes(&story)); /* one of them will be cut */
    writes(&story, 2, 3, 1, 3, 2);
    ck_assert(story_objects(&story, "before offset 3 of leader epoch 2 n2 has epoch 1, and "));
    story_end(&story);
}
END_TEST

START_TEST(another_log_that_is_gone_before_the_same_batch)
{
    const struct effect remove = {.kind = EFFECT_REMOVE, .id = 3, .path = {.path = SPAN(SEGMENT)}};
    struct story story;
    begin(&story);
    writes(&story, 1, 0, 3, 1, 0);
    writes(&story, 1, 3, 1, 3, 2);
    writes(&story, 2, 0, 3, 2, 1);
    story_step(&story, turn_end, &remove, 1);
    writes(&story, 2, 3, 1, 3, 2);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(another_topic_of_the_name)
{
    struct story story;
    begin(&story);
    writes(&story, 1, 0, 3, 1, 0);
    story_at(&story, 2);
    story_cut(&story, "orders-0/partition.metadata", 0);
    story_write(&story, "orders-0/partition.metadata", SPAN("others"), true);
    writes(&story, 2, 0, 3, 2, 0);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

/* ---- What is committed. ---- */

static void look(struct sim *sim)
{
    for (uint32_t i = 0; i < 10 * STORY_NODES; i++)
        judges_stepped(sim->judges, sim->hosts[i % STORY_NODES], &turn_end);
}

START_TEST(more_is_committed_than_there_is)
{
    struct sim *sim = ran();
    look(sim);
    ck_assert_int_eq(sim->violation.result, SIM_PASSED);
    for (uint32_t i = 0; i < STORY_NODES; i++) {
        struct partition *partition;
        if (partition_by_name(sim->hosts[i]->broker, SPAN("orders"), 0, &partition) == 0)
            partition->high_watermark += 1000;
    }
    look(sim);
    ck_assert_int_eq(sim->violation.result, SIM_SAFETY);
    ck_assert_str_eq(sim->violation.judge, "replicas");
    ck_assert(strstr(sim->violation.text, "may come to lead, and its log ends at offset") != NULL);
    sim_free(sim);
}
END_TEST

SUITE(judge_replicas)
{
    TCase *tcase = tcase_create("replicas");
    tcase_add_test(tcase, replicas_of_one_log);
    tcase_add_test(tcase, an_epoch_behind_a_later_one);
    tcase_add_test(tcase, other_records_under_one_epoch);
    tcase_add_test(tcase, another_log_before_the_same_batch);
    tcase_add_test(tcase, another_log_that_is_gone_before_the_same_batch);
    tcase_add_test(tcase, another_topic_of_the_name);
    tcase_add_test(tcase, more_is_committed_than_there_is);
    suite_add_tcase(suite, tcase);
}
