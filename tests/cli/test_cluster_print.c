/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_print.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/runner.h"

static char *text;
static size_t text_length;
static FILE *out;

static int32_t nodes[] = {1, 2, 3};

static struct metadata_response_topic_partition partitions[] = {
    {.partition_index = 0,
     .leader_id = 2,
     .replica_nodes = nodes,
     .replica_nodes_count = 3,
     .isr_nodes = nodes,
     .isr_nodes_count = 2},
    {.partition_index = 1,
     .leader_id = -1,
     .replica_nodes = nodes,
     .replica_nodes_count = 1,
     .isr_nodes = nodes,
     .isr_nodes_count = 0},
    {.partition_index = 2,
     .leader_id = 2,
     .replica_nodes = nodes + 1,
     .replica_nodes_count = 1,
     .isr_nodes = nodes + 1,
     .isr_nodes_count = 1},
};

static struct metadata_response_topic topics[] = {
    {.name = SPAN("a"), .partitions = &partitions[2], .partitions_count = 1},
    {.name = SPAN("orders"), .partitions = partitions, .partitions_count = 3},
};

static struct describe_cluster_response_broker brokers[] = {
    {.broker_id = 1, .host = SPAN("127.0.0.1"), .port = 9092, .is_fenced = true},
    {.broker_id = 2, .host = SPAN("::1"), .port = 9093, .rack = SPAN("r\"1")},
    {.broker_id = 3, .host = SPAN("broker3.example.org"), .port = 9094},
};

static const struct metadata_response metadata = {.topics = topics, .topics_count = 2};
static struct describe_cluster_response cluster;

static struct describe_quorum_response_topic_partition_current_voter voters[] = {
    {.replica_id = 1, .log_end_offset = -1, .last_fetch_timestamp = -1},
    {.replica_id = 2, .log_end_offset = 120, .last_fetch_timestamp = 7},
};
static struct describe_quorum_response_topic_partition_observer observers[] = {
    {.replica_id = 3, .log_end_offset = 99, .last_caught_up_timestamp = 5},
};
static const struct describe_quorum_response_topic_partition quorum = {
    .leader_id = 2,
    .leader_epoch = 4,
    .high_watermark = 100,
    .current_voters = voters,
    .current_voters_count = 2,
    .observers = observers,
    .observers_count = 1,
};
static struct cluster_view view;

static void set_up(void)
{
    cluster = (struct describe_cluster_response){.cluster_id = SPAN("the-cluster"),
                                                 .controller_id = 1,
                                                 .brokers = brokers,
                                                 .brokers_count = 3};
    view = (struct cluster_view){
        .cluster = &cluster, .knows_fenced = true, .metadata = &metadata, .quorum = &quorum};
    out = open_memstream(&text, &text_length);
}

static void tear_down(void)
{
    fclose(out);
    free(text);
}

static void expect(const char *expected)
{
    fflush(out);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_table_of_brokers_and_of_what_is_wrong)
{
    cluster_print(out, &view, false);
    expect("cluster the-cluster: 3 brokers, controller 2\n"
           "  BROKER  ADDRESS                   REPLICAS   LEADS  OUT OF SYNC\n"
           "       1  127.0.0.1:9092                   2       0            1  fenced\n"
           "       2  [::1]:9093                       3       3            0  controller"
           "  rack r\"1\n"
           "       3  broker3.example.org:9094         1       0            1\n"
           "metadata: term 4, committed 100\n"
           "    NODE  ROLE         LOG END      BEHIND\n"
           "       1  voter             -1     unknown\n"
           "       2  leader           120           0\n"
           "       3  observer          99          21\n"
           "2 topics, 4 partitions: 2 under-replicated, 1 without a leader\n"
           "  TOPIC   PARTITION  LEADER  REPLICAS      IN SYNC\n"
           "  orders          0       2  1,2,3         1,2\n"
           "  orders          1    none  1             none\n");
}
END_TEST

START_TEST(nothing_is_wrong)
{
    static const struct metadata_response none;
    const struct metadata_response sound = {.topics = topics, .topics_count = 1};
    cluster.controller_id = -1; /* and no quorum to ask */
    cluster.brokers_count = 1;
    view.quorum = NULL;
    view.metadata = &sound;
    cluster_print(out, &view, false);
    view.metadata = &none;
    cluster_print(out, &view, false);
    expect("cluster the-cluster: 1 broker, controller none\n"
           "  BROKER  ADDRESS          REPLICAS   LEADS  OUT OF SYNC\n"
           "       1  127.0.0.1:9092          0       0            0  fenced\n"
           "1 topic, 1 partition: 0 under-replicated, 0 without a leader\n"
           "cluster the-cluster: 1 broker, controller none\n"
           "  BROKER  ADDRESS          REPLICAS   LEADS  OUT OF SYNC\n"
           "       1  127.0.0.1:9092          0       0            0  fenced\n"
           "0 topics, 0 partitions: 0 under-replicated, 0 without a leader\n");
}
END_TEST

START_TEST(a_line_of_json)
{
    cluster.brokers_count = 2;
    cluster_print(out, &view, true);
    expect("{\"cluster_id\":\"the-cluster\",\"controller\":2,\"brokers\":["
           "{\"id\":1,\"host\":\"127.0.0.1\",\"port\":9092,\"rack\":null,\"fenced\":true,"
           "\"leads\":0,\"replicas\":2,\"out_of_sync\":1},"
           "{\"id\":2,\"host\":\"::1\",\"port\":9093,\"rack\":\"r\\\"1\",\"fenced\":false,"
           "\"leads\":3,\"replicas\":3,\"out_of_sync\":0}],"
           "\"quorum\":{\"leader\":2,\"term\":4,\"committed\":100,\"voters\":["
           "{\"id\":1,\"directory\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"log_end\":-1,\"heard_ms\":-1,"
           "\"caught_up_ms\":0},"
           "{\"id\":2,\"directory\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"log_end\":120,\"heard_ms\":7,"
           "\"caught_up_ms\":0}],\"observers\":["
           "{\"id\":3,\"directory\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"log_end\":99,\"heard_ms\":0,"
           "\"caught_up_ms\":5}]},"
           "\"topics\":2,\"partitions\":4,\"under_replicated\":["
           "{\"topic\":\"orders\",\"partition\":0,\"leader\":2,\"replicas\":[1,2,3],"
           "\"in_sync\":[1,2]},"
           "{\"topic\":\"orders\",\"partition\":1,\"leader\":-1,\"replicas\":[1],\"in_sync\":[]}],"
           "\"leaderless\":["
           "{\"topic\":\"orders\",\"partition\":1,\"leader\":-1,\"replicas\":[1],\"in_sync\":[]}]"
           "}\n");
}
END_TEST

/* An older broker leaves out those that are fenced. */
START_TEST(what_a_broker_does_not_tell_is_null)
{
    cluster.brokers_count = 1;
    view.knows_fenced = false;
    view.quorum = NULL;
    cluster_print(out, &view, true);
    fflush(out);
    ck_assert(strstr(text, "\"fenced\":null,") != NULL);
    ck_assert(strstr(text, ",\"quorum\":null,") != NULL);
}
END_TEST

SUITE(cluster_print)
{
    TCase *tcase = tcase_create("print");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_table_of_brokers_and_of_what_is_wrong);
    tcase_add_test(tcase, nothing_is_wrong);
    tcase_add_test(tcase, a_line_of_json);
    tcase_add_test(tcase, what_a_broker_does_not_tell_is_null);
    suite_add_tcase(suite, tcase);
}
