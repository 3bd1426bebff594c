/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"
#include "tests/sim/story.h"

static const struct event turn_end = {.kind = EVENT_TURN_END};

static void asks(struct story *story, struct effect effect)
{
    story_step(story, turn_end, &effect, 1);
}

static void completes(struct story *story, uint64_t id, int error)
{
    const struct event event = {.kind = EVENT_COMPLETED,
                                .completed = {.effect = id, .error = error}};
    story_step(story, event, NULL, 0);
}

/* File 1 is open after this; the next id is 2. */
static void begin(struct story *story)
{
    story_begin(story, &judge_contract);
    asks(story, (struct effect){.kind = EFFECT_OPEN, .id = 1, .open = {.file = 1}});
    completes(story, 1, ERR_NONE);
}

START_TEST(what_the_contract_allows)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_WRITE, .id = 2, .write = {.file = 1}});
    completes(&story, 2, ERR_IO);
    asks(&story, (struct effect){.kind = EFFECT_TRUNCATE, .id = 3, .range = {.file = 1}});
    completes(&story, 3, ERR_NONE);
    asks(&story, (struct effect){.kind = EFFECT_WRITE, .id = 4, .write = {.file = 1}});
    asks(&story, (struct effect){.kind = EFFECT_SYNC, .id = 5, .file = 1});
    completes(&story, 5, ERR_NONE);
    completes(&story, 4, ERR_NONE);
    asks(&story, (struct effect){.kind = EFFECT_SYNC, .id = 6, .file = 1});
    completes(&story, 6, ERR_NONE);
    asks(&story, (struct effect){.kind = EFFECT_CLOSE_FILE, .id = 7, .file = 1});
    completes(&story, 7, ERR_NONE);
    asks(&story, (struct effect){.kind = EFFECT_WATCH, .id = 8, .connection = 1});
    asks(&story, (struct effect){.kind = EFFECT_SEND, .id = 9, .send = {.connection = 1}});
    completes(&story, 8, ERR_NONE);
    asks(&story, (struct effect){.kind = EFFECT_RECEIVE, .id = 10, .receive = {.connection = 1}});
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 10);
    story_end(&story);
}
END_TEST

START_TEST(an_id_used_again)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_SYNC, .id = 1, .file = 1});
    ck_assert(story_objects(&story, "its id is not a new one"));
    story_end(&story);
}
END_TEST

START_TEST(a_write_after_a_failed_one)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_WRITE, .id = 2, .write = {.file = 1}});
    completes(&story, 2, ERR_NO_SPACE);
    asks(&story, (struct effect){.kind = EFFECT_WRITE, .id = 3, .write = {.file = 1}});
    ck_assert(story_objects(&story, "follows a failed one before"));
    story_end(&story);
}
END_TEST

START_TEST(a_sync_after_a_failed_one)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_SYNC, .id = 2, .file = 1});
    completes(&story, 2, ERR_IO);
    asks(&story, (struct effect){.kind = EFFECT_SYNC, .id = 3, .file = 1});
    ck_assert(story_objects(&story, "a sync follows a failed one"));
    story_end(&story);
}
END_TEST

START_TEST(a_closed_file)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_CLOSE_FILE, .id = 2, .file = 1});
    asks(&story, (struct effect){.kind = EFFECT_READ, .id = 3, .read = {.file = 1}});
    ck_assert(story_objects(&story, "not open"));
    story_end(&story);
}
END_TEST

START_TEST(a_file_that_did_not_open)
{
    struct story story;
    story_begin(&story, &judge_contract);
    asks(&story, (struct effect){.kind = EFFECT_OPEN, .id = 1, .open = {.file = 1}});
    completes(&story, 1, ERR_NOT_FOUND);
    asks(&story, (struct effect){.kind = EFFECT_READ, .id = 2, .read = {.file = 1}});
    ck_assert(story_objects(&story, "not open"));
    story_end(&story);
}
END_TEST

/* Bytes 100 to 200 of the file are being sent, as effect 2. */
static void begin_send(struct story *story)
{
    begin(story);
    struct piece *pieces = story_take(story, 2 * sizeof(*pieces));
    pieces[0] = (struct piece){.data = (const uint8_t *)"head", .length = 4};
    pieces[1] = (struct piece){.file = 1, .offset = 100, .length = 100};
    asks(story, (struct effect){.kind = EFFECT_SEND,
                                .id = 2,
                                .send = {.connection = 4, .pieces = pieces, .pieces_count = 2}});
}

START_TEST(a_file_that_was_sent)
{
    struct story story;
    begin_send(&story);
    asks(&story, (struct effect){.kind = EFFECT_TRUNCATE, .id = 3, .range = {1, 200, 0}});
    completes(&story, 3, ERR_NONE);
    completes(&story, 2, ERR_NONE);
    asks(&story, (struct effect){.kind = EFFECT_TRUNCATE, .id = 4, .range = {1, 0, 0}});
    completes(&story, 4, ERR_NONE);
    asks(&story, (struct effect){.kind = EFFECT_CLOSE_FILE, .id = 5, .file = 1});
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(a_file_closed_while_it_is_sent)
{
    struct story story;
    begin_send(&story);
    asks(&story, (struct effect){.kind = EFFECT_CLOSE_FILE, .id = 3, .file = 1});
    ck_assert(story_objects(&story, "closed of which bytes are being sent"));
    story_end(&story);
}
END_TEST

START_TEST(a_file_cut_while_it_is_sent)
{
    struct story story;
    begin_send(&story);
    asks(&story, (struct effect){.kind = EFFECT_TRUNCATE, .id = 3, .range = {1, 199, 0}});
    ck_assert(story_objects(&story, "bytes that are being sent are cut off"));
    story_end(&story);
}
END_TEST

START_TEST(two_receives)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_WATCH, .id = 2, .connection = 4});
    asks(&story, (struct effect){.kind = EFFECT_RECEIVE, .id = 3, .receive = {.connection = 4}});
    ck_assert(story_objects(&story, "two receives"));
    story_end(&story);
}
END_TEST

START_TEST(two_sends)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_SEND, .id = 2, .send = {.connection = 4}});
    asks(&story, (struct effect){.kind = EFFECT_SEND, .id = 3, .send = {.connection = 4}});
    ck_assert(story_objects(&story, "two sends"));
    story_end(&story);
}
END_TEST

START_TEST(a_closed_connection)
{
    struct story story;
    begin(&story);
    asks(&story, (struct effect){.kind = EFFECT_CLOSE, .id = 2, .connection = 4});
    asks(&story, (struct effect){.kind = EFFECT_SEND, .id = 3, .send = {.connection = 4}});
    ck_assert(story_objects(&story, "connection that is closed"));
    story_end(&story);
}
END_TEST

START_TEST(a_timer_that_spins)
{
    struct story story;
    story_begin(&story, &judge_contract);
    for (int i = 0; i < 300; i++) {
        story_step(&story, (struct event){.kind = EVENT_TIMER}, NULL, 0);
        if (i % 50 == 0) /* something comes in between */
            story_step(&story, (struct event){.kind = EVENT_ACCEPTED}, NULL, 0);
        story_step(&story, turn_end, NULL, 0);
    }
    ck_assert(story_passes(&story));
    for (int i = 0; i < 150; i++) {
        story_step(&story, (struct event){.kind = EVENT_TIMER}, NULL, 0);
        story_step(&story, turn_end, NULL, 0);
        story.sim.now_us += 2;
    }
    ck_assert(story_objects(&story, "spins"));
    story_end(&story);
}
END_TEST

START_TEST(a_new_process_begins_anew)
{
    struct story story;
    begin(&story);
    judges_host_changed(story.sim.judges, story.host, HOST_BOOTED);
    asks(&story, (struct effect){.kind = EFFECT_OPEN, .id = 1, .open = {.file = 1}});
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

SUITE(judge_contract)
{
    TCase *tcase = tcase_create("contract");
    tcase_add_test(tcase, what_the_contract_allows);
    tcase_add_test(tcase, an_id_used_again);
    tcase_add_test(tcase, a_write_after_a_failed_one);
    tcase_add_test(tcase, a_sync_after_a_failed_one);
    tcase_add_test(tcase, a_closed_file);
    tcase_add_test(tcase, a_file_that_did_not_open);
    tcase_add_test(tcase, a_file_that_was_sent);
    tcase_add_test(tcase, a_file_closed_while_it_is_sent);
    tcase_add_test(tcase, a_file_cut_while_it_is_sent);
    tcase_add_test(tcase, two_receives);
    tcase_add_test(tcase, two_sends);
    tcase_add_test(tcase, a_closed_connection);
    tcase_add_test(tcase, a_timer_that_spins);
    tcase_add_test(tcase, a_new_process_begins_anew);
    suite_add_tcase(suite, tcase);
}
