/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/builder.h"
#include "sim/record_value.h"
#include "tests/sim/story.h"

#define VALUE_BYTES 32

static void begin(struct story *story)
{
    story_begin(story, &judge_idempotence);
    story_topic(story, "orders", 1, NULL, NULL);
}

/* A batch of client 3's records from `number` on; `producer_id` < 0: not idempotent. */
static struct span values(struct story *story, int64_t base_offset, uint64_t number, int32_t count,
                          int64_t producer_id, int32_t sequence)
{
    uint8_t value[VALUE_BYTES];
    const size_t capacity =
        BATCH_HEADER_BYTES +
        (size_t)count * batch_record_size(count, 0, SPAN("key"), span_of(value, VALUE_BYTES));
    uint8_t *bytes = story_take(story, capacity);
    struct batch_builder builder;
    batch_builder_start(&builder, bytes, capacity, 1000, false);
    for (int32_t i = 0; i < count; i++) {
        const struct record_value content = {.client = 3, .number = number + (uint64_t)i};
        record_value_write(&content, value, VALUE_BYTES);
        batch_builder_add(&builder, 1000, SPAN("key"), span_of(value, VALUE_BYTES));
    }
    const size_t length = batch_builder_finish(&builder);
    batch_patch(bytes, base_offset, 0);
    if (producer_id >= 0) {
        put_be64(bytes + BATCH_AT_PRODUCER_ID, (uint64_t)producer_id);
        put_be16(bytes + BATCH_AT_PRODUCER_EPOCH, 0);
        put_be32(bytes + BATCH_AT_BASE_SEQUENCE, (uint32_t)sequence);
        put_be32(bytes + BATCH_AT_CRC, batch_checksum(bytes, length));
    }
    return span_of(bytes, length);
}

static void sent(struct story *story, uint64_t number, int32_t count)
{
    story_ask(story,
              story_produce(story, "orders", 0, -1, values(story, 0, number, count, -1, -1), 0));
}

static void read(struct story *story, int64_t offset, struct span records)
{
    story_phase(story, SIM_AUDIT);
    story_exchanged(story, story_fetch(story, "orders", 0, offset, records, 100));
}

START_TEST(each_once)
{
    struct story story;
    begin(&story);
    sent(&story, 0, 3);
    sent(&story, 3, 2);
    read(&story, 0, values(&story, 0, 0, 3, 7, 0));
    read(&story, 0, values(&story, 0, 0, 3, 7, 0)); /* the fetch was made again */
    read(&story, 3, values(&story, 3, 3, 2, 7, 3));
    ck_assert(story_passes(&story));
    ck_assert_uint_gt(judges_get(story.sim.judges, 0)->judged, 0);
    story_end(&story);
}
END_TEST

START_TEST(twice_though_sent_once)
{
    struct story story;
    begin(&story);
    sent(&story, 0, 3);
    read(&story, 0, values(&story, 0, 0, 3, -1, -1));
    read(&story, 3, values(&story, 3, 0, 3, -1, -1));
    ck_assert(story_objects(&story, "record 0 of client 3, which was sent 1 times"));
    story_end(&story);
}
END_TEST

START_TEST(twice_when_sent_twice)
{
    struct story story;
    begin(&story);
    sent(&story, 0, 3);
    sent(&story, 3, 1);
    sent(&story, 0, 3);
    read(&story, 0, values(&story, 0, 0, 3, -1, -1));
    read(&story, 3, values(&story, 3, 0, 3, -1, -1));
    ck_assert(story_passes(&story));
    read(&story, 6, values(&story, 6, 3, 1, -1, -1));
    read(&story, 7, values(&story, 7, 3, 1, -1, -1));
    ck_assert(story_objects(&story, "record 3 of client 3"));
    story_end(&story);
}
END_TEST

START_TEST(never_sent)
{
    struct story story;
    begin(&story);
    sent(&story, 0, 3);
    read(&story, 0, values(&story, 0, 2, 2, -1, -1));
    ck_assert(story_objects(&story, "record 3 of client 3, which was sent 0 times"));
    story_end(&story);
}
END_TEST

START_TEST(idempotent_and_twice)
{
    struct story story;
    begin(&story);
    sent(&story, 0, 3);
    sent(&story, 0, 3);
    read(&story, 0, values(&story, 0, 0, 3, 7, 0));
    read(&story, 3, values(&story, 3, 0, 3, 7, 0));
    ck_assert(story_objects(&story, "producer id 7 goes on with sequence 0"));
    story_end(&story);
}
END_TEST

START_TEST(a_gap_in_the_sequence)
{
    struct story story;
    begin(&story);
    sent(&story, 0, 9);
    read(&story, 0, values(&story, 0, 0, 3, 7, 0));
    read(&story, 3, values(&story, 3, 5, 1, 7, 5));
    ck_assert(story_objects(&story, "producer id 7 goes on with sequence 5"));
    story_end(&story);
}
END_TEST

START_TEST(a_new_producer_id_may_repeat_what_was_sent_again)
{
    struct story story;
    begin(&story);
    sent(&story, 0, 3);
    sent(&story, 0, 3);
    read(&story, 0, values(&story, 0, 0, 3, 7, 0));
    read(&story, 3, values(&story, 3, 0, 3, 8, 0));
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

static void given(struct story *story, int64_t producer_id, int16_t epoch)
{
    struct exchange *exchange = story_exchange(story, API_INIT_PRODUCER_ID, 2);
    struct init_producer_id_response *response =
        story_response(exchange, init_producer_id_response);
    response->producer_id = producer_id;
    response->producer_epoch = epoch;
    story_exchanged(story, exchange);
}

START_TEST(a_producer_id_given_twice)
{
    struct story story;
    begin(&story);
    given(&story, 7, 0);
    given(&story, 8, 0);
    given(&story, 7, 1);
    ck_assert(story_passes(&story));
    given(&story, 8, 0);
    ck_assert(story_objects(&story, "gives producer id 8 with epoch 0 once more"));
    story_end(&story);
}
END_TEST

SUITE(judge_idempotence)
{
    TCase *tcase = tcase_create("idempotence");
    tcase_add_test(tcase, each_once);
    tcase_add_test(tcase, twice_though_sent_once);
    tcase_add_test(tcase, twice_when_sent_twice);
    tcase_add_test(tcase, never_sent);
    tcase_add_test(tcase, idempotent_and_twice);
    tcase_add_test(tcase, a_gap_in_the_sequence);
    tcase_add_test(tcase, a_producer_id_given_twice);
    tcase_add_test(tcase, a_new_producer_id_may_repeat_what_was_sent_again);
    suite_add_tcase(suite, tcase);
}
