/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/image.h"

#include "core/meta/brokers.h"
#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"

static struct cluster cluster;

static void set_up(void)
{
    cluster_start(&cluster, 1, 3, "");
}

static void tear_down(void)
{
    cluster_end(&cluster);
}

/* Puts a topic where broker `leader` leads its one partition. */
static void create_led_by(const char *name, int32_t leader)
{
    const struct topic_assignment assignment = {0, &leader, 1};
    struct topic_creation creation = {
        .name = span_text(name),
        .partitions = -1,
        .replication_factor = -1,
        .assignments = &assignment,
        .assignments_count = 1,
    };
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
}

START_TEST(a_new_process_leads_under_higher_epochs)
{
    create_led_by("mine", 1);
    create_led_by("theirs", 2);
    cluster_register(&cluster, 1);
    ck_assert_int_eq(cluster_partition(&cluster, "mine", 0)->leader_epoch, 1);
    ck_assert_int_eq(cluster_partition(&cluster, "mine", 0)->partition_epoch, 1);
    ck_assert_int_eq(cluster_partition(&cluster, "theirs", 0)->leader_epoch, 0);
    cluster_register(&cluster, 1);
    ck_assert_int_eq(cluster_partition(&cluster, "mine", 0)->leader_epoch, 2);
}
END_TEST

START_TEST(the_same_process_keeps_its_epochs)
{
    create_led_by("mine", 1);
    const struct meta_broker *broker = image_broker(&cluster.image, 1);
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = 1;
    record.body.register_broker.incarnation_id = broker->incarnation;
    record.body.register_broker.broker_epoch = broker->epoch + 1;
    record.body.register_broker.fenced = false;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    ck_assert_int_eq(cluster_partition(&cluster, "mine", 0)->leader_epoch, 0);
}
END_TEST

START_TEST(a_brokers_epoch_is_the_offset_of_its_registration)
{
    ck_assert_int_eq(image_broker(&cluster.image, 1)->epoch, 0);
    ck_assert_int_eq(image_broker(&cluster.image, 3)->epoch, 2);
    create_led_by("t", 1);
    cluster_register(&cluster, 2);
    ck_assert_int_eq(image_broker(&cluster.image, 2)->epoch, 5);
    ck_assert_int_eq(image_endpoint(image_broker(&cluster.image, 2), SPAN("PLAINTEXT"))->port,
                     9094);
    ck_assert_ptr_null(image_endpoint(image_broker(&cluster.image, 2), SPAN("SSL")));
    ck_assert_ptr_null(image_broker(&cluster.image, 4));
}
END_TEST

START_TEST(names_are_found_to_the_letter)
{
    ck_assert_int_eq(cluster_create(&cluster, "a.b", 1, 1), ERR_NONE);
    ck_assert_ptr_nonnull(cluster_topic(&cluster, "a.b"));
    ck_assert_ptr_null(cluster_topic(&cluster, "a_b"));
    ck_assert_ptr_null(cluster_topic(&cluster, ""));
    ck_assert_ptr_eq(image_topic_alike(&cluster.image, SPAN("a_b")),
                     cluster_topic(&cluster, "a.b"));
    char name[META_TOPIC_NAME_MAX + 2];
    memset(name, 'x', sizeof(name));
    ck_assert_ptr_null(image_topic(&cluster.image, span_of(name, sizeof(name))));
    cluster_remove(&cluster, "a.b");
    ck_assert_ptr_null(cluster_topic(&cluster, "a.b"));
    ck_assert_int_eq(cluster_create(&cluster, "a_b", 1, 1), ERR_NONE);
}
END_TEST

static void apply_config(const char *key, struct span value)
{
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = META_RESOURCE_TOPIC;
    record.body.config.resource_name = SPAN("t");
    record.body.config.name = span_text(key);
    record.body.config.value = value;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
}

START_TEST(settings_are_kept_by_key)
{
    create_led_by("t", 1);
    apply_config("retention.ms", SPAN("5"));
    apply_config("cleanup.policy", SPAN("compact"));
    apply_config("retention.ms", SPAN("66"));
    const struct meta_topic *topic = cluster_topic(&cluster, "t");
    ck_assert_uint_eq(topic->configs.count, 2);
    ck_assert(span_equal(topic->configs.items[0].key, SPAN("cleanup.policy")));
    ck_assert(span_equal(image_topic_config(topic, SPAN("retention.ms")), SPAN("66")));
    apply_config("retention.ms", SPAN_NULL);
    apply_config("retention.ms", SPAN_NULL);
    ck_assert(span_is_null(image_topic_config(topic, SPAN("retention.ms"))));
    apply_config("retention.ms", SPAN(""));
    ck_assert(!span_is_null(image_topic_config(topic, SPAN("retention.ms"))));
}
END_TEST

static struct meta_record change_of(const char *topic)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    record.body.partition_change.partition_id = 0;
    record.body.partition_change.topic_id = cluster_topic(&cluster, topic)->id;
    return record;
}

START_TEST(in_sync_replicas_and_leaders_change)
{
    ck_assert_int_eq(cluster_create(&cluster, "t", 1, 3), ERR_NONE);
    const struct meta_partition *partition = cluster_partition(&cluster, "t", 0);
    const int32_t leader = partition->leader;
    const int32_t other = meta_replicas(partition)[2];
    int32_t isr[] = {other, leader};
    struct meta_record record = change_of("t");
    record.body.partition_change.isr = isr;
    record.body.partition_change.isr_count = 2;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    ck_assert_uint_eq(partition->replicas_count, 3);
    ck_assert_uint_eq(partition->isr_count, 2);
    ck_assert_mem_eq(meta_isr(partition), isr, sizeof(isr));
    ck_assert_int_eq(partition->leader, leader);
    ck_assert_int_eq(partition->leader_epoch, 0);
    ck_assert_int_eq(partition->partition_epoch, 1);
    record = change_of("t");
    record.body.partition_change.leader = other;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    ck_assert_int_eq(partition->leader, other);
    ck_assert_int_eq(partition->leader_epoch, 1);
    record.body.partition_change.leader = META_NO_LEADER;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_INVALID_RECORD);
    record.body.partition_change.isr = isr;
    record.body.partition_change.isr_count = 0;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    ck_assert_int_eq(partition->leader, META_NO_LEADER);
    ck_assert_int_eq(partition->leader_epoch, 2);
}
END_TEST

/* Records that cannot follow an image with topic "t" (a partition on broker 1), three brokers. */
enum wrong {
    TOPIC_OF_THE_SAME_NAME,
    TOPIC_OF_A_COLLIDING_NAME,
    TOPIC_OF_THE_SAME_ID,
    TOPIC_WITHOUT_ID,
    TOPIC_WITH_A_BAD_NAME,
    PARTITION_OF_NO_TOPIC,
    PARTITION_OUT_OF_TURN,
    PARTITION_WITHOUT_REPLICAS,
    PARTITION_WITH_A_REPLICA_TWICE,
    PARTITION_WITHOUT_ISR,
    PARTITION_WITH_A_FOREIGN_ISR,
    PARTITION_WITH_A_FOREIGN_LEADER,
    PARTITION_WITH_A_NEGATIVE_EPOCH,
    PARTITION_UNDER_REASSIGNMENT,
    CHANGE_OF_NO_TOPIC,
    CHANGE_OF_NO_PARTITION,
    CHANGE_TO_AN_EMPTY_ISR,
    CHANGE_TO_A_FOREIGN_ISR,
    CHANGE_TO_A_FOREIGN_LEADER,
    CONFIG_OF_NO_TOPIC,
    CONFIG_WITHOUT_KEY,
    CONFIG_OF_A_BROKER,
    REMOVAL_OF_NO_TOPIC,
    REGISTRATION_WITH_AN_OLD_EPOCH,
    REGISTRATION_OF_A_NEGATIVE_ID,
    REGISTRATION_WITH_A_LONG_HOST,
    PRODUCER_IDS_THAT_GO_BACK,
    WRONGS
};

static int32_t one[] = {1};
static int32_t twice[] = {1, 1};
static int32_t foreign[] = {9};
static char long_host[META_ENDPOINT_TEXT_MAX + 1];
static struct register_broker_record_end_point long_end_point = {
    .host = {(const uint8_t *)long_host, sizeof(long_host)},
};

static struct meta_record wrong_topic(enum wrong wrong)
{
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    record.body.topic.name = SPAN("new");
    record.body.topic.topic_id.bytes[0] = 7;
    switch (wrong) {
    case TOPIC_OF_THE_SAME_NAME:
        record.body.topic.name = SPAN("t");
        break;
    case TOPIC_OF_A_COLLIDING_NAME:
        record.body.topic.name = SPAN("with_dot");
        break;
    case TOPIC_OF_THE_SAME_ID:
        record.body.topic.topic_id = cluster_topic(&cluster, "t")->id;
        break;
    case TOPIC_WITHOUT_ID:
        record.body.topic.topic_id = (struct uuid){{0}};
        break;
    default:
        record.body.topic.name = SPAN("../etc");
        break;
    }
    return record;
}

static struct meta_record wrong_partition(enum wrong wrong)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION);
    struct partition_record *body = &record.body.partition;
    *body = (struct partition_record){
        .partition_id = 1,
        .topic_id = cluster_topic(&cluster, "t")->id,
        .replicas = one,
        .replicas_count = 1,
        .isr = one,
        .isr_count = 1,
        .leader = 1,
    };
    if (wrong == PARTITION_OF_NO_TOPIC)
        body->topic_id.bytes[3] ^= 1;
    if (wrong == PARTITION_OUT_OF_TURN)
        body->partition_id = 2;
    if (wrong == PARTITION_WITHOUT_REPLICAS)
        body->replicas_count = 0;
    if (wrong == PARTITION_WITH_A_REPLICA_TWICE) {
        body->replicas = twice;
        body->replicas_count = 2;
    }
    if (wrong == PARTITION_WITHOUT_ISR)
        body->isr_count = 0;
    if (wrong == PARTITION_WITH_A_FOREIGN_ISR)
        body->isr = foreign;
    if (wrong == PARTITION_WITH_A_FOREIGN_LEADER)
        body->leader = 2;
    if (wrong == PARTITION_WITH_A_NEGATIVE_EPOCH)
        body->leader_epoch = -1;
    if (wrong == PARTITION_UNDER_REASSIGNMENT) {
        body->adding_replicas = foreign;
        body->adding_replicas_count = 1;
    }
    return record;
}

static struct meta_record wrong_change(enum wrong wrong)
{
    struct meta_record record = change_of("t");
    struct partition_change_record *body = &record.body.partition_change;
    if (wrong == CHANGE_OF_NO_TOPIC)
        body->topic_id.bytes[3] ^= 1;
    if (wrong == CHANGE_OF_NO_PARTITION)
        body->partition_id = 1;
    if (wrong == CHANGE_TO_AN_EMPTY_ISR) {
        body->isr = one;
        body->isr_count = 0;
    }
    if (wrong == CHANGE_TO_A_FOREIGN_ISR) {
        body->isr = foreign;
        body->isr_count = 1;
    }
    if (wrong == CHANGE_TO_A_FOREIGN_LEADER)
        body->leader = 9;
    return record;
}

static struct meta_record wrong_config(enum wrong wrong)
{
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = wrong == CONFIG_OF_A_BROKER ? 4 : META_RESOURCE_TOPIC;
    record.body.config.resource_name = wrong == CONFIG_OF_NO_TOPIC ? SPAN("u") : SPAN("t");
    record.body.config.name = wrong == CONFIG_WITHOUT_KEY ? SPAN("") : SPAN("retention.ms");
    record.body.config.value = SPAN("1");
    return record;
}

static struct meta_record wrong_registration(enum wrong wrong)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = wrong == REGISTRATION_OF_A_NEGATIVE_ID ? -1 : 1;
    record.body.register_broker.broker_epoch = 100;
    if (wrong == REGISTRATION_WITH_AN_OLD_EPOCH)
        record.body.register_broker.broker_epoch = image_broker(&cluster.image, 1)->epoch;
    if (wrong == REGISTRATION_WITH_A_LONG_HOST) {
        record.body.register_broker.end_points = &long_end_point;
        record.body.register_broker.end_points_count = 1;
    }
    return record;
}

static struct meta_record wrong_record(enum wrong wrong)
{
    if (wrong <= TOPIC_WITH_A_BAD_NAME)
        return wrong_topic(wrong);
    if (wrong <= PARTITION_UNDER_REASSIGNMENT)
        return wrong_partition(wrong);
    if (wrong <= CHANGE_TO_A_FOREIGN_LEADER)
        return wrong_change(wrong);
    if (wrong <= CONFIG_OF_A_BROKER)
        return wrong_config(wrong);
    if (wrong == REMOVAL_OF_NO_TOPIC)
        return meta_record_of(META_RECORD_REMOVE_TOPIC);
    if (wrong <= REGISTRATION_WITH_A_LONG_HOST)
        return wrong_registration(wrong);
    struct meta_record record = meta_record_of(META_RECORD_PRODUCER_IDS);
    record.body.producer_ids.next_producer_id = -1;
    return record;
}

START_TEST(a_record_that_cannot_follow_changes_nothing)
{
    create_led_by("t", 1);
    create_led_by("with.dot", 2);
    const uint64_t digest = image_digest(&cluster.image);
    const struct meta_record record = wrong_record((enum wrong)_i);
    const int error = image_apply(&cluster.image, &record);
    if (_i == PARTITION_UNDER_REASSIGNMENT || _i == CONFIG_OF_A_BROKER)
        ck_assert_int_eq(error, ERR_UNSUPPORTED_VERSION);
    else
        ck_assert_int_eq(error, ERR_INVALID_RECORD);
    ck_assert_uint_eq(image_digest(&cluster.image), digest);
}
END_TEST

START_TEST(an_epoch_never_overflows)
{
    create_led_by("t", 1);
    struct meta_record record = meta_record_of(META_RECORD_PARTITION);
    record.body.partition = (struct partition_record){
        .partition_id = 1,
        .topic_id = cluster_topic(&cluster, "t")->id,
        .replicas = one,
        .replicas_count = 1,
        .isr = one,
        .isr_count = 1,
        .leader = 1,
        .leader_epoch = INT32_MAX,
    };
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    const uint64_t digest = image_digest(&cluster.image);
    record = wrong_registration(WRONGS);
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_INVALID_RECORD);
    record = change_of("t");
    record.body.partition_change.partition_id = 1;
    record.body.partition_change.leader = 1;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_INVALID_RECORD);
    ck_assert_uint_eq(image_digest(&cluster.image), digest);
}
END_TEST

/* What the image would not take is not written in the first place. */
static int register_again(int32_t id)
{
    const struct broker_registration registration = {.id = id, .rack = SPAN_NULL};
    const int error = brokers_register(&cluster.image, &cluster.writer, &registration);
    ck_assert(error == ERR_NONE || cluster.writer.count == 0);
    return error;
}

START_TEST(a_broker_does_not_register_below_its_epoch)
{
    struct meta_record record = wrong_registration(WRONGS);
    ck_assert_int_eq(register_again(1), ERR_NONE);
    cluster_commit(&cluster);
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    ck_assert_int_eq(register_again(1), ERR_INVALID_REGISTRATION);
    ck_assert_int_eq(register_again(2), ERR_NONE);
}
END_TEST

START_TEST(no_epoch_is_raised_beyond_the_last)
{
    create_led_by("t", 1);
    struct meta_record record = meta_record_of(META_RECORD_PARTITION);
    record.body.partition = (struct partition_record){
        .partition_id = 1,
        .topic_id = cluster_topic(&cluster, "t")->id,
        .replicas = one,
        .replicas_count = 1,
        .isr = one,
        .isr_count = 1,
        .leader = 1,
        .leader_epoch = 7,
        .partition_epoch = INT32_MAX,
    };
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    ck_assert_int_eq(register_again(1), ERR_INVALID_REGISTRATION);
    ck_assert_int_eq(
        topics_raise_epoch(&cluster.image, &cluster.writer, record.body.partition.topic_id, 1, 7),
        ERR_FENCED_LEADER_EPOCH);
    ck_assert_int_eq(register_again(2), ERR_NONE);
}
END_TEST

START_TEST(a_batch_that_leaves_a_gap_is_refused)
{
    struct image other;
    create_led_by("t", 1);
    image_init(&other, &cluster.settings.memory, 2);
    ck_assert_int_eq(cluster_replay(&cluster, 1, &other), ERR_INVALID_RECORD);
    ck_assert_int_eq(cluster_replay(&cluster, 0, &other), ERR_NONE);
    ck_assert_int_eq(cluster_replay(&cluster, 0, &other), ERR_INVALID_RECORD);
    ck_assert_int_eq(other.end_offset, 1);
    image_free(&other);
}
END_TEST

/* What an observer was told, as text. */
static struct {
    struct image_observer observer;
    char told[512];
    size_t length;
} witness;

static void witness_changed(struct image_observer *observer, const struct image_change *change)
{
    (void)observer;
    static const char letters[] = "+-cpeB";
    witness.told[witness.length++] = letters[change->kind];
    if (change->kind == IMAGE_TOPIC_REMOVED) {
        ck_assert(span_equal(change->topic->name, SPAN("t")));
        ck_assert_ptr_null(cluster_topic(&cluster, "t"));
    }
}

START_TEST(observers_are_told_of_each_change)
{
    memset(&witness, 0, sizeof(witness));
    witness.observer.changed = witness_changed;
    image_observe(&cluster.image, &witness.observer);
    ck_assert_int_eq(cluster_create(&cluster, "t", 2, 1), ERR_NONE);
    apply_config("retention.ms", SPAN("1"));
    const struct meta_record record = change_of("t");
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    cluster.image.end_offset = meta_writer_next_offset(&cluster.writer);
    cluster_remove(&cluster, "t");
    cluster_register(&cluster, 1);
    ck_assert_str_eq(witness.told, "+ppce-B");
    list_remove(&witness.observer.place);
    cluster_register(&cluster, 1);
    ck_assert_str_eq(witness.told, "+ppce-B");
}
END_TEST

START_TEST(a_partition_takes_little_memory)
{
    ck_assert_uint_le(sizeof(struct meta_partition), 24);
    ck_assert_int_eq(cluster_create(&cluster, "t", 10000, 1), ERR_NONE);
    const uint64_t before = cluster.settings.memory.used_bytes[MEMORY_STATE];
    buffer_release(cluster.batches[--cluster.batches_count]);
    const uint64_t batch = before - cluster.settings.memory.used_bytes[MEMORY_STATE];
    cluster_remove(&cluster, "t");
    const uint64_t after = cluster.settings.memory.used_bytes[MEMORY_STATE];
    ck_assert_uint_gt(batch, 0);
    ck_assert_uint_lt((before - batch - after) / 10000, 48);
}
END_TEST

SUITE(image)
{
    TCase *tcase = tcase_create("image");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_new_process_leads_under_higher_epochs);
    tcase_add_test(tcase, the_same_process_keeps_its_epochs);
    tcase_add_test(tcase, a_brokers_epoch_is_the_offset_of_its_registration);
    tcase_add_test(tcase, names_are_found_to_the_letter);
    tcase_add_test(tcase, settings_are_kept_by_key);
    tcase_add_test(tcase, in_sync_replicas_and_leaders_change);
    tcase_add_loop_test(tcase, a_record_that_cannot_follow_changes_nothing, 0, WRONGS);
    tcase_add_test(tcase, an_epoch_never_overflows);
    tcase_add_test(tcase, a_broker_does_not_register_below_its_epoch);
    tcase_add_test(tcase, no_epoch_is_raised_beyond_the_last);
    tcase_add_test(tcase, a_batch_that_leaves_a_gap_is_refused);
    tcase_add_test(tcase, observers_are_told_of_each_change);
    tcase_add_test(tcase, a_partition_takes_little_memory);
    suite_add_tcase(suite, tcase);
}
