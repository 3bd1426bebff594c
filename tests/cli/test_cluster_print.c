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

static int32_t nobody[] = {0};

/* What 2 tells of orders-0, which it leads, and of orders-1, which nobody does. */
static struct describe_topic_partitions_response_topic_partition_follower followers[] = {
    {.broker_id = 1, .end_offset = 40, .behind_ms = 1500},
    {.broker_id = 3, .end_offset = -1, .behind_ms = 14000},
};
static struct describe_topic_partitions_response_topic_partition told[] = {
    {.leader_id = 2, .log_end_offset = 5472, .followers = followers, .followers_count = 2},
    {.leader_id = -1, .eligible_leader_replicas = nodes, .followers_count = -1},
};

static struct partition_view views[] = {
    {.topic = SPAN("a"), .meta = &partitions[2]},
    {.topic = SPAN("orders"), .meta = &partitions[0]},
    {.topic = SPAN("orders"), .meta = &partitions[1]},
    {.topic = SPAN("orders"), .meta = &partitions[2]},
};

static struct describe_cluster_response_broker brokers[] = {
    {.broker_id = 1, .host = SPAN("127.0.0.1"), .port = 9092, .is_fenced = true},
    {.broker_id = 2, .host = SPAN("::1"), .port = 9093, .rack = SPAN("r\"1")},
    {.broker_id = 3, .host = SPAN("broker3.example.org"), .port = 9094},
};

static struct describe_cluster_response_stream streams[] = {
    {.broker_id = 1, .is_up = true, .up_ms = 7800000, .heard_ms = 40, .partitions = 2},
    {.broker_id = 3,
     .is_silent = true,
     .up_ms = -1,
     .heard_ms = 14200,
     .unacknowledged_bytes = 70000,
     .partitions = 1,
     .catching_up = 1,
     .is_throttled = true},
};
static struct broker_answer answers[] = {
    {.id = 1, .why = "127.0.0.1:9092: Connection refused"},
    {.id = 2, .streams = streams, .streams_count = 2},
    {.id = 3},
};

static const struct metadata_response metadata = {.topics_count = 2};
static struct describe_cluster_response cluster;

static struct describe_quorum_response_topic_partition_current_voter voters[] = {
    {.replica_id = 1, .log_end_offset = -1, .last_fetch_timestamp = -1},
    {.replica_id = 2, .log_end_offset = 120, .last_fetch_timestamp = 50007},
};
static struct describe_quorum_response_topic_partition_observer observers[] = {
    {.replica_id = 3,
     .log_end_offset = 99,
     .last_fetch_timestamp = 7,
     .last_caught_up_timestamp = 5},
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
    views[1].told = &told[0];
    views[2].told = &told[1];
    told[1].eligible_leader_replicas_count = 0;
    told[1].last_known_elr = nobody;
    told[1].last_known_elr_count = 0;
    view = (struct cluster_view){
        .cluster = &cluster,
        .knows_fenced = true,
        .knows_quorum = true,
        .answered = "::1",
        .metadata = &metadata,
        .partitions = views,
        .partitions_count = 4,
        .quorum = &quorum,
        .answers = answers,
        .answers_count = 3,
    };
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

static void expect_part(const char *part)
{
    fflush(out);
    ck_assert_msg(strstr(text, part) != NULL, "%s", text);
}

#define HEAD                                                                        \
    "cluster the-cluster: 3 brokers, controller 2\n"                                \
    "  BROKER  ADDRESS                   REPLICAS   LEADS  OUT OF SYNC\n"           \
    "       1  127.0.0.1:9092                   2       0            1  fenced"     \
    "  does not tell: 127.0.0.1:9092: Connection refused\n"                         \
    "       2  [::1]:9093                       3       3            0  controller" \
    "  rack r\"1\n"                                                                 \
    "       3  broker3.example.org:9094         1       0            1\n"           \
    "metadata: term 4, committed 100\n"                                             \
    "    NODE  ROLE         LOG END      BEHIND       HEARD\n"                      \
    "       1  voter             -1     unknown       never\n"                      \
    "       2  leader           120           0\n"                                  \
    "       3  observer          99          21    50 s ago\n"

START_TEST(what_is_wrong_comes_with_why)
{
    cluster_print(out, &view, false);
    expect(HEAD
           "2 topics, 4 partitions: 2 under-replicated, 1 without a leader\n"
           "2 followers: 2 behind, at most 5432 records (orders-0 on 1), of 1 it is unknown how far"
           "\n"
           "  TOPIC   PARTITION  LEADER  REPLICAS      IN SYNC       WHY\n"
           "  orders          1    none  1             none          all in sync lost data: only an"
           " unclean election gives it a leader\n"
           "  orders          0       2  1,2,3         1,2           1 lag 5432 for 1.5 s;"
           " 3 catches up, lag unknown for 14 s\n"
           "streams: 1 up, 1 silent, 0 down; those from 1 broker are unknown\n"
           "    FROM      TO  STATE     UP FOR  HEARD AGO  UNACKED BYTES  PARTITIONS  CATCHING UP\n"
           "       2       3  silent         -       14 s          70000           1            1"
           "  throttled\n");
}
END_TEST

START_TEST(all_is_shown_to_who_asks)
{
    followers[0].behind_ms = 900; /* it keeps up */
    cluster_print(out, &view, true);
    followers[0].behind_ms = 1500;
    expect_part("2 followers: 1 behind, of 1 it is unknown how far\n");
    expect_part("  a               2       2  2             2             \n");
    expect_part("1 lag 5432 for 0.9 s; 3 catches up, lag unknown for 14 s\n");
    expect_part(
        "       2       1  up           2 h      0.0 s              0           2            0"
        "\n");
}
END_TEST

START_TEST(who_is_to_come_back_is_named)
{
    told[1].last_known_elr = nodes + 2;
    told[1].last_known_elr_count = 1;
    cluster_print(out, &view, false);
    expect_part("none          until who led last is back: 3\n");
    told[1].eligible_leader_replicas_count = 2;
    cluster_print(out, &view, false);
    expect_part("none          until one of these is back: 1,2\n");
}
END_TEST

/* It was asked when the partition still had a leader, or has one again. */
START_TEST(who_knew_of_a_leader_does_not_say_why_there_is_none)
{
    views[2].told = &told[0];
    cluster_print(out, &view, false);
    expect_part("  orders          1    none  1             none          \n");
}
END_TEST

/* Under whom its followers were somewhere else. */
START_TEST(what_another_leader_told_counts_no_more)
{
    partitions[0].leader_id = 1;
    cluster_print(out, &view, false);
    partitions[0].leader_id = 2;
    expect_part("2 followers: 1 behind, of 1 it is unknown how far\n");
    expect_part("1,2,3         1,2           3 catches up, lag unknown\n");
}
END_TEST

START_TEST(who_lags_most_comes_first)
{
    struct describe_topic_partitions_response_topic_partition further = told[0];
    struct partition_view two[] = {views[1], views[1]};
    further.log_end_offset = 10040;
    two[0].topic = SPAN("a");
    two[1].told = &further;
    view.partitions = two;
    view.partitions_count = 2;
    cluster_print(out, &view, false);
    expect_part("at most 10000 records (orders-0 on 1)");
    ck_assert(strstr(text, "\n  orders  ") < strstr(text, "\n  a       "));
}
END_TEST

START_TEST(more_rows_than_a_screen_has_are_counted)
{
    struct partition_view many[30];
    for (int32_t i = 0; i < 30; i++)
        many[i] = views[i < 29 ? 1 : 2];
    view.partitions = many;
    view.partitions_count = 30;
    cluster_print(out, &view, false);
    expect_part("WHY\n  orders          1    none"); /* the worst one first */
    expect_part("14 s\n  ... and 10 more: --all shows them\nstreams");
    cluster_print(out, &view, true);
    fflush(out);
    ck_assert(strstr(strstr(text, "streams") + 1, "more:") == NULL);
}
END_TEST

START_TEST(a_broker_that_knows_no_leader_may_be_wrong)
{
    view.quorum = NULL;
    cluster_print(out, &view, false);
    expect_part("cluster the-cluster: 3 brokers, controller none\n"
                "::1 knows of nobody who leads the metadata: nothing is elected or changed, and "
                "what is said here may be old\n");
}
END_TEST

/* Kafka's, and those before this one. */
START_TEST(of_others_there_is_no_lag_and_no_stream)
{
    view.knows_quorum = false; /* and who is the controller is what the broker says */
    view.quorum = NULL;
    view.answers = NULL;
    view.answers_count = 0;
    views[1].told = views[2].told = NULL;
    cluster.brokers_count = 2;
    cluster_print(out, &view, false);
    expect("cluster the-cluster: 2 brokers, controller 1\n"
           "  BROKER  ADDRESS          REPLICAS   LEADS  OUT OF SYNC\n"
           "       1  127.0.0.1:9092          2       0            1  controller  fenced\n"
           "       2  [::1]:9093              3       3            0  rack r\"1\n"
           "2 topics, 4 partitions: 2 under-replicated, 1 without a leader\n"
           "  TOPIC   PARTITION  LEADER  REPLICAS      IN SYNC       WHY\n"
           "  orders          1    none  1             none          \n"
           "  orders          0       2  1,2,3         1,2           3 is not registered\n");
}
END_TEST

START_TEST(nothing_is_wrong)
{
    static const struct metadata_response none;
    cluster.controller_id = -1;
    cluster.brokers_count = 1;
    view.knows_quorum = false;
    view.quorum = NULL;
    view.metadata = &none;
    view.partitions_count = 0;
    view.answers = NULL;
    view.answers_count = 0;
    cluster_print(out, &view, false);
    expect("cluster the-cluster: 1 broker, controller none\n"
           "  BROKER  ADDRESS          REPLICAS   LEADS  OUT OF SYNC\n"
           "       1  127.0.0.1:9092          0       0            0  fenced\n"
           "0 topics, 0 partitions: 0 under-replicated, 0 without a leader\n");
}
END_TEST

START_TEST(a_line_of_json)
{
    cluster.brokers_count = 2;
    told[1].eligible_leader_replicas_count = 1;
    cluster_print_json(out, &view);
    expect("{\"cluster_id\":\"the-cluster\",\"controller\":2,\"brokers\":["
           "{\"id\":1,\"host\":\"127.0.0.1\",\"port\":9092,\"rack\":null,\"fenced\":true,"
           "\"leads\":0,\"replicas\":2,\"out_of_sync\":1,\"answers\":false,"
           "\"why_not\":\"127.0.0.1:9092: Connection refused\"},"
           "{\"id\":2,\"host\":\"::1\",\"port\":9093,\"rack\":\"r\\\"1\",\"fenced\":false,"
           "\"leads\":3,\"replicas\":3,\"out_of_sync\":0,\"answers\":true,\"why_not\":null}],"
           "\"quorum\":{\"leader\":2,\"term\":4,\"committed\":100,\"voters\":["
           "{\"id\":1,\"directory\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"log_end\":-1,\"heard_ms\":-1,"
           "\"caught_up_ms\":0},"
           "{\"id\":2,\"directory\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"log_end\":120,"
           "\"heard_ms\":50007,\"caught_up_ms\":0}],\"observers\":["
           "{\"id\":3,\"directory\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"log_end\":99,\"heard_ms\":7,"
           "\"caught_up_ms\":5}]},"
           "\"topics\":2,\"partitions\":4,\"under_replicated\":["
           "{\"topic\":\"orders\",\"partition\":0,\"leader\":2,\"replicas\":[1,2,3],"
           "\"in_sync\":[1,2]},"
           "{\"topic\":\"orders\",\"partition\":1,\"leader\":-1,\"replicas\":[1],\"in_sync\":[],"
           "\"waits_for\":\"eligible_leader_replica\",\"eligible\":[1],\"last_known\":[]}],"
           "\"leaderless\":["
           "{\"topic\":\"orders\",\"partition\":1,\"leader\":-1,\"replicas\":[1],\"in_sync\":[],"
           "\"waits_for\":\"eligible_leader_replica\",\"eligible\":[1],\"last_known\":[]}],"
           "\"lag\":[{\"topic\":\"orders\",\"partition\":0,\"leader\":2,\"log_end\":5472,"
           "\"followers\":["
           "{\"id\":1,\"in_sync\":true,\"end\":40,\"lag\":5432,\"behind_for_ms\":1500},"
           "{\"id\":3,\"in_sync\":false,\"end\":null,\"lag\":null,\"behind_for_ms\":14000}]}],"
           "\"streams\":["
           "{\"from\":2,\"to\":1,\"state\":\"up\",\"up_for_ms\":7800000,\"heard_ago_ms\":40,"
           "\"unacknowledged_bytes\":0,\"partitions\":2,\"catching_up\":0,\"throttled\":false},"
           "{\"from\":2,\"to\":3,\"state\":\"silent\",\"up_for_ms\":null,\"heard_ago_ms\":14200,"
           "\"unacknowledged_bytes\":70000,\"partitions\":1,\"catching_up\":1,\"throttled\":true}]"
           "}\n");
}
END_TEST

/* An older broker leaves out those that are fenced. */
START_TEST(what_a_broker_does_not_tell_is_null)
{
    cluster.brokers_count = 1;
    view.knows_fenced = false;
    view.quorum = NULL;
    view.answers = NULL;
    view.answers_count = 0;
    cluster_print_json(out, &view);
    expect_part("\"fenced\":null,");
    expect_part(",\"answers\":null,\"why_not\":null}");
    expect_part(",\"quorum\":null,");
    expect_part(",\"lag\":null,\"streams\":null}");
}
END_TEST

/* What another one chose to be called, a terminal must not take for what it is told to do. */
START_TEST(no_name_speaks_to_the_terminal)
{
    struct describe_cluster_response_broker names[] = {
        {.broker_id = 1, .host = SPAN("h\033[2J"), .port = 1, .rack = SPAN("r\a")}};
    struct broker_answer answer = {.id = 1, .why = "h\033[2J:1: no\rno"};
    struct partition_view one[] = {{.topic = SPAN("t\xc2\x9b"
                                                  "2J"),
                                    .meta = &partitions[0],
                                    .told = &told[0]}};
    cluster.cluster_id = SPAN("c\033]0;x\a");
    cluster.brokers = names;
    cluster.brokers_count = 1;
    view.partitions = one;
    view.partitions_count = 1;
    view.answers = &answer;
    view.answers_count = 1;
    cluster_print(out, &view, true);
    expect_part("cluster c?]0;x?: 1 broker");
    expect_part("  h?[2J:1  ");
    expect_part("  rack r?  does not tell: h?[2J:1: no?no\n");
    expect_part(" (t??2J-0 on 1)");
    expect_part("  t??2J          0  ");
    for (size_t i = 0; i < text_length; i++)
        ck_assert_msg(((unsigned char)text[i] >= ' ' || text[i] == '\n') &&
                          (unsigned char)text[i] < 0x80,
                      "%zu: %02x", i, (unsigned char)text[i]);
}
END_TEST

SUITE(cluster_print)
{
    TCase *tcase = tcase_create("print");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_wrong_comes_with_why);
    tcase_add_test(tcase, all_is_shown_to_who_asks);
    tcase_add_test(tcase, who_is_to_come_back_is_named);
    tcase_add_test(tcase, who_knew_of_a_leader_does_not_say_why_there_is_none);
    tcase_add_test(tcase, what_another_leader_told_counts_no_more);
    tcase_add_test(tcase, who_lags_most_comes_first);
    tcase_add_test(tcase, more_rows_than_a_screen_has_are_counted);
    tcase_add_test(tcase, a_broker_that_knows_no_leader_may_be_wrong);
    tcase_add_test(tcase, of_others_there_is_no_lag_and_no_stream);
    tcase_add_test(tcase, nothing_is_wrong);
    tcase_add_test(tcase, a_line_of_json);
    tcase_add_test(tcase, what_a_broker_does_not_tell_is_null);
    tcase_add_test(tcase, no_name_speaks_to_the_terminal);
    suite_add_tcase(suite, tcase);
}
