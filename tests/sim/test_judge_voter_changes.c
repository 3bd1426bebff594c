/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buffer.h"
#include "core/raft/control.h"
#include "core/records/batch.h"
#include "core/wire/messages.h"
#include "tests/sim/story.h"

#define SEGMENT     "__cluster_metadata-0/00000000000000000000.log"
#define FILE_NUMBER 7

static struct story story;

static void set_up(void)
{
    story_begin_cluster(&story, &judge_voter_changes);
    for (uint32_t node = 1; node <= STORY_NODES; node++) {
        const struct effect open = {
            .kind = EFFECT_OPEN,
            .id = 1,
            .open = {.file = FILE_NUMBER, .mode = OPEN_EXISTING, .path = SPAN(SEGMENT)}};
        struct completion completion;
        story_at(&story, node);
        story_write(&story, SEGMENT, SPAN(""), true);
        files_submitted(&story.host->files, &open);
        files_carry_out(&story.host->files, &open, 0, 0, 0, &completion);
    }
    story_at(&story, 1);
}

static void tear_down(void)
{
    story_end(&story);
}

static void writes(struct span batch, uint64_t position)
{
    const struct piece piece = {.data = batch.data, .length = batch.length};
    const struct effect write = {
        .kind = EFFECT_WRITE,
        .id = 2,
        .write = {.file = FILE_NUMBER, .offset = position, .pieces = &piece, .pieces_count = 1}};
    story_step(&story, (struct event){.kind = EVENT_TURN_END}, &write, 1);
}

/* The first `count` nodes vote from there on; nobody knows anything to be committed. */
static void votes(int64_t offset, uint32_t count, uint64_t position)
{
    struct voters_record_voter voters[STORY_NODES];
    struct voters_record_voter_endpoint endpoint = {SPAN("CONTROLLER"), SPAN("n"), 9093};
    for (uint32_t i = 0; i < count; i++)
        voters[i] = (struct voters_record_voter){.voter_id = (int32_t)i + 1,
                                                 .voter_directory_id = {.bytes = {(uint8_t)i}},
                                                 .endpoints = &endpoint,
                                                 .endpoints_count = 1};
    const struct voters_record record = {.voters = voters, .voters_count = (int32_t)count};
    struct buffer *buffer =
        control_batch(&story.memory, CONTROL_VOTERS, &wire_voters_record, &record, offset, 0, 0);
    writes(span_of(buffer->data, buffer->capacity), position);
    buffer_release(buffer);
}

START_TEST(one_alone)
{
    votes(0, 3, 0);
    writes(story_batch(&story, 1, 2, 1), 100);
    story_at(&story, 2);
    votes(0, 3, 0);
    ck_assert(story_passes(&story));
}
END_TEST

START_TEST(two_at_once)
{
    votes(0, 3, 0);
    votes(1, 1, 100);
    ck_assert(story_objects(&story, "the voters that n1 has at offset 1 of the metadata log differ "
                                    "by 2 from those at offset 0"));
}
END_TEST

START_TEST(one_behind_another)
{
    votes(0, 3, 0);
    votes(1, 2, 100);
    ck_assert(story_objects(&story, "the voters change at offset 1 of the metadata log, as n1 has "
                                    "it, and their change at offset 0 is not committed"));
}
END_TEST

START_TEST(one_that_was_cut)
{
    writes(story_batch(&story, 0, 2, 1), 0);
    votes(2, 3, 100);
    writes(story_batch(&story, 1, 1, 2), 50);
    votes(2, 1, 100);
    ck_assert(story_passes(&story));
}
END_TEST

/* A snapshot has what lies between, or another beginning. */
START_TEST(behind_a_snapshot)
{
    votes(0, 3, 0);
    votes(5, 1, 100);
    ck_assert(story_passes(&story));
    writes(story_batch(&story, 6, 5, 1), 200);
    votes(8, 3, 0);
    ck_assert(story_passes(&story));
}
END_TEST

START_TEST(after_a_restart)
{
    votes(0, 3, 0);
    judges_host_changed(story.sim.judges, story.host, HOST_BOOTED);
    votes(1, 1, 100);
    ck_assert(story_passes(&story));
}
END_TEST

SUITE(judge_voter_changes)
{
    TCase *tcase = tcase_create("voter-changes");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, one_alone);
    tcase_add_test(tcase, two_at_once);
    tcase_add_test(tcase, one_behind_another);
    tcase_add_test(tcase, one_that_was_cut);
    tcase_add_test(tcase, behind_a_snapshot);
    tcase_add_test(tcase, after_a_restart);
    suite_add_tcase(suite, tcase);
}
