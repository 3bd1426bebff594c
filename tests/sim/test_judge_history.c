/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/checkpoint.h"
#include "sim/floor.h"
#include "tests/sim/story.h"

#define FIRST "orders-0/00000000000000000000.log"

static struct uuid orders;

static void begin(struct story *story)
{
    story_begin(story, &judge_history);
    orders = story_topic(story, "orders", 2, NULL, NULL);
    story_topic(story, "fast", 1, "write.caching", "true");
}

static void acked(struct story *story, const char *topic, int16_t acks, int64_t base_offset,
                  int32_t count, uint8_t seed)
{
    story_exchanged(story, story_produce(story, topic, 0, acks, story_batch(story, 0, count, seed),
                                         base_offset));
}

static void fetched(struct story *story, const char *topic, int64_t offset, struct span records,
                    int64_t high_watermark)
{
    story_exchanged(story, story_fetch(story, topic, 0, offset, records, high_watermark));
}

START_TEST(one_history)
{
    struct story story;
    begin(&story);
    acked(&story, "orders", 1, 0, 2, 'a');
    acked(&story, "orders", 1, 2, 3, 'b');
    const struct span both =
        story_join(&story, story_batch(&story, 0, 2, 'a'), story_batch(&story, 2, 3, 'b'));
    fetched(&story, "orders", 1, both, 5);
    fetched(&story, "orders", 0, span_of(both.data, both.length - 1), 5);
    fetched(&story, "orders", 5, SPAN(""), 5);
    story_phase(&story, SIM_AUDIT);
    fetched(&story, "orders", 0, both, 5);
    story_phase(&story, SIM_END);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(another_record_at_a_known_offset)
{
    struct story story;
    begin(&story);
    acked(&story, "orders", -1, 0, 2, 'a');
    fetched(&story, "orders", 0, story_batch(&story, 0, 2, 'x'), 2);
    ck_assert(story_objects(&story, "other records"));
    story_end(&story);
}
END_TEST

START_TEST(an_offset_given_out_twice)
{
    struct story story;
    begin(&story);
    acked(&story, "orders", -1, 0, 2, 'a');
    acked(&story, "orders", -1, 1, 1, 'b');
    ck_assert(story_objects(&story, "acknowledged, with other records"));
    story_end(&story);
}
END_TEST

START_TEST(beyond_the_high_watermark)
{
    struct story story;
    begin(&story);
    fetched(&story, "orders", 0, story_batch(&story, 0, 2, 'a'), 1);
    ck_assert(story_objects(&story, "under the high watermark 1"));
    story_end(&story);
}
END_TEST

START_TEST(a_hole_in_a_fetch)
{
    struct story story;
    begin(&story);
    fetched(&story, "orders", 0,
            story_join(&story, story_batch(&story, 0, 2, 'a'), story_batch(&story, 3, 1, 'b')), 4);
    ck_assert(story_objects(&story, "gets offset 3 where 2 is due"));
    story_end(&story);
}
END_TEST

START_TEST(a_batch_that_was_not_asked_for)
{
    struct story story;
    begin(&story);
    fetched(&story, "orders", 4, story_batch(&story, 0, 2, 'a'), 8);
    ck_assert(story_objects(&story, "a fetch from offset 4"));
    story_end(&story);
}
END_TEST

START_TEST(bytes_that_are_no_batch)
{
    struct story story;
    begin(&story);
    const struct span batch = story_batch(&story, 0, 2, 'a');
    uint8_t *bytes = story_take(&story, batch.length);
    memcpy(bytes, batch.data, batch.length);
    bytes[batch.length - 1] ^= 1;
    fetched(&story, "orders", 0, span_of(bytes, batch.length), 2);
    ck_assert(story_objects(&story, "no batch"));
    story_end(&story);
}
END_TEST

START_TEST(a_high_watermark_that_goes_back)
{
    struct story story;
    begin(&story);
    struct exchange *early = story_fetch(&story, "orders", 0, 0, SPAN(""), 3);
    story_ask(&story, early);
    fetched(&story, "orders", 0, SPAN(""), 7);
    story_reply(&story, early); /* it was made before */
    ck_assert(story_passes(&story));
    fetched(&story, "orders", 0, SPAN(""), 6);
    ck_assert(story_objects(&story, "high watermark is 6"));
    story_end(&story);
}
END_TEST

START_TEST(a_start_that_goes_back)
{
    struct story story;
    begin(&story);
    struct exchange *exchange = story_fetch(&story, "orders", 0, 4, SPAN(""), 9);
    story_response(exchange, fetch_response)->responses->partitions->log_start_offset = 4;
    story_exchanged(&story, exchange);
    fetched(&story, "orders", 4, SPAN(""), 9);
    ck_assert(story_objects(&story, "log's start is 0"));
    story_end(&story);
}
END_TEST

/* A topic with write caching may lose all its records, and its start with them. */
START_TEST(a_start_goes_back_with_what_was_cached)
{
    static const char *const topics[] = {"fast", "orders"};
    struct story story;
    begin(&story);
    struct exchange *exchange = story_fetch(&story, topics[_i], 0, 4, SPAN(""), 9);
    story_response(exchange, fetch_response)->responses->partitions->log_start_offset = 4;
    story_exchanged(&story, exchange);
    story_power_loss(&story);
    fetched(&story, topics[_i], 0, SPAN(""), 0);
    ck_assert_int_eq(story_passes(&story), _i == 0);
    story_end(&story);
}
END_TEST

static void folder_of(struct story *story, struct uuid topic)
{
    uint8_t metadata[PARTITION_METADATA_BYTES];
    partition_metadata_write(topic, metadata);
    story_write(story, "orders-0/partition.metadata", span_of(metadata, sizeof(metadata)), true);
}

START_TEST(a_power_loss_may_take_what_was_not_promised)
{
    struct story story;
    begin(&story);
    folder_of(&story, orders);
    story_write(&story, FIRST, story_batch(&story, 0, 1, 'a'), true);
    acked(&story, "orders", -1, 0, 1, 'a');
    acked(&story, "orders", 1, 1, 1, 'b');
    acked(&story, "fast", -1, 0, 1, 'c');
    fetched(&story, "fast", 0, story_batch(&story, 0, 1, 'c'), 1);
    story_power_loss(&story);
    acked(&story, "orders", 1, 1, 1, 'x');
    fetched(&story, "fast", 0, SPAN(""), 0);
    acked(&story, "fast", -1, 0, 1, 'y');
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

/* It comes back with its name when that it was set aside is not durable. */
START_TEST(the_folder_of_an_earlier_topic_keeps_nothing)
{
    struct story story;
    begin(&story);
    folder_of(&story, (struct uuid){{9, 9, 9}});
    story_write(&story, FIRST, story_batch(&story, 0, 5, 'o'), true);
    acked(&story, "orders", 1, 0, 2, 'a');
    story_power_loss(&story);
    story_phase(&story, SIM_AUDIT);
    fetched(&story, "orders", 0, SPAN(""), 0);
    story_phase(&story, SIM_END);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(a_power_loss_takes_what_was_promised)
{
    struct story story;
    begin(&story);
    fetched(&story, "orders", 0, story_batch(&story, 0, 1, 'a'), 1);
    story_power_loss(&story);
    ck_assert(story_objects(&story, "not durable when the power goes"));
    story_end(&story);
}
END_TEST

START_TEST(the_end_misses_something)
{
    struct story story;
    begin(&story);
    acked(&story, "orders", 1, 0, 1, 'a');
    acked(&story, "orders", 1, 1, 1, 'b');
    story_phase(&story, SIM_AUDIT);
    fetched(&story, "orders", 0, story_batch(&story, 0, 1, 'a'), 1);
    story_phase(&story, SIM_END);
    ck_assert(story_objects(&story, "offsets 1 to 1"));
    story_end(&story);
}
END_TEST

START_TEST(old_segments_go)
{
    struct story story;
    begin(&story);
    acked(&story, "orders", 1, 0, 1, 'a');
    acked(&story, "orders", 1, 1, 1, 'b');
    story_phase(&story, SIM_AUDIT);
    struct exchange *exchange =
        story_fetch(&story, "orders", 0, 1, story_batch(&story, 1, 1, 'b'), 2);
    story_response(exchange, fetch_response)->responses->partitions->log_start_offset = 1;
    story_exchanged(&story, exchange);
    story_phase(&story, SIM_END);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(floors_forget_what_is_long_ago)
{
    struct floor floor = {.count = 0};
    ck_assert_int_eq(floor_at(&floor, 100), FLOOR_NONE);
    for (uint64_t i = 1; i <= 20; i++)
        floor_told(&floor, i * 10, (int64_t)i);
    ck_assert_int_eq(floor_top(&floor), 20);
    ck_assert_int_eq(floor_at(&floor, 201), 20);
    ck_assert_int_eq(floor_at(&floor, 200), 19);
    ck_assert_int_eq(floor_at(&floor, 5), FLOOR_NONE);
    floor_lower(&floor, 15);
    ck_assert_int_eq(floor_top(&floor), 15);
    floor_told(&floor, 300, 15);
    ck_assert_int_eq(floor_at(&floor, 299), 15);
    floor_lower(&floor, 2);
    ck_assert_int_eq(floor_top(&floor), 2);
}
END_TEST

static void begin_cluster(struct story *story)
{
    story_begin_cluster(story, &judge_history);
    story_topic(story, "orders", 2, NULL, NULL);
}

/* A partition is one history, whichever node tells of it. */
START_TEST(another_record_on_another_node)
{
    struct story story;
    begin_cluster(&story);
    acked(&story, "orders", -1, 0, 2, 'a');
    story_at(&story, 2);
    fetched(&story, "orders", 0, story_batch(&story, 0, 2, 'a'), 2);
    ck_assert(story_passes(&story));
    fetched(&story, "orders", 0, story_batch(&story, 0, 2, 'b'), 2);
    ck_assert(story_objects(&story, "offsets 0 to 1 were consumed, with other records"));
    story_end(&story);
}
END_TEST

START_TEST(what_the_leader_alone_had_may_go_with_it)
{
    struct story story;
    begin_cluster(&story);
    acked(&story, "orders", 1, 0, 2, 'a');
    acked(&story, "orders", 1, 2, 1, 'b');
    story_at(&story, 2);
    acked(&story, "orders", -1, 0, 1, 'c');
    fetched(&story, "orders", 0, story_batch(&story, 0, 1, 'c'), 1);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(story.sim.tally.counts[TALLY_unpromised_lost], 1);
    story_at(&story, 1);
    acked(&story, "orders", 1, 0, 3, 'd'); /* by one who does not know yet */
    story_phase(&story, SIM_AUDIT);
    story_at(&story, 2);
    fetched(&story, "orders", 0, story_batch(&story, 0, 1, 'c'), 1);
    story_phase(&story, SIM_END);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(story.sim.tally.counts[TALLY_unpromised_lost], 3);
    story_end(&story);
}
END_TEST

/* The node's disk holds this; then it leads, as a record says, though it was not in sync. */
static void leads_uncleanly(struct story *story, int32_t node, struct span log)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    struct partition_change_record *change = &record.body.partition_change;
    story_at(story, (uint32_t)node);
    folder_of(story, orders);
    story_write(story, FIRST, log, true);
    change->topic_id = orders;
    change->partition_id = 0;
    change->leader = node;
    change->isr = &node;
    change->isr_count = 1;
    change->leader_recovery_state = 1;
    story_metadata(story, &record);
}

/* A topic on all three nodes, of which the first leads. */
static void begin_acked(struct story *story)
{
    static int32_t all[] = {1, 2, 3};
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    story_begin_cluster(story, &judge_history);
    orders = (struct uuid){.bytes = {0x70}};
    record.body.topic.name = SPAN("orders");
    record.body.topic.topic_id = orders;
    story_metadata(story, &record);
    record = meta_record_of(META_RECORD_PARTITION);
    record.body.partition.topic_id = orders;
    record.body.partition.partition_id = 0;
    record.body.partition.replicas = record.body.partition.isr = all;
    record.body.partition.replicas_count = record.body.partition.isr_count = 3;
    record.body.partition.leader = 1;
    record.body.partition.leader_epoch = record.body.partition.partition_epoch = 0;
    story_metadata(story, &record);
    acked(story, "orders", -1, 0, 2, 'a');
    acked(story, "orders", -1, 2, 1, 'b');
    acked(story, "orders", -1, 3, 1, 'c');
}

/* What the new leader did not have may go, and what it had may not. */
START_TEST(an_unclean_election_gives_up_what_the_leader_lacks)
{
    struct story story;
    begin_acked(&story);
    leads_uncleanly(&story, 2, story_batch(&story, 0, 2, 'a'));
    acked(&story, "orders", -1, 2, 2, 'd');
    fetched(&story, "orders", 2, story_batch(&story, 2, 2, 'd'), 4);
    fetched(&story, "orders", 0, story_batch(&story, 0, 2, 'a'), 4);
    ck_assert(story_passes(&story));
    if (_i == 0)
        fetched(&story, "orders", 0, story_batch(&story, 0, 2, 'e'), 4);
    else
        acked(&story, "orders", -1, 2, 2, 'e'); /* it holds again */
    ck_assert(story_objects(&story, "other records"));
    story_end(&story);
}
END_TEST

/* Its log had parted from the others' where it holds other records. */
START_TEST(an_unclean_election_gives_up_what_the_leader_has_otherwise)
{
    struct story story;
    begin_acked(&story);
    leads_uncleanly(
        &story, 2,
        story_join(&story, story_batch(&story, 0, 2, 'a'), story_batch(&story, 2, 2, 'd')));
    fetched(&story, "orders", 2, story_batch(&story, 2, 2, 'd'), 4);
    ck_assert(story_passes(&story));
    fetched(&story, "orders", 0, story_batch(&story, 0, 2, 'e'), 4);
    ck_assert(story_objects(&story, "other records"));
    story_end(&story);
}
END_TEST

START_TEST(what_all_had_may_not)
{
    struct story story;
    begin_cluster(&story);
    acked(&story, "orders", -1, 0, 2, 'a');
    story_phase(&story, SIM_AUDIT);
    story_at(&story, 3);
    fetched(&story, "orders", 0, SPAN(""), 0);
    story_phase(&story, SIM_END);
    ck_assert(story_objects(&story, "acknowledged or consumed, and can't be read at the end"));
    story_end(&story);
}
END_TEST

/* A node that has come to lead may not know yet how much is committed. */
START_TEST(a_high_watermark_that_is_known_later)
{
    struct story story;
    begin_cluster(&story);
    fetched(&story, "orders", 0, SPAN(""), 7);
    story_at(&story, 2);
    fetched(&story, "orders", 0, SPAN(""), 3);
    ck_assert(story_passes(&story));
    struct exchange *exchange = story_exchange(&story, API_LIST_OFFSETS, 4);
    struct list_offsets_request *request = story_request(exchange, list_offsets_request);
    request->topics_count = 1;
    request->topics = story_take(&story, sizeof(*request->topics));
    request->topics->name = SPAN("orders");
    request->topics->partitions_count = 1;
    request->topics->partitions = story_take(&story, sizeof(*request->topics->partitions));
    request->topics->partitions->timestamp = -1;
    struct list_offsets_response *response = story_response(exchange, list_offsets_response);
    response->topics_count = 1;
    response->topics = story_take(&story, sizeof(*response->topics));
    response->topics->name = SPAN("orders");
    response->topics->partitions_count = 1;
    response->topics->partitions = story_take(&story, sizeof(*response->topics->partitions));
    response->topics->partitions->offset = 3;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "the high watermark is 3, though 7 had been told"));
    story_end(&story);
}
END_TEST

static void deleted(struct story *story, int64_t low_watermark)
{
    struct exchange *exchange = story_exchange(story, API_DELETE_RECORDS, 2);
    struct delete_records_response *response = story_response(exchange, delete_records_response);
    response->topics_count = 1;
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics->name = SPAN("orders");
    response->topics->partitions_count = 1;
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions->low_watermark = low_watermark;
    story_exchanged(story, exchange);
}

/* Who leads no more and has not heard of it has what was deleted since; who leads has not. */
START_TEST(what_was_deleted_comes_back)
{
    struct story story;
    begin_cluster(&story);
    deleted(&story, 5);
    story_at(&story, 2);
    fetched(&story, "orders", 0, SPAN(""), 7);
    ck_assert(story_passes(&story));
    deleted(&story, 3);
    ck_assert(story_objects(&story, "log's start is 3, though 5 had been told"));
    story_end(&story);
}
END_TEST

SUITE(judge_history)
{
    TCase *tcase = tcase_create("history");
    tcase_add_test(tcase, one_history);
    tcase_add_test(tcase, another_record_at_a_known_offset);
    tcase_add_test(tcase, an_offset_given_out_twice);
    tcase_add_test(tcase, beyond_the_high_watermark);
    tcase_add_test(tcase, a_hole_in_a_fetch);
    tcase_add_test(tcase, a_batch_that_was_not_asked_for);
    tcase_add_test(tcase, bytes_that_are_no_batch);
    tcase_add_test(tcase, a_high_watermark_that_goes_back);
    tcase_add_test(tcase, a_start_that_goes_back);
    tcase_add_loop_test(tcase, a_start_goes_back_with_what_was_cached, 0, 2);
    tcase_add_test(tcase, a_power_loss_may_take_what_was_not_promised);
    tcase_add_test(tcase, the_folder_of_an_earlier_topic_keeps_nothing);
    tcase_add_test(tcase, a_power_loss_takes_what_was_promised);
    tcase_add_test(tcase, the_end_misses_something);
    tcase_add_test(tcase, old_segments_go);
    tcase_add_test(tcase, floors_forget_what_is_long_ago);
    tcase_add_test(tcase, another_record_on_another_node);
    tcase_add_test(tcase, what_the_leader_alone_had_may_go_with_it);
    tcase_add_loop_test(tcase, an_unclean_election_gives_up_what_the_leader_lacks, 0, 2);
    tcase_add_test(tcase, an_unclean_election_gives_up_what_the_leader_has_otherwise);
    tcase_add_test(tcase, what_all_had_may_not);
    tcase_add_test(tcase, a_high_watermark_that_is_known_later);
    tcase_add_test(tcase, what_was_deleted_comes_back);
    suite_add_tcase(suite, tcase);
}
