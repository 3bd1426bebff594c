/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/topics.h"

#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"

#define NAME_249                                                                          \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" \
    "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static struct cluster cluster;

static void set_up(void)
{
    cluster_start(&cluster, 1, 3, "num.partitions=4\ndefault.replication.factor=2");
}

static void tear_down(void)
{
    cluster_end(&cluster);
}

static const struct {
    const char *name;
    bool is_good;
} names[] = {
    {"a", true},
    {"Topic-1_x.y", true},
    {"__consumer_offsets", true},
    {"...", true},
    {NAME_249, true},
    {NAME_249 "d", false},
    {"", false},
    {".", false},
    {"..", false},
    {"a/b", false},
    {"a b", false},
    {"a\nb", false},
    {"caf\xc3\xa9", false},
    {"a:b", false},
    {"a*", false},
};

START_TEST(names_follow_kafkas_rules)
{
    const char *why = NULL;
    const int error = topic_check_name(span_text(names[_i].name), &why);
    ck_assert_msg((error == ERR_NONE) == names[_i].is_good, "%s", names[_i].name);
    ck_assert(names[_i].is_good == (why == NULL));
}
END_TEST

START_TEST(a_zero_byte_is_no_part_of_a_name)
{
    const char *why;
    ck_assert_int_eq(topic_check_name(span_of("a\0b", 3), &why), ERR_INVALID_TOPIC_EXCEPTION);
}
END_TEST

START_TEST(the_broker_writes_to_internal_topics)
{
    ck_assert(topic_is_internal(SPAN("__consumer_offsets")));
    ck_assert(topic_is_internal(SPAN("__transaction_state")));
    ck_assert(!topic_is_internal(SPAN("__consumer_offset")));
    ck_assert(!topic_is_internal(SPAN("mine")));
}
END_TEST

/* Creations that are refused, beside a topic "there.x". */
static const struct {
    const char *what;
    const char *name;
    int32_t partitions;
    int32_t replicas;
    int error;
} refusals[] = {
    {"bad name", "a/b", 1, 1, ERR_INVALID_TOPIC_EXCEPTION},
    {"taken", "there.x", 1, 1, ERR_TOPIC_ALREADY_EXISTS},
    {"collides", "there_x", 1, 1, ERR_INVALID_TOPIC_EXCEPTION},
    {"the metadata log's", "__cluster_metadata", 1, 1, ERR_INVALID_REQUEST},
    {"no partitions", "a", 0, 1, ERR_INVALID_PARTITIONS},
    {"fewer than the default", "a", -2, 1, ERR_INVALID_PARTITIONS},
    {"no replicas", "a", 1, 0, ERR_INVALID_REPLICATION_FACTOR},
    {"negative replicas", "a", 1, -2, ERR_INVALID_REPLICATION_FACTOR},
    {"more replicas than brokers", "a", 1, 4, ERR_INVALID_REPLICATION_FACTOR},
    {"more replicas than can be", "a", 1, 32767, ERR_INVALID_REPLICATION_FACTOR},
    {"too many partitions", "a", 10001, 1, ERR_POLICY_VIOLATION},
    {"all partitions there are", "a", INT32_MAX, 1, ERR_POLICY_VIOLATION},
};

START_TEST(creations_are_refused)
{
    ck_assert_int_eq(cluster_create(&cluster, "there.x", 1, 1), ERR_NONE);
    struct topic_creation creation = {
        .name = span_text(refusals[_i].name),
        .partitions = refusals[_i].partitions,
        .replication_factor = refusals[_i].replicas,
    };
    ck_assert_msg(topics_create(&cluster.context, &creation) == refusals[_i].error, "%s",
                  refusals[_i].what);
    ck_assert_msg(!span_is_null(creation.message), "%s", refusals[_i].what);
    ck_assert_uint_eq(cluster.writer.count, 0);
}
END_TEST

START_TEST(minus_one_is_the_default)
{
    ck_assert_int_eq(cluster_create(&cluster, "t", -1, -1), ERR_NONE);
    ck_assert_int_eq(cluster_topic(&cluster, "t")->partitions_count, 4);
    ck_assert_uint_eq(cluster_partition(&cluster, "t", 0)->replicas_count, 2);
}
END_TEST

START_TEST(partitions_and_replicas_spread_over_the_brokers)
{
    int32_t leads[4] = {0};
    int32_t holds[4] = {0};
    ck_assert_int_eq(cluster_create(&cluster, "t", 9, 2), ERR_NONE);
    for (int32_t i = 0; i < 9; i++) {
        const struct meta_partition *partition = cluster_partition(&cluster, "t", i);
        const int32_t *replicas = meta_replicas(partition);
        ck_assert_int_ne(replicas[0], replicas[1]);
        ck_assert_int_eq(partition->leader, replicas[0]);
        ck_assert_int_eq(partition->leader_epoch, 0);
        ck_assert_mem_eq(meta_isr(partition), replicas, 2 * sizeof(int32_t));
        leads[replicas[0]]++;
        holds[replicas[0]]++;
        holds[replicas[1]]++;
    }
    for (int32_t id = 1; id <= 3; id++) {
        ck_assert_int_eq(leads[id], 3);
        ck_assert_int_eq(holds[id], 6);
    }
}
END_TEST

START_TEST(a_recreated_name_gets_a_new_id)
{
    ck_assert_int_eq(cluster_create(&cluster, "t", 1, 1), ERR_NONE);
    const struct uuid before = cluster_topic(&cluster, "t")->id;
    cluster_remove(&cluster, "t");
    ck_assert_int_eq(cluster_create(&cluster, "t", 1, 1), ERR_NONE);
    ck_assert(!uuid_equal(before, cluster_topic(&cluster, "t")->id));
    ck_assert_ptr_null(image_topic_by_id(&cluster.image, before));
}
END_TEST

static const int32_t brokers_1_2[] = {1, 2};
static const int32_t brokers_2_3[] = {2, 3};
static const int32_t brokers_2[] = {2};
static const int32_t brokers_1_1[] = {1, 1};
static const int32_t brokers_1_9[] = {1, 9};

/* Two partitions assigned by hand. */
static const struct {
    const char *what;
    struct topic_assignment first;
    struct topic_assignment second;
    int32_t partitions;
    int32_t replicas;
    int error;
} assignments[] = {
    {"in order", {0, brokers_1_2, 2}, {1, brokers_2_3, 2}, -1, -1, ERR_NONE},
    {"out of order", {1, brokers_2_3, 2}, {0, brokers_1_2, 2}, -1, -1, ERR_NONE},
    {"with a number of partitions",
     {0, brokers_1_2, 2},
     {1, brokers_2_3, 2},
     2,
     -1,
     ERR_INVALID_REQUEST},
    {"with a number of replicas",
     {0, brokers_1_2, 2},
     {1, brokers_2_3, 2},
     -1,
     2,
     ERR_INVALID_REQUEST},
    {"a partition twice",
     {0, brokers_1_2, 2},
     {0, brokers_2_3, 2},
     -1,
     -1,
     ERR_INVALID_REPLICA_ASSIGNMENT},
    {"a partition is missing",
     {0, brokers_1_2, 2},
     {2, brokers_2_3, 2},
     -1,
     -1,
     ERR_INVALID_REPLICA_ASSIGNMENT},
    {"a negative partition",
     {0, brokers_1_2, 2},
     {-1, brokers_2_3, 2},
     -1,
     -1,
     ERR_INVALID_REPLICA_ASSIGNMENT},
    {"different numbers",
     {0, brokers_1_2, 2},
     {1, brokers_2, 1},
     -1,
     -1,
     ERR_INVALID_REPLICA_ASSIGNMENT},
    {"no brokers",
     {0, brokers_1_2, 0},
     {1, brokers_2_3, 0},
     -1,
     -1,
     ERR_INVALID_REPLICA_ASSIGNMENT},
    {"a broker twice",
     {0, brokers_1_1, 2},
     {1, brokers_2_3, 2},
     -1,
     -1,
     ERR_INVALID_REPLICA_ASSIGNMENT},
    {"a broker that is not there",
     {0, brokers_1_2, 2},
     {1, brokers_1_9, 2},
     -1,
     -1,
     ERR_INVALID_REPLICA_ASSIGNMENT},
};

START_TEST(brokers_are_assigned_by_hand)
{
    const struct topic_assignment both[] = {assignments[_i].first, assignments[_i].second};
    struct topic_creation creation = {
        .name = SPAN("t"),
        .partitions = assignments[_i].partitions,
        .replication_factor = assignments[_i].replicas,
        .assignments = both,
        .assignments_count = 2,
    };
    const int error = topics_create(&cluster.context, &creation);
    ck_assert_msg(error == assignments[_i].error, "%s: %d", assignments[_i].what, error);
    cluster_commit(&cluster);
    if (error != ERR_NONE) {
        ck_assert(!span_is_null(creation.message));
        ck_assert_ptr_null(cluster_topic(&cluster, "t"));
        return;
    }
    ck_assert_int_eq(creation.partitions, 2);
    ck_assert_int_eq(creation.replication_factor, 2);
    ck_assert_mem_eq(meta_replicas(cluster_partition(&cluster, "t", 0)), brokers_1_2,
                     sizeof(brokers_1_2));
    ck_assert_mem_eq(meta_replicas(cluster_partition(&cluster, "t", 1)), brokers_2_3,
                     sizeof(brokers_2_3));
}
END_TEST

/* Settings of a new topic. */
static const struct {
    struct topic_override configs[2];
    int32_t count;
    int error;
} settings[] = {
    {{{SPAN("retention.ms"), SPAN("5")}, {SPAN("cleanup.policy"), SPAN("compact")}}, 2, ERR_NONE},
    {{{SPAN("retention.ms"), SPAN("x")}}, 1, ERR_INVALID_CONFIG},
    {{{SPAN("retention.ms"), {NULL, 0}}}, 1, ERR_INVALID_CONFIG},
    {{{SPAN("retention.mz"), SPAN("5")}}, 1, ERR_INVALID_CONFIG},
    {{{SPAN("retention.ms"), SPAN("5")}, {SPAN("retention.ms"), SPAN("6")}},
     2,
     ERR_INVALID_REQUEST},
};

START_TEST(settings_of_a_new_topic_are_checked)
{
    struct topic_creation creation = {
        .name = SPAN("t"),
        .partitions = 1,
        .replication_factor = 1,
        .configs = settings[_i].configs,
        .configs_count = settings[_i].count,
    };
    ck_assert_int_eq(topics_create(&cluster.context, &creation), settings[_i].error);
    ck_assert((settings[_i].error == ERR_NONE) == span_is_null(creation.message));
    cluster_commit(&cluster);
    if (settings[_i].error == ERR_NONE)
        ck_assert(span_equal(image_topic_config(cluster_topic(&cluster, "t"), SPAN("retention.ms")),
                             SPAN("5")));
}
END_TEST

START_TEST(one_proposal_has_room_for_so_many_partitions)
{
    struct topic_creation creation = {
        .name = SPAN("a"), .partitions = 6000, .replication_factor = 1};
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    const uint32_t written = cluster.writer.count;
    creation.name = SPAN("b");
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_POLICY_VIOLATION);
    ck_assert_uint_eq(cluster.writer.count, written);
    creation.partitions = 4000;
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
    ck_assert_int_eq(cluster.image.partitions_count, 10000);
}
END_TEST

static const struct {
    const char *what;
    int32_t count;
    int32_t assigned; /* -1: by our choice */
    const int32_t *brokers;
    int error;
} growths[] = {
    {"by one", 3, -1, NULL, ERR_NONE},
    {"to as many", 2, -1, NULL, ERR_INVALID_PARTITIONS},
    {"to fewer", 1, -1, NULL, ERR_INVALID_PARTITIONS},
    {"to none", 0, -1, NULL, ERR_INVALID_PARTITIONS},
    {"to a negative number", -1, -1, NULL, ERR_INVALID_PARTITIONS},
    {"by too many", 10003, -1, NULL, ERR_POLICY_VIOLATION},
    {"by hand", 3, 1, brokers_2_3, ERR_NONE},
    {"by hand, twice the same", 3, 1, brokers_1_1, ERR_INVALID_REPLICA_ASSIGNMENT},
    {"by hand, too few", 4, 1, brokers_2_3, ERR_INVALID_REPLICA_ASSIGNMENT},
    {"by hand, none", 3, 0, brokers_2_3, ERR_INVALID_REPLICA_ASSIGNMENT},
};

START_TEST(a_topic_grows)
{
    const struct topic_assignment assignment = {2, growths[_i].brokers, 2};
    struct span message;
    ck_assert_int_eq(cluster_create(&cluster, "t", 2, 2), ERR_NONE);
    const int error =
        topics_grow(&cluster.context, cluster_topic(&cluster, "t"), growths[_i].count,
                    growths[_i].assigned < 0 ? NULL : &assignment, growths[_i].assigned, &message);
    ck_assert_msg(error == growths[_i].error, "%s: %d", growths[_i].what, error);
    ck_assert((error == ERR_NONE) == span_is_null(message));
    cluster_commit(&cluster);
    ck_assert_int_eq(cluster_topic(&cluster, "t")->partitions_count, error == ERR_NONE ? 3 : 2);
    if (error == ERR_NONE)
        ck_assert_uint_eq(cluster_partition(&cluster, "t", 2)->replicas_count, 2);
}
END_TEST

START_TEST(internal_topics_do_not_grow)
{
    struct span message;
    ck_assert_int_eq(cluster_create(&cluster, "__consumer_offsets", 2, 1), ERR_NONE);
    ck_assert_int_eq(topics_grow(&cluster.context, cluster_topic(&cluster, "__consumer_offsets"), 3,
                                 NULL, 0, &message),
                     ERR_INVALID_REQUEST);
}
END_TEST

/* On a topic with retention.ms=5. */
static const struct {
    const char *key;
    int8_t operation;
    const char *value;
    int error;
    const char *want; /* NULL: the topic has none of its own */
} alterations[] = {
    {"retention.ms", CONF_SET, "6", ERR_NONE, "6"},
    {"retention.ms", CONF_SET, "5", ERR_NONE, "5"},
    {"retention.ms", CONF_DELETE, NULL, ERR_NONE, NULL},
    {"retention.ms", CONF_DELETE, "ignored", ERR_NONE, NULL},
    {"retention.ms", CONF_SET, "x", ERR_INVALID_CONFIG, "5"},
    {"retention.ms", CONF_SET, NULL, ERR_INVALID_REQUEST, "5"},
    {"retention.ms", CONF_APPEND, "6", ERR_INVALID_CONFIG, "5"},
    {"retention.ms", CONF_SUBTRACT, "5", ERR_INVALID_CONFIG, "5"},
    {"retention.ms", 4, "6", ERR_INVALID_REQUEST, "5"},
    {"retention.ms", -1, "6", ERR_INVALID_REQUEST, "5"},
    {"no.such.key", CONF_SET, "6", ERR_INVALID_CONFIG, NULL},
    {"cleanup.policy", CONF_SET, "compact", ERR_NONE, "compact"},
    {"cleanup.policy", CONF_APPEND, "compact", ERR_NONE, "delete,compact"},
    {"cleanup.policy", CONF_APPEND, NULL, ERR_INVALID_REQUEST, NULL},
    {"cleanup.policy", CONF_SUBTRACT, NULL, ERR_INVALID_REQUEST, NULL},
};

static struct span text_or_null(const char *text)
{
    return text == NULL ? SPAN_NULL : span_text(text);
}

START_TEST(settings_are_altered)
{
    const struct topic_override before = {SPAN("retention.ms"), SPAN("5")};
    struct topic_creation creation = {
        .name = SPAN("t"),
        .partitions = 1,
        .replication_factor = 1,
        .configs = &before,
        .configs_count = 1,
    };
    const struct topic_alteration alteration = {span_text(alterations[_i].key),
                                                text_or_null(alterations[_i].value),
                                                alterations[_i].operation};
    struct span message;
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
    const int error =
        topics_alter(&cluster.context, cluster_topic(&cluster, "t"), &alteration, 1, &message);
    ck_assert_int_eq(error, alterations[_i].error);
    ck_assert((error == ERR_NONE) == span_is_null(message));
    cluster_commit(&cluster);
    const struct span value = image_topic_config(cluster_topic(&cluster, "t"), alteration.key);
    ck_assert(span_is_null(value) == (alterations[_i].want == NULL));
    ck_assert(span_equal(value, text_or_null(alterations[_i].want)));
}
END_TEST

START_TEST(alterations_happen_together_or_not_at_all)
{
    const struct topic_alteration twice[] = {
        {SPAN("retention.ms"), SPAN("5"), CONF_SET},
        {SPAN("retention.bytes"), SPAN("wrong"), CONF_SET},
    };
    const struct topic_alteration same[] = {
        {SPAN("retention.ms"), SPAN("5"), CONF_SET},
        {SPAN("retention.ms"), SPAN("6"), CONF_SET},
    };
    struct span message;
    ck_assert_int_eq(cluster_create(&cluster, "t", 1, 1), ERR_NONE);
    const struct meta_topic *topic = cluster_topic(&cluster, "t");
    ck_assert_int_eq(topics_alter(&cluster.context, topic, twice, 2, &message), ERR_INVALID_CONFIG);
    ck_assert_uint_eq(cluster.writer.count, 0);
    cluster_commit(&cluster);
    ck_assert_int_eq(topics_alter(&cluster.context, topic, same, 2, &message), ERR_INVALID_REQUEST);
    ck_assert_uint_eq(cluster.writer.count, 0);
    cluster_commit(&cluster);
    ck_assert_int_eq(topics_alter(&cluster.context, topic, same, META_CONFIGS_MAX + 1, &message),
                     ERR_INVALID_REQUEST);
}
END_TEST

START_TEST(one_proposal_touches_a_topic_once)
{
    const struct topic_alteration alteration = {SPAN("retention.ms"), SPAN("5"), CONF_SET};
    struct topic_creation creation = {
        .name = SPAN("new.x"), .partitions = 1, .replication_factor = 1};
    struct span message;
    ck_assert_int_eq(cluster_create(&cluster, "t", 1, 1), ERR_NONE);
    const struct meta_topic *topic = cluster_topic(&cluster, "t");
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_INVALID_REQUEST);
    creation.name = SPAN("new_x");
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_INVALID_REQUEST);
    ck_assert_int_eq(topics_remove(&cluster.context, topic, &message), ERR_NONE);
    ck_assert_int_eq(topics_remove(&cluster.context, topic, &message), ERR_INVALID_REQUEST);
    ck_assert_int_eq(topics_grow(&cluster.context, topic, 2, NULL, 0, &message),
                     ERR_INVALID_REQUEST);
    ck_assert_int_eq(topics_alter(&cluster.context, topic, &alteration, 1, &message),
                     ERR_INVALID_REQUEST);
    cluster_commit(&cluster);
    ck_assert_ptr_null(cluster_topic(&cluster, "t"));
    ck_assert_ptr_nonnull(cluster_topic(&cluster, "new.x"));
}
END_TEST

START_TEST(the_offsets_topic_is_as_the_node_wants_it)
{
    struct topic_override configs[TOPICS_OFFSETS_CONFIGS];
    struct topic_creation creation;
    topics_offsets_creation(&cluster.settings.conf, configs, &creation);
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
    const struct meta_topic *topic = cluster_topic(&cluster, "__consumer_offsets");
    ck_assert_int_eq(topic->partitions_count, 50);
    ck_assert_uint_eq(topic->partitions[0].replicas_count, 1);
    ck_assert(span_equal(image_topic_config(topic, SPAN("cleanup.policy")), SPAN("compact")));
    ck_assert(span_equal(image_topic_config(topic, SPAN("segment.bytes")), SPAN("104857600")));
}
END_TEST

START_TEST(an_epoch_is_raised_once)
{
    ck_assert_int_eq(cluster_create(&cluster, "t", 1, 1), ERR_NONE);
    const struct uuid id = cluster_topic(&cluster, "t")->id;
    const int32_t leader = cluster_partition(&cluster, "t", 0)->leader;
    ck_assert_int_eq(topics_raise_epoch(&cluster.image, &cluster.writer, id, 0, 0), ERR_NONE);
    cluster_commit(&cluster);
    ck_assert_int_eq(cluster_partition(&cluster, "t", 0)->leader_epoch, 1);
    ck_assert_int_eq(cluster_partition(&cluster, "t", 0)->leader, leader);
    ck_assert_int_eq(topics_raise_epoch(&cluster.image, &cluster.writer, id, 0, 0),
                     ERR_FENCED_LEADER_EPOCH);
    ck_assert_int_eq(topics_raise_epoch(&cluster.image, &cluster.writer, id, 1, 0),
                     ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_uint_eq(cluster.writer.count, 0);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

SUITE(topics)
{
    TCase *tcase = tcase_create("topics");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, names_follow_kafkas_rules, 0, ROWS(names));
    tcase_add_test(tcase, a_zero_byte_is_no_part_of_a_name);
    tcase_add_test(tcase, the_broker_writes_to_internal_topics);
    tcase_add_loop_test(tcase, creations_are_refused, 0, ROWS(refusals));
    tcase_add_test(tcase, minus_one_is_the_default);
    tcase_add_test(tcase, partitions_and_replicas_spread_over_the_brokers);
    tcase_add_test(tcase, a_recreated_name_gets_a_new_id);
    tcase_add_loop_test(tcase, brokers_are_assigned_by_hand, 0, ROWS(assignments));
    tcase_add_loop_test(tcase, settings_of_a_new_topic_are_checked, 0, ROWS(settings));
    tcase_add_test(tcase, one_proposal_has_room_for_so_many_partitions);
    tcase_add_loop_test(tcase, a_topic_grows, 0, ROWS(growths));
    tcase_add_test(tcase, internal_topics_do_not_grow);
    tcase_add_loop_test(tcase, settings_are_altered, 0, ROWS(alterations));
    tcase_add_test(tcase, alterations_happen_together_or_not_at_all);
    tcase_add_test(tcase, one_proposal_touches_a_topic_once);
    tcase_add_test(tcase, the_offsets_topic_is_as_the_node_wants_it);
    tcase_add_test(tcase, an_epoch_is_raised_once);
    suite_add_tcase(suite, tcase);
}
