/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/resource.h"
#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/wire/error.h"
#include "tests/sim/story.h"

static struct exchange *metadata(struct story *story, const char *topic, struct uuid id,
                                 int32_t partitions, int16_t error)
{
    struct exchange *exchange = story_exchange(story, API_METADATA, 12);
    struct metadata_response *response = story_response(exchange, metadata_response);
    response->controller_id = 1;
    response->brokers_count = 1;
    response->brokers = story_take(story, sizeof(*response->brokers));
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = span_text(topic);
    response->topics->topic_id = id;
    response->topics->error_code = error;
    response->topics->partitions =
        story_take(story, (size_t)(partitions + 1) * sizeof(*response->topics->partitions));
    response->topics->partitions_count = partitions;
    for (int32_t i = 0; i < partitions; i++) {
        response->topics->partitions[i].partition_index = i;
        response->topics->partitions[i].leader_id = 1;
    }
    return exchange;
}

static struct exchange *configs(struct story *story, const char *key, const char *value,
                                int8_t source)
{
    struct exchange *exchange = story_exchange(story, API_DESCRIBE_CONFIGS, 4);
    struct describe_configs_response *response =
        story_response(exchange, describe_configs_response);
    response->results = story_take(story, sizeof(*response->results));
    response->results_count = 1;
    response->results->resource_type = RESOURCE_TOPIC;
    response->results->resource_name = SPAN("orders");
    response->results->configs = story_take(story, sizeof(*response->results->configs));
    response->results->configs_count = 1;
    response->results->configs->name = span_text(key);
    response->results->configs->value = span_text(value);
    response->results->configs->config_source = source;
    return exchange;
}

START_TEST(the_truth)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, "retention.ms", "1000");
    story_exchanged(&story, metadata(&story, "orders", id, 2, ERR_NONE));
    story_exchanged(&story, metadata(&story, "others", id, 0, ERR_UNKNOWN_TOPIC_OR_PARTITION));
    story_exchanged(&story, configs(&story, "retention.ms", "1000", CONF_SOURCE_TOPIC));
    struct exchange *early = metadata(&story, "orders", id, 2, ERR_NONE);
    story_ask(&story, early);
    story_topic_goes(&story, id);
    story_reply(&story, early);
    ck_assert(story_passes(&story));
    ck_assert_uint_gt(judges_get(story.sim.judges, 0)->judged, 5);
    story_end(&story);
}
END_TEST

START_TEST(a_topic_that_is_gone)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    story_topic_goes(&story, id);
    story_exchanged(&story, metadata(&story, "orders", id, 2, ERR_NONE));
    ck_assert(story_objects(&story, "it is there 1, and the metadata log says 0"));
    story_end(&story);
}
END_TEST

START_TEST(another_id)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    story_topic(&story, "orders", 2, NULL, NULL);
    story_exchanged(&story, metadata(&story, "orders", (struct uuid){{7}}, 2, ERR_NONE));
    ck_assert(story_objects(&story, "an id"));
    story_end(&story);
}
END_TEST

START_TEST(too_few_partitions)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    story_exchanged(&story, metadata(&story, "orders", id, 1, ERR_NONE));
    ck_assert(story_objects(&story, "partitions 1, and the metadata log says 2"));
    story_end(&story);
}
END_TEST

START_TEST(another_leader)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
    story_response(exchange, metadata_response)->topics->partitions[1].leader_id = 3;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "a leader 3"));
    story_end(&story);
}
END_TEST

START_TEST(another_leader_epoch)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
    story_response(exchange, metadata_response)->topics->partitions[1].leader_epoch = 3;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "a leader epoch 3, and the metadata log says 0"));
    story_end(&story);
}
END_TEST

/* Where "orders" ends, or begins, and under which leader epoch. */
static struct exchange *offsets(struct story *story, int64_t timestamp, int32_t epoch)
{
    struct exchange *exchange = story_exchange(story, API_LIST_OFFSETS, 6);
    struct list_offsets_request *request = story_request(exchange, list_offsets_request);
    struct list_offsets_response *response = story_response(exchange, list_offsets_response);
    request->topics = story_take(story, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->name = SPAN("orders");
    request->topics->partitions = story_take(story, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    request->topics->partitions->timestamp = timestamp;
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = SPAN("orders");
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->leader_epoch = epoch;
    return exchange;
}

START_TEST(another_leader_epoch_of_an_end)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    story_topic(&story, "orders", 2, NULL, NULL);
    story_exchanged(&story, offsets(&story, -1, 0));
    story_exchanged(&story, offsets(&story, -2, 7)); /* that of the records there */
    ck_assert(story_passes(&story));
    story_exchanged(&story, offsets(&story, -1, 7));
    ck_assert(story_objects(&story, "ListOffsets of n1 tells of orders: a leader epoch 7"));
    story_end(&story);
}
END_TEST

START_TEST(a_topic_left_out_of_all)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    story_topic(&story, "others", 2, NULL, NULL);
    struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
    story_request(exchange, metadata_request)->topics_count = -1;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "topics 1, and the metadata log says 2"));
    story_end(&story);
}
END_TEST

START_TEST(another_controller)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
    story_response(exchange, metadata_response)->controller_id = 2;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "a controller 2"));
    story_end(&story);
}
END_TEST

START_TEST(another_setting)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    story_topic(&story, "orders", 2, "retention.ms", "1000");
    story_exchanged(&story, configs(&story, "retention.ms", "2000", CONF_SOURCE_TOPIC));
    ck_assert(story_objects(&story, "retention.ms is 2000"));
    story_end(&story);
}
END_TEST

START_TEST(a_produce_to_a_topic_that_is_not_there)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    story_exchanged(&story,
                    story_produce(&story, "orders", 0, -1, story_batch(&story, 0, 1, 'a'), 0));
    ck_assert(story_objects(&story, "Produce"));
    story_end(&story);
}
END_TEST

/* The first partition's leader is the replica that is preferred, in a topic of one replica. */
static void election_told(struct story *story, int16_t error)
{
    story_begin(story, &judge_metadata);
    story_topic(story, "orders", 2, NULL, NULL);
    struct exchange *exchange = story_exchange(story, API_ELECT_LEADERS, 2);
    struct elect_leaders_response *response = story_response(exchange, elect_leaders_response);
    response->replica_election_results =
        story_take(story, sizeof(*response->replica_election_results));
    response->replica_election_results_count = 1;
    struct elect_leaders_response_replica_election_result *topic =
        response->replica_election_results;
    topic->topic = SPAN("orders");
    topic->partition_result = story_take(story, sizeof(*topic->partition_result));
    topic->partition_result_count = 1;
    topic->partition_result[0].error_code = error;
    story_exchanged(story, exchange);
}

START_TEST(an_election_that_nobody_needs)
{
    struct story story;
    election_told(&story, ERR_ELECTION_NOT_NEEDED);
    ck_assert(story_passes(&story));
    ck_assert_uint_ge(judges_get(story.sim.judges, 0)->judged, 2);
    story_end(&story);
}
END_TEST

START_TEST(an_election_that_is_said_to_be_impossible)
{
    struct story story;
    election_told(&story, ERR_PREFERRED_LEADER_NOT_AVAILABLE);
    ck_assert(story_objects(&story, "PREFERRED_LEADER_NOT_AVAILABLE, and the metadata log says"));
    story_end(&story);
}
END_TEST

START_TEST(an_image_that_is_not_the_log)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    story_broker(&story);
    story_exchanged(&story, metadata(&story, "orders", id, 0, ERR_UNKNOWN_TOPIC_OR_PARTITION));
    ck_assert(story_passes(&story)); /* it may be behind */
    story.host->broker->image.end_offset = story.wal_end;
    judges_host_changed(story.sim.judges, story.host, HOST_READY);
    ck_assert(story_objects(&story, "is not what its durable log gives"));
    story_end(&story);
}
END_TEST

START_TEST(metadata_that_is_not_durable)
{
    struct story story;
    story_begin(&story, &judge_metadata);
    story_topic(&story, "orders", 2, NULL, NULL);
    story_broker(&story);
    story.host->broker->image.end_offset = story.wal_end + 1;
    judges_host_changed(story.sim.judges, story.host, HOST_READY);
    ck_assert(story_objects(&story, "has applied metadata"));
    story_end(&story);
}
END_TEST

SUITE(judge_metadata)
{
    TCase *tcase = tcase_create("metadata");
    tcase_add_test(tcase, the_truth);
    tcase_add_test(tcase, a_topic_that_is_gone);
    tcase_add_test(tcase, another_id);
    tcase_add_test(tcase, too_few_partitions);
    tcase_add_test(tcase, another_leader);
    tcase_add_test(tcase, another_leader_epoch);
    tcase_add_test(tcase, another_leader_epoch_of_an_end);
    tcase_add_test(tcase, a_topic_left_out_of_all);
    tcase_add_test(tcase, another_controller);
    tcase_add_test(tcase, another_setting);
    tcase_add_test(tcase, a_produce_to_a_topic_that_is_not_there);
    tcase_add_test(tcase, an_election_that_nobody_needs);
    tcase_add_test(tcase, an_election_that_is_said_to_be_impossible);
    tcase_add_test(tcase, an_image_that_is_not_the_log);
    tcase_add_test(tcase, metadata_that_is_not_durable);
    suite_add_tcase(suite, tcase);
}
