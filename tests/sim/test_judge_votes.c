/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/meta/quorum_state.h"
#include "core/peer/message.h"
#include "core/raft/message.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/sim/story.h"

#define CONNECT    1 /* to n2 */
#define LINK       7
#define PLACE_USED 64
#define STATE_FILE 9

static struct uuid own; /* the data folder whose votes these are */

static void dials(struct story *story)
{
    const struct effect connect = {
        .kind = EFFECT_CONNECT, .id = CONNECT, .connect = {.host = SPAN("n2"), .port = 9093}};
    story_step(story, (struct event){.kind = EVENT_TURN_END}, &connect, 1);
    story_step(
        story,
        (struct event){.kind = EVENT_COMPLETED, .completed = {.effect = CONNECT, .count = LINK}},
        NULL, 0);
}

static const uint8_t *place_of(struct story *story, uint64_t sequence, int32_t term, int32_t voted)
{
    uint8_t *place = story_take(story, QUORUM_STATE_PLACE_BYTES);
    memset(place, 0, QUORUM_STATE_PLACE_BYTES);
    put_be64(place + 16, sequence);
    put_be32(place + 24, (uint32_t)term);
    put_be32(place + 28, (uint32_t)voted);
    memcpy(place + 48, own.bytes, sizeof(own.bytes));
    put_be32(place + 12, crc32c(0, place + 16, PLACE_USED - 16));
    return place;
}

/* The next place of the file is that of a vote. */
static void stores(struct story *story, uint64_t sequence, int32_t term, int32_t voted)
{
    const uint8_t *place = place_of(story, sequence, term, voted);
    story_write(story, QUORUM_STATE_FILE, span_of(place, QUORUM_STATE_PLACE_BYTES), true);
}

static void says(struct story *story, enum raft_message_type type, const void *message)
{
    const struct wire_schema *schema = raft_message_schema((int32_t)type);
    const size_t size = wire_size(schema, 0, message);
    uint8_t *frame = story_take(story, 4 + PEER_TYPE_BYTES + size);
    struct wire_writer writer = {.data = frame + 4 + PEER_TYPE_BYTES, .capacity = size};
    ck_assert_int_eq(wire_encode(schema, 0, message, &writer), ERR_NONE);
    put_be32(frame, (uint32_t)(PEER_TYPE_BYTES + size));
    put_be16(frame + 4, (uint16_t)(PEER_MESSAGE_FIRST + (int)type));
    const struct piece piece = {.data = frame, .length = 4 + PEER_TYPE_BYTES + size};
    const struct effect send = {.kind = EFFECT_SEND,
                                .id = 2,
                                .send = {.connection = LINK, .pieces = &piece, .pieces_count = 1}};
    story_step(story, (struct event){.kind = EVENT_TURN_END}, &send, 1);
}

static void grants(struct story *story, int32_t term)
{
    says(story, RAFT_MESSAGE_VOTED,
         &(struct raft_voted){.term = term, .asked_term = term, .granted = true});
}

static void stands(struct story *story, int32_t term, bool pre_vote)
{
    says(story, RAFT_MESSAGE_VOTE, &(struct raft_vote){.term = term, .pre_vote = pre_vote});
}

static void begin(struct story *story)
{
    own = (struct uuid){{0}};
    story_begin_cluster(story, &judge_votes);
    dials(story);
}

START_TEST(votes_that_are_on_the_disk)
{
    struct story story;
    begin(&story);
    stands(&story, 1, true); /* that binds nobody */
    stores(&story, 1, 1, 2);
    grants(&story, 1);
    grants(&story, 1);
    stores(&story, 2, 2, 1);
    stands(&story, 2, false);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 3);
    story_end(&story);
}
END_TEST

START_TEST(a_vote_that_waited_until_the_next_term)
{
    struct story story;
    begin(&story);
    stores(&story, 1, 5, -1);
    grants(&story, 4);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(two_votes_in_one_term)
{
    struct story story;
    begin(&story);
    stores(&story, 1, 3, 1);
    stands(&story, 3, false);
    ck_assert(story_passes(&story));
    stores(&story, 2, 3, 2);
    grants(&story, 3);
    ck_assert(story_objects(&story, "n1 votes for n2 in term 3, in which it has voted for n1"));
    story_end(&story);
}
END_TEST

START_TEST(a_vote_that_may_be_forgotten)
{
    struct story story;
    begin(&story);
    stores(&story, 1, 3, -1);
    grants(&story, 3);
    ck_assert(story_objects(&story, "with a vote for -1 in term 3"));
    story_end(&story);
}
END_TEST

START_TEST(a_vote_that_is_taken_back)
{
    struct story story;
    struct completion completion;
    const struct effect open = {
        .kind = EFFECT_OPEN,
        .id = 3,
        .open = {.file = STATE_FILE, .mode = OPEN_EXISTING, .path = SPAN(QUORUM_STATE_FILE)}};
    begin(&story);
    stores(&story, 1, 3, 2);
    grants(&story, 3);
    files_submitted(&story.host->files, &open);
    files_carry_out(&story.host->files, &open, 0, 0, 0, &completion);
    const struct piece piece = {.data = place_of(&story, 2, 3, -1),
                                .length = QUORUM_STATE_PLACE_BYTES};
    const struct effect write = {
        .kind = EFFECT_WRITE,
        .id = 4,
        .write = {.file = STATE_FILE, .pieces = &piece, .pieces_count = 1}};
    ck_assert(story_passes(&story));
    story_step(&story, (struct event){.kind = EVENT_TURN_END}, &write, 1);
    ck_assert(story_objects(&story, "n1 stores a vote for -1 in term 3, in which it has voted"));
    story_end(&story);
}
END_TEST

START_TEST(numbers_of_another_process)
{
    struct story story;
    const struct effect connect = {
        .kind = EFFECT_CONNECT, .id = CONNECT, .connect = {.host = SPAN("n2"), .port = 9093}};
    story_begin_cluster(&story, &judge_votes);
    story_step(&story, (struct event){.kind = EVENT_TURN_END}, &connect, 1);
    judges_host_changed(story.sim.judges, story.host, HOST_BOOTED);
    story_step(
        &story,
        (struct event){.kind = EVENT_COMPLETED, .completed = {.effect = CONNECT, .count = LINK}},
        NULL, 0);
    grants(&story, 1);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 0);
    story_end(&story);
}
END_TEST

/* It is another voter: what the one before has promised does not bind it. */
START_TEST(an_empty_disk_has_given_no_vote)
{
    struct story story;
    begin(&story);
    own = story.host->disk.directories[0];
    stores(&story, 1, 3, 1);
    stands(&story, 3, false);
    story_empty_disk(&story);
    own = story.host->disk.directories[0];
    stores(&story, 1, 3, 2);
    grants(&story, 3);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(a_disk_that_came_back_has_given_its_votes)
{
    struct story story;
    begin(&story);
    own = story.host->disk.directories[0];
    stores(&story, 1, 3, 1);
    stands(&story, 3, false);
    story_empty_disk(&story);
    story.host->state = HOST_OFF;
    host_disk_back(story.host);
    story.host->state = HOST_SERVING;
    stores(&story, 2, 3, 2);
    grants(&story, 3);
    ck_assert(story_objects(&story, "n1 votes for n2 in term 3, in which it has voted for n1"));
    story_end(&story);
}
END_TEST

START_TEST(a_vote_with_the_disk_of_another)
{
    struct story story;
    begin(&story);
    story.sim.hosts[0]->state = HOST_OFF;
    story.sim.hosts[1]->state = HOST_OFF;
    host_disks_swap(story.sim.hosts[0], story.sim.hosts[1]);
    own = story.host->disk.directories[0];
    stores(&story, 1, 3, 2);
    grants(&story, 3);
    ck_assert(story_objects(&story, "n1 votes for n2 in term 3, with the disk of n2"));
    story_end(&story);
}
END_TEST

SUITE(judge_votes)
{
    TCase *tcase = tcase_create("votes");
    tcase_add_test(tcase, votes_that_are_on_the_disk);
    tcase_add_test(tcase, a_vote_that_waited_until_the_next_term);
    tcase_add_test(tcase, two_votes_in_one_term);
    tcase_add_test(tcase, a_vote_that_may_be_forgotten);
    tcase_add_test(tcase, a_vote_that_is_taken_back);
    tcase_add_test(tcase, numbers_of_another_process);
    tcase_add_test(tcase, an_empty_disk_has_given_no_vote);
    tcase_add_test(tcase, a_disk_that_came_back_has_given_its_votes);
    tcase_add_test(tcase, a_vote_with_the_disk_of_another);
    suite_add_tcase(suite, tcase);
}
