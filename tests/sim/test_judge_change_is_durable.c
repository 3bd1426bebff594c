/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/resource.h"
#include "tests/sim/story.h"

static struct exchange *create(struct story *story, const char *name, struct uuid id,
                               int32_t partitions)
{
    struct exchange *exchange = story_exchange(story, API_CREATE_TOPICS, 7);
    struct create_topics_response *response = story_response(exchange, create_topics_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = span_text(name);
    response->topics->topic_id = id;
    response->topics->num_partitions = partitions;
    return exchange;
}

static struct exchange *removal(struct story *story, const char *name, struct uuid id)
{
    struct exchange *exchange = story_exchange(story, API_DELETE_TOPICS, 6);
    struct delete_topics_response *response = story_response(exchange, delete_topics_response);
    response->responses = story_take(story, sizeof(*response->responses));
    response->responses_count = 1;
    response->responses->name = span_text(name);
    response->responses->topic_id = id;
    return exchange;
}

static struct exchange *alter(struct story *story, const char *topic, const char *key,
                              const char *value)
{
    struct exchange *exchange = story_exchange(story, API_INCREMENTAL_ALTER_CONFIGS, 1);
    struct incremental_alter_configs_request *request =
        story_request(exchange, incremental_alter_configs_request);
    request->resources = story_take(story, sizeof(*request->resources));
    request->resources_count = 1;
    request->resources->resource_type = RESOURCE_TOPIC;
    request->resources->resource_name = span_text(topic);
    request->resources->configs = story_take(story, sizeof(*request->resources->configs));
    request->resources->configs_count = 1;
    request->resources->configs->name = span_text(key);
    request->resources->configs->value = span_text(value);
    struct incremental_alter_configs_response *response =
        story_response(exchange, incremental_alter_configs_response);
    response->responses = story_take(story, sizeof(*response->responses));
    response->responses_count = 1;
    return exchange;
}

static void deleted_before(struct story *story, int64_t offset)
{
    struct exchange *exchange = story_exchange(story, API_DELETE_RECORDS, 2);
    struct delete_records_response *response = story_response(exchange, delete_records_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = SPAN("orders");
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->low_watermark = offset;
    story_exchanged(story, exchange);
}

static void named(struct story *story, int64_t producer_id)
{
    struct exchange *exchange = story_exchange(story, API_INIT_PRODUCER_ID, 4);
    story_response(exchange, init_producer_id_response)->producer_id = producer_id;
    story_exchanged(story, exchange);
}

START_TEST(durable_changes)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    struct exchange *exchange = create(&story, "orders", (struct uuid){{0x74, 1}}, 2);
    story_ask(&story, exchange);
    const struct uuid id = story_topic(&story, "orders", 2, "retention.ms", "1000");
    story_reply(&story, exchange);
    story_exchanged(&story, alter(&story, "orders", "retention.ms", "1000"));
    story_write(&story, "log-start-offset-checkpoint", SPAN("0\n1\norders 0 5\n"), true);
    deleted_before(&story, 5);
    struct meta_record record = meta_record_of(META_RECORD_PRODUCER_IDS);
    record.body.producer_ids.next_producer_id = 1000;
    story_metadata(&story, &record);
    named(&story, 999);
    exchange = removal(&story, "orders", id);
    story_ask(&story, exchange);
    story_topic_goes(&story, id);
    story_reply(&story, exchange);
    ck_assert(story_passes(&story));
    ck_assert_uint_eq(judges_get(story.sim.judges, 0)->judged, 5);
    story_end(&story);
}
END_TEST

START_TEST(a_topic_that_is_not_there)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    story_exchanged(&story, create(&story, "orders", (struct uuid){{0x74, 1}}, 2));
    ck_assert(story_objects(&story, "CreateTopics"));
    story_end(&story);
}
END_TEST

START_TEST(a_topic_with_too_few_partitions)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    struct exchange *exchange = create(&story, "orders", (struct uuid){{0x74, 1}}, 2);
    story_ask(&story, exchange);
    story_topic(&story, "orders", 1, NULL, NULL);
    story_reply(&story, exchange);
    ck_assert(story_objects(&story, "all partitions"));
    story_end(&story);
}
END_TEST

START_TEST(a_topic_that_is_still_there)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    const struct uuid id = story_topic(&story, "orders", 1, NULL, NULL);
    story_exchanged(&story, removal(&story, "orders", id));
    ck_assert(story_objects(&story, "DeleteTopics"));
    story_end(&story);
}
END_TEST

START_TEST(a_setting_that_is_not_there)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    story_topic(&story, "orders", 1, "retention.ms", "1000");
    story_exchanged(&story, alter(&story, "orders", "retention.ms", "2000"));
    ck_assert(story_objects(&story, "retention.ms"));
    story_end(&story);
}
END_TEST

START_TEST(alters_that_meet_are_not_judged)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    story_topic(&story, "orders", 1, "retention.ms", "1000");
    struct exchange *first = alter(&story, "orders", "retention.ms", "2000");
    struct exchange *second = alter(&story, "orders", "retention.ms", "1000");
    story_ask(&story, first);
    story_ask(&story, second);
    story_reply(&story, first);
    story_reply(&story, second);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(partitions_that_are_not_there)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    story_topic(&story, "orders", 1, NULL, NULL);
    struct exchange *exchange = story_exchange(&story, API_CREATE_PARTITIONS, 3);
    struct create_partitions_request *request = story_request(exchange, create_partitions_request);
    request->topics = story_take(&story, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->name = SPAN("orders");
    request->topics->count = 3;
    struct create_partitions_response *response =
        story_response(exchange, create_partitions_response);
    response->results = story_take(&story, sizeof(*response->results));
    response->results_count = 1;
    response->results->name = SPAN("orders");
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "CreatePartitions"));
    story_end(&story);
}
END_TEST

START_TEST(a_producer_id_beyond_the_block)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    named(&story, 0);
    ck_assert(story_objects(&story, "producer id"));
    story_end(&story);
}
END_TEST

START_TEST(a_start_that_is_not_durable)
{
    struct story story;
    story_begin(&story, &judge_change_is_durable);
    story_topic(&story, "orders", 1, NULL, NULL);
    story_write(&story, "log-start-offset-checkpoint", SPAN("0\n1\norders 0 4\n"), true);
    deleted_before(&story, 0);
    ck_assert(story_passes(&story));
    deleted_before(&story, 5);
    ck_assert(story_objects(&story, "DeleteRecords"));
    story_end(&story);
}
END_TEST

SUITE(judge_change_is_durable)
{
    TCase *tcase = tcase_create("change");
    tcase_add_test(tcase, durable_changes);
    tcase_add_test(tcase, a_topic_that_is_not_there);
    tcase_add_test(tcase, a_topic_with_too_few_partitions);
    tcase_add_test(tcase, a_topic_that_is_still_there);
    tcase_add_test(tcase, a_setting_that_is_not_there);
    tcase_add_test(tcase, alters_that_meet_are_not_judged);
    tcase_add_test(tcase, partitions_that_are_not_there);
    tcase_add_test(tcase, a_producer_id_beyond_the_block);
    tcase_add_test(tcase, a_start_that_is_not_durable);
    suite_add_tcase(suite, tcase);
}
