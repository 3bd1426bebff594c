/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/resource.h"
#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/wire/error.h"
#include "tests/sim/story.h"

static int32_t self = 1;

/* Broker `node` is registered at n1:9092, in a rack. */
static void registers(struct story *story, int32_t node, bool fenced)
{
    struct register_broker_record_end_point endpoint = {
        .name = SPAN("PLAINTEXT"), .host = SPAN("n1"), .port = 9092};
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = node;
    record.body.register_broker.broker_epoch = story->wal_end;
    record.body.register_broker.incarnation_id = (struct uuid){.bytes = {(uint8_t)node, 1}};
    record.body.register_broker.end_points = &endpoint;
    record.body.register_broker.end_points_count = 1;
    record.body.register_broker.rack = SPAN("r1");
    record.body.register_broker.fenced = fenced;
    story_metadata(story, &record);
}

static void begin(struct story *story)
{
    story_begin(story, &judge_metadata);
    registers(story, 1, false);
}

static struct exchange *metadata(struct story *story, const char *topic, struct uuid id,
                                 int32_t partitions, int16_t error)
{
    struct exchange *exchange = story_exchange(story, API_METADATA, 12);
    struct metadata_response *response = story_response(exchange, metadata_response);
    response->controller_id = 1;
    response->brokers_count = 1;
    response->brokers = story_take(story, sizeof(*response->brokers));
    *response->brokers = (struct metadata_response_broker){1, SPAN("n1"), 9092, SPAN("r1")};
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
        response->topics->partitions[i].replica_nodes = &self;
        response->topics->partitions[i].replica_nodes_count = 1;
        response->topics->partitions[i].isr_nodes = &self;
        response->topics->partitions[i].isr_nodes_count = 1;
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
    begin(&story);
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
    begin(&story);
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
    begin(&story);
    story_topic(&story, "orders", 2, NULL, NULL);
    story_exchanged(&story, metadata(&story, "orders", (struct uuid){{7}}, 2, ERR_NONE));
    ck_assert(story_objects(&story, "an id"));
    story_end(&story);
}
END_TEST

START_TEST(too_few_partitions)
{
    struct story story;
    begin(&story);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    story_exchanged(&story, metadata(&story, "orders", id, 1, ERR_NONE));
    ck_assert(story_objects(&story, "partitions 1, and the metadata log says 2"));
    story_end(&story);
}
END_TEST

START_TEST(another_leader)
{
    struct story story;
    begin(&story);
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
    begin(&story);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
    story_response(exchange, metadata_response)->topics->partitions[1].leader_epoch = 3;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "a leader epoch 3, and the metadata log says 0"));
    story_end(&story);
}
END_TEST

static struct metadata_response_topic_partition *part_of(struct exchange *exchange)
{
    return &story_response(exchange, metadata_response)->topics->partitions[1];
}

START_TEST(other_lists_of_replicas)
{
    static int32_t lists[] = {1, 2};
    for (int which = 0; which < 3; which++) {
        struct story story;
        begin(&story);
        const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
        struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
        struct metadata_response_topic_partition *part = part_of(exchange);
        if (which == 0) {
            part->replica_nodes = lists;
            part->replica_nodes_count = 2;
        } else if (which == 1) {
            part->isr_nodes_count = 0;
        } else {
            part->offline_replicas = lists;
            part->offline_replicas_count = 1;
        }
        story_exchanged(&story, exchange);
        ck_assert(story_objects(
            &story, which == 0   ? "orders-1: replicas 1 2, and the metadata log says 1"
                    : which == 1 ? "orders-1: in-sync replicas, and the metadata log says 1"
                                 : "orders-1: offline replicas 1, and the metadata log says none"));
        story_end(&story);
    }
}
END_TEST

START_TEST(a_replica_that_is_fenced)
{
    struct story story;
    begin(&story);
    const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
    struct exchange *early = metadata(&story, "orders", id, 2, ERR_NONE);
    story_ask(&story, early);
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    record.body.registration_change.broker_id = 1;
    record.body.registration_change.broker_epoch = 0;
    record.body.registration_change.fenced = 1;
    story_metadata(&story, &record);
    story_reply(&story, early);
    ck_assert(story_passes(&story)); /* it may be from before */
    struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
    for (int i = 0; i < 2; i++) {
        part_of(exchange)[i - 1].leader_id = -1;
        part_of(exchange)[i - 1].leader_epoch = 1;
        part_of(exchange)[i - 1].isr_nodes_count = 0;
    }
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "offline replicas, and the metadata log says 1"));
    story_end(&story);
}
END_TEST

START_TEST(other_brokers)
{
    static const struct metadata_response_broker others[] = {{2, SPAN_NULL, 9092, SPAN_NULL},
                                                             {1, SPAN_NULL, 9093, SPAN_NULL}};
    for (size_t i = 0; i < 4; i++) {
        struct story story;
        begin(&story);
        const struct uuid id = story_topic(&story, "orders", 2, NULL, NULL);
        struct exchange *exchange = metadata(&story, "orders", id, 2, ERR_NONE);
        struct metadata_response *response = story_response(exchange, metadata_response);
        if (i < 2) {
            response->brokers->node_id = others[i].node_id;
            response->brokers->port = others[i].port;
        } else if (i == 2) {
            response->brokers->rack = SPAN_NULL;
        } else {
            response->brokers_count = 0;
        }
        story_exchanged(&story, exchange);
        ck_assert(story_objects(&story, i == 0   ? "brokers: one with number 2"
                                        : i == 1 ? "broker 1: n1:9093 in rack r1, and"
                                        : i == 2 ? "broker 1: n1:9092 in rack , and"
                                                 : "brokers 0, and the metadata log says 1"));
        story_end(&story);
    }
}
END_TEST

static struct exchange *cluster(struct story *story)
{
    struct exchange *exchange = story_exchange(story, API_DESCRIBE_CLUSTER, 2);
    struct describe_cluster_response *response =
        story_response(exchange, describe_cluster_response);
    response->controller_id = 1;
    response->cluster_id = SPAN("one");
    response->brokers_count = 1;
    response->brokers = story_take(story, 2 * sizeof(*response->brokers));
    response->brokers[0] =
        (struct describe_cluster_response_broker){1, SPAN("n1"), 9092, SPAN("r1"), false};
    response->brokers[1] =
        (struct describe_cluster_response_broker){2, SPAN("n1"), 9092, SPAN("r1"), false};
    return exchange;
}

START_TEST(fenced_brokers_of_a_cluster)
{
    struct story story;
    begin(&story);
    registers(&story, 2, true);
    story_exchanged(&story, cluster(&story));
    struct exchange *all = cluster(&story);
    story_request(all, describe_cluster_request)->include_fenced_brokers = true;
    story_response(all, describe_cluster_response)->brokers_count = 2;
    story_response(all, describe_cluster_response)->brokers[1].is_fenced = true;
    story_exchanged(&story, all);
    ck_assert(story_passes(&story));
    story_response(all, describe_cluster_response)->brokers[1].is_fenced = false;
    story_exchanged(&story, all);
    ck_assert(story_objects(&story, "whether one is fenced 0, and the metadata log says 1"));
    story_end(&story);
}
END_TEST

START_TEST(another_cluster)
{
    struct story story;
    begin(&story);
    struct exchange *other = cluster(&story);
    story_exchanged(&story, cluster(&story));
    story_response(other, describe_cluster_response)->cluster_id = SPAN("two");
    story_exchanged(&story, other);
    ck_assert(story_objects(&story, "tells of the cluster two, which was one before"));
    story_end(&story);
}
END_TEST

static struct exchange *described(struct story *story, struct uuid id)
{
    struct exchange *exchange = story_exchange(story, API_DESCRIBE_TOPIC_PARTITIONS, 0);
    struct describe_topic_partitions_response *response =
        story_response(exchange, describe_topic_partitions_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->name = SPAN("orders");
    response->topics->topic_id = id;
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    response->topics->partitions->leader_id = 1;
    response->topics->partitions->replica_nodes = &self;
    response->topics->partitions->replica_nodes_count = 1;
    response->topics->partitions->isr_nodes = &self;
    response->topics->partitions->isr_nodes_count = 1;
    return exchange;
}

START_TEST(others_that_are_eligible)
{
    for (int which = 0; which < 3; which++) {
        struct story story;
        begin(&story);
        const struct uuid id = story_topic(&story, "orders", 1, NULL, NULL);
        struct exchange *exchange = described(&story, id);
        struct describe_topic_partitions_response_topic_partition *part =
            story_response(exchange, describe_topic_partitions_response)->topics->partitions;
        story_exchanged(&story, exchange);
        ck_assert(story_passes(&story));
        if (which == 0) {
            part->eligible_leader_replicas = &self;
            part->eligible_leader_replicas_count = 1;
        } else if (which == 1) {
            part->last_known_elr = &self;
            part->last_known_elr_count = 1;
        } else {
            story_topic(&story, "others", 1, NULL, NULL);
        }
        story_exchanged(&story, exchange);
        ck_assert(story_objects(&story, which == 0   ? "eligible replicas 1"
                                        : which == 1 ? "a last known leader 1"
                                                     : "topics 1, and the metadata log says 2"));
        story_end(&story);
    }
}
END_TEST

START_TEST(a_log_of_no_replica)
{
    struct story story;
    begin(&story);
    story_topic(&story, "orders", 1, NULL, NULL);
    struct exchange *exchange = story_exchange(&story, API_DESCRIBE_LOG_DIRS, 4);
    struct describe_log_dirs_response *response =
        story_response(exchange, describe_log_dirs_response);
    response->results = story_take(&story, sizeof(*response->results));
    response->results_count = 1;
    response->results->topics = story_take(&story, sizeof(*response->results->topics));
    response->results->topics_count = 1;
    response->results->topics->name = SPAN("orders");
    response->results->topics->partitions =
        story_take(&story, sizeof(*response->results->topics->partitions));
    response->results->topics->partitions_count = 1;
    story_exchanged(&story, exchange);
    ck_assert(story_passes(&story));
    response->results->topics->partitions->partition_index = 1;
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "DescribeLogDirs of n1 tells of orders: a log of partition 1"));
    story_end(&story);
}
END_TEST

/* Who votes of a cluster of three, by the first of its nodes. */
static struct exchange *quorum(struct story *story, int32_t voters)
{
    struct exchange *exchange = story_exchange(story, API_DESCRIBE_QUORUM, 2);
    struct describe_quorum_response *response = story_response(exchange, describe_quorum_response);
    response->topics = story_take(story, sizeof(*response->topics));
    response->topics_count = 1;
    response->topics->partitions = story_take(story, sizeof(*response->topics->partitions));
    response->topics->partitions_count = 1;
    struct describe_quorum_response_topic_partition *part = response->topics->partitions;
    part->current_voters = story_take(story, (size_t)voters * sizeof(*part->current_voters));
    for (int32_t i = 0; i < voters; i++) {
        part->current_voters[i].replica_id = i + 1;
        part->current_voters[i].replica_directory_id = story->sim.hosts[i]->disk.directories[0];
    }
    part->current_voters_count = voters;
    return exchange;
}

START_TEST(other_voters)
{
    struct story story;
    story_begin_cluster(&story, &judge_metadata);
    story_voters(&story, 3);
    story_exchanged(&story, quorum(&story, 3));
    ck_assert(story_passes(&story));
    story_exchanged(&story, quorum(&story, 2));
    ck_assert(story_objects(&story, "tells of 2 voters in term 0"));
    story_end(&story);
}
END_TEST

START_TEST(a_voter_with_another_disk)
{
    struct story story;
    story_begin_cluster(&story, &judge_metadata);
    story_voters(&story, 3);
    struct exchange *exchange = quorum(&story, 3);
    story_response(exchange, describe_quorum_response)
        ->topics->partitions->current_voters->replica_directory_id = (struct uuid){{7}};
    story_exchanged(&story, exchange);
    ck_assert(story_objects(&story, "tells of 3 voters in term 0"));
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
    begin(&story);
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
    begin(&story);
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
    begin(&story);
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
    begin(&story);
    story_topic(&story, "orders", 2, "retention.ms", "1000");
    story_exchanged(&story, configs(&story, "retention.ms", "2000", CONF_SOURCE_TOPIC));
    ck_assert(story_objects(&story, "retention.ms is 2000"));
    story_end(&story);
}
END_TEST

START_TEST(a_produce_to_a_topic_that_is_not_there)
{
    struct story story;
    begin(&story);
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
    begin(&story);
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
    begin(&story);
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
    tcase_add_test(tcase, other_lists_of_replicas);
    tcase_add_test(tcase, a_replica_that_is_fenced);
    tcase_add_test(tcase, other_brokers);
    tcase_add_test(tcase, fenced_brokers_of_a_cluster);
    tcase_add_test(tcase, another_cluster);
    tcase_add_test(tcase, others_that_are_eligible);
    tcase_add_test(tcase, a_log_of_no_replica);
    tcase_add_test(tcase, other_voters);
    tcase_add_test(tcase, a_voter_with_another_disk);
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
