/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"
#include "tests/sim/story.h"

/* The start of orders-0, asked for under a leader epoch, where epoch 0 is the leader's. */
static struct exchange *offsets(struct story *story, int32_t epoch, int16_t error)
{
    struct exchange *exchange = story_exchange(story, API_LIST_OFFSETS, 6);
    struct list_offsets_request *request = story_request(exchange, list_offsets_request);
    struct list_offsets_response *response = story_response(exchange, list_offsets_response);
    request->topics = story_take(story, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->name = SPAN("orders");
    request->topics->partitions = story_take(story, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    request->topics->partitions->current_leader_epoch = epoch;
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = SPAN("orders");
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->error_code = error;
    return exchange;
}

static struct exchange *epoch_end(struct story *story, int32_t epoch, int16_t error)
{
    struct exchange *exchange = story_exchange(story, API_OFFSET_FOR_LEADER_EPOCH, 4);
    struct offset_for_leader_epoch_request *request =
        story_request(exchange, offset_for_leader_epoch_request);
    struct offset_for_leader_epoch_response *response =
        story_response(exchange, offset_for_leader_epoch_response);
    request->topics = story_take(story, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->partitions = story_take(story, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    request->topics->partitions->current_leader_epoch = epoch;
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->topic = SPAN("orders");
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->error_code = error;
    return exchange;
}

static struct exchange *fetch(struct story *story, int32_t epoch, int16_t error)
{
    struct exchange *exchange = story_fetch(story, "orders", 0, 0, SPAN(""), 0);
    story_request(exchange, fetch_request)->topics->partitions->current_leader_epoch = epoch;
    story_response(exchange, fetch_response)->responses->partitions->error_code = error;
    exchange->version = 9;
    return exchange;
}

static void begin(struct story *story)
{
    story_begin_cluster(story, &judge_fencing);
    story_topic(story, "orders", 1, NULL, NULL);
}

START_TEST(the_epoch_of_the_leader)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, offsets(&story, 0, ERR_NONE));
    story_exchanged(&story, offsets(&story, -1, ERR_NONE));
    story_exchanged(&story, offsets(&story, 1, ERR_UNKNOWN_LEADER_EPOCH));
    story_exchanged(&story, epoch_end(&story, 0, ERR_NONE));
    story_exchanged(&story, fetch(&story, 0, ERR_NONE));
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 4);
    story_end(&story);
}
END_TEST

START_TEST(a_newer_epoch_that_is_answered)
{
    struct exchange *(*const ask[])(struct story *, int32_t, int16_t) = {offsets, epoch_end, fetch};
    for (size_t i = 0; i < sizeof(ask) / sizeof(ask[0]); i++) {
        struct story story;
        begin(&story);
        story_exchanged(&story, ask[i](&story, 1, ERR_NONE));
        ck_assert(story_objects(&story, "orders-0 under leader epoch 1 is answered in epoch 0"));
        story_end(&story);
    }
}
END_TEST

START_TEST(a_newer_epoch_that_is_fenced)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, fetch(&story, 1, ERR_FENCED_LEADER_EPOCH));
    ck_assert(story_objects(&story, "under leader epoch 1 is fenced in epoch 0"));
    story_end(&story);
}
END_TEST

START_TEST(an_epoch_that_is_unknown_to_its_leader)
{
    struct story story;
    begin(&story);
    story_exchanged(&story, offsets(&story, 0, ERR_UNKNOWN_LEADER_EPOCH));
    ck_assert(story_objects(&story, "under leader epoch 0 is unknown in epoch 0"));
    story_end(&story);
}
END_TEST

SUITE(judge_fencing)
{
    TCase *tcase = tcase_create("fencing");
    tcase_add_test(tcase, the_epoch_of_the_leader);
    tcase_add_test(tcase, a_newer_epoch_that_is_answered);
    tcase_add_test(tcase, a_newer_epoch_that_is_fenced);
    tcase_add_test(tcase, an_epoch_that_is_unknown_to_its_leader);
    suite_add_tcase(suite, tcase);
}
