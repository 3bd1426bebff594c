/* SPDX-License-Identifier: Apache-2.0 */
/* A broker that is not of any cluster yet has a lease for ever. */
#include "core/wire/error.h"
#include "tests/sim/story.h"

static void is_registered(struct story *story, uint8_t incarnation, bool fenced)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = 1;
    record.body.register_broker.broker_epoch = story->wal_end;
    record.body.register_broker.incarnation_id = (struct uuid){.bytes = {incarnation}};
    record.body.register_broker.fenced = fenced;
    story_metadata(story, &record);
}

static void registers(struct story *story, uint8_t incarnation, bool fenced)
{
    is_registered(story, incarnation, fenced);
    story_step(story, (struct event){.kind = EVENT_TURN_END}, NULL, 0);
}

START_TEST(who_takes_part)
{
    struct story story;
    story_begin_cluster(&story, &judge_leases);
    registers(&story, 0, false);
    ck_assert(story_passes(&story));
    ck_assert_uint_ge(judges_get(story.sim.judges, 0)->judged, 1);
    story_end(&story);
}
END_TEST

START_TEST(another_process_was_fenced)
{
    struct story story;
    story_begin_cluster(&story, &judge_leases);
    registers(&story, 1, true);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(who_is_fenced)
{
    struct story story;
    story_begin_cluster(&story, &judge_leases);
    registers(&story, 0, true);
    ck_assert(story_objects(&story, "n1 holds a lease, and is fenced under broker epoch"));
    story_end(&story);
}
END_TEST

static void acknowledges(struct story *story, int16_t error_code)
{
    struct exchange *exchange =
        story_produce(story, "orders", 0, 1, story_batch(story, 0, 1, 'a'), 0);
    struct produce_response *response = story_response(exchange, produce_response);
    response->responses[0].partition_responses[0].error_code = error_code;
    story_exchanged(story, exchange);
}

static void commits(struct story *story, int16_t error_code)
{
    struct exchange *exchange = story_exchange(story, API_OFFSET_COMMIT, 8);
    struct offset_commit_response *response = story_response(exchange, offset_commit_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->error_code = error_code;
    story_exchanged(story, exchange);
}

/* The judge without the part that would object to the lease. */
static struct judge_kind of_replies(void)
{
    struct judge_kind kind = judge_leases;
    kind.stepped = NULL;
    return kind;
}

START_TEST(who_is_fenced_acknowledges_no_records)
{
    struct story story;
    const struct judge_kind kind = of_replies();
    story_begin_cluster(&story, &kind);
    story_topic(&story, "orders", 1, NULL, NULL);
    is_registered(&story, 1, true); /* another process */
    acknowledges(&story, ERR_NONE);
    ck_assert(story_passes(&story));
    is_registered(&story, 0, true);
    acknowledges(&story, ERR_NOT_LEADER_OR_FOLLOWER);
    ck_assert(story_passes(&story));
    acknowledges(&story, ERR_NONE);
    ck_assert(story_objects(&story, "n1 acknowledges records, and is fenced"));
    story_end(&story);
}
END_TEST

START_TEST(who_is_fenced_acknowledges_no_offsets)
{
    struct story story;
    const struct judge_kind kind = of_replies();
    story_begin_cluster(&story, &kind);
    is_registered(&story, 1, true); /* another process */
    commits(&story, ERR_NONE);
    ck_assert(story_passes(&story));
    is_registered(&story, 0, true);
    commits(&story, ERR_NOT_COORDINATOR);
    ck_assert(story_passes(&story));
    commits(&story, ERR_NONE);
    ck_assert(story_objects(&story, "n1 acknowledges offsets of a group, and is fenced"));
    story_end(&story);
}
END_TEST

SUITE(judge_leases)
{
    TCase *tcase = tcase_create("leases");
    tcase_add_test(tcase, who_takes_part);
    tcase_add_test(tcase, another_process_was_fenced);
    tcase_add_test(tcase, who_is_fenced);
    tcase_add_test(tcase, who_is_fenced_acknowledges_no_records);
    tcase_add_test(tcase, who_is_fenced_acknowledges_no_offsets);
    suite_add_tcase(suite, tcase);
}
