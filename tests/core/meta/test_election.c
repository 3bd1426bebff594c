/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/election.h"

#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"

static struct cluster cluster;

static void set_up(void)
{
    cluster_start(&cluster, 1, 4, "");
}

static void tear_down(void)
{
    cluster_end(&cluster);
}

/* "t", one partition on brokers 1, 2, 3 in this order. */
static void create(const char *name)
{
    static const int32_t brokers[] = {1, 2, 3};
    const struct topic_assignment assignment = {0, brokers, 3};
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

static void configure(int8_t type, const char *resource, const char *key, const char *value)
{
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = type;
    record.body.config.resource_name = span_text(resource);
    record.body.config.name = span_text(key);
    record.body.config.value = span_text(value);
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
    cluster_commit(&cluster);
}

static void change(int32_t broker, int8_t fenced, int8_t shuts_down)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    record.body.registration_change.broker_id = broker;
    record.body.registration_change.broker_epoch = image_broker(&cluster.image, broker)->epoch;
    record.body.registration_change.fenced = fenced;
    record.body.registration_change.in_controlled_shutdown = shuts_down;
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
    cluster_commit(&cluster);
}

static void fence(int32_t broker)
{
    change(broker, 1, 0);
}

static void unfence(int32_t broker)
{
    change(broker, -1, 0);
}

/* Another process of the broker, fenced at first, whose predecessor did not end in order, with the
 * data folder "a". */
static void restart_uncleanly(int32_t broker)
{
    const struct meta_broker *before = image_broker(&cluster.image, broker);
    struct uuid directory = {{'a'}};
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = broker;
    record.body.register_broker.broker_epoch = cluster.image.end_offset;
    record.body.register_broker.incarnation_id = before->incarnation;
    record.body.register_broker.incarnation_id.bytes[15] ^= 0x55;
    record.body.register_broker.unclean_restart = true;
    record.body.register_broker.log_dirs = &directory;
    record.body.register_broker.log_dirs_count = 1;
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
    cluster_commit(&cluster);
}

/* Another process of the broker, which ended in order, with these data folders. */
static void restart_with(int32_t broker, const char *folders)
{
    const struct meta_broker *before = image_broker(&cluster.image, broker);
    struct uuid directories[4] = {{{0}}};
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = broker;
    record.body.register_broker.broker_epoch = cluster.image.end_offset;
    record.body.register_broker.incarnation_id = before->incarnation;
    record.body.register_broker.incarnation_id.bytes[15] ^= 0x55;
    record.body.register_broker.fenced = false;
    record.body.register_broker.log_dirs = directories;
    for (; folders[record.body.register_broker.log_dirs_count] != '\0';
         record.body.register_broker.log_dirs_count++)
        directories[record.body.register_broker.log_dirs_count].bytes[0] =
            (uint8_t)folders[record.body.register_broker.log_dirs_count];
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
    cluster_commit(&cluster);
}

/* Members of a list as a number, the first one's digit first: 213 for 2, 1, 3. */
static int32_t digits(const int32_t *list, uint32_t count)
{
    int32_t number = 0;
    for (uint32_t i = 0; i < count; i++)
        number = 10 * number + list[i];
    return number;
}

static void expect(const char *topic, int32_t leader, int32_t epoch, int32_t isr, int32_t elr)
{
    const struct meta_partition *partition = cluster_partition(&cluster, topic, 0);
    ck_assert_int_eq(partition->leader, leader);
    ck_assert_int_eq(partition->leader_epoch, epoch);
    ck_assert_int_eq(digits(meta_isr(partition), partition->isr_count), isr);
    ck_assert_int_eq(digits(meta_elr(partition), partition->elr_count), elr);
}

/* From then on things are committed that who was eligible does not hold. */
START_TEST(nobody_is_eligible_where_fewer_replicas_are_enough)
{
    const int8_t type = _i == 0 ? META_RESOURCE_TOPIC : META_RESOURCE_BROKER;
    const char *resource = _i == 0 ? "t" : "";
    create("t");
    configure(META_RESOURCE_BROKER, "", "min.insync.replicas", "3");
    fence(2);
    fence(3);
    expect("t", 1, 0, 1, 23);
    configure(type, resource, "min.insync.replicas", "2");
    expect("t", 1, 0, 1, 23);
    configure(type, resource, "min.insync.replicas", "1");
    expect("t", 1, 0, 1, 0);
    fence(1);
    expect("t", -1, 1, 0, 1);
    unfence(2);
    expect("t", -1, 1, 0, 1);
}
END_TEST

START_TEST(a_fenced_broker_leaves_and_its_leaderships_move)
{
    create("t");
    expect("t", 1, 0, 123, 0);
    fence(1);
    expect("t", 2, 1, 23, 0);
    ck_assert_int_eq(cluster_partition(&cluster, "t", 0)->partition_epoch, 1);
    unfence(1); /* back, and in no ISR before it has caught up */
    expect("t", 2, 1, 23, 0);
    ck_assert_int_eq(cluster_partition(&cluster, "t", 0)->partition_epoch, 1);
}
END_TEST

START_TEST(a_follower_that_leaves_costs_no_epoch)
{
    create("t");
    fence(3);
    expect("t", 1, 0, 12, 0);
    ck_assert_int_eq(cluster_partition(&cluster, "t", 0)->partition_epoch, 1);
}
END_TEST

START_TEST(who_leaves_a_small_isr_stays_eligible)
{
    create("t");
    configure(META_RESOURCE_TOPIC, "t", "min.insync.replicas", "2");
    fence(1);
    expect("t", 2, 1, 23, 0); /* large enough: nobody else is eligible */
    fence(2);
    expect("t", 3, 2, 3, 2);
    fence(3);
    expect("t", META_NO_LEADER, 3, 0, 23);
    unfence(1);
    expect("t", META_NO_LEADER, 3, 0, 23); /* it may lack what 2 and 3 committed */
    unfence(3);
    expect("t", 3, 4, 3, 2);
}
END_TEST

START_TEST(the_last_in_sync_waits_for_its_return)
{
    create("t");
    fence(1);
    fence(2);
    fence(3);
    expect("t", META_NO_LEADER, 3, 0, 3);
    unfence(1);
    unfence(2);
    expect("t", META_NO_LEADER, 3, 0, 3);
    unfence(3);
    expect("t", 3, 4, 3, 0);
    ck_assert(!cluster_partition(&cluster, "t", 0)->is_recovering);
}
END_TEST

START_TEST(settings_of_the_cluster_count_where_a_topic_has_none)
{
    configure(META_RESOURCE_BROKER, "", "min.insync.replicas", "3");
    create("t");
    create("own");
    configure(META_RESOURCE_TOPIC, "own", "min.insync.replicas", "1");
    fence(3);
    expect("t", 1, 0, 12, 3);
    expect("own", 1, 0, 12, 0);
}
END_TEST

START_TEST(no_more_are_required_than_there_are_replicas)
{
    create("t");
    configure(META_RESOURCE_TOPIC, "t", "min.insync.replicas", "100");
    fence(1);
    fence(2);
    fence(3);
    expect("t", META_NO_LEADER, 3, 0, 123);
}
END_TEST

START_TEST(a_new_process_that_leads_alone_leads_on_under_a_higher_epoch)
{
    create("t");
    fence(2);
    fence(3);
    expect("t", 1, 0, 1, 0);
    cluster_register(&cluster, 1);
    expect("t", 1, 1, 1, 0);
}
END_TEST

START_TEST(another_leads_when_a_leader_is_a_new_process)
{
    create("t");
    cluster_register(&cluster, 1);
    expect("t", 2, 1, 23, 0);
}
END_TEST

START_TEST(who_may_have_lost_what_was_cached_is_not_eligible)
{
    create("cached");
    create("durable");
    configure(META_RESOURCE_TOPIC, "cached", "write.caching", "true");
    fence(1);
    fence(2);
    fence(3);
    expect("cached", META_NO_LEADER, 3, 0, 3);
    restart_uncleanly(3);
    expect("cached", META_NO_LEADER, 3, 0, 0);
    expect("durable", META_NO_LEADER, 3, 0, 3);
    ck_assert_int_eq(meta_last_known_leader(cluster_partition(&cluster, "cached", 0)), 3);
    unfence(1);
    expect("cached", META_NO_LEADER, 3, 0, 0);
    unfence(3); /* of those that there are it has lost least */
    expect("cached", 3, 4, 3, 0);
    expect("durable", 3, 4, 3, 0);
    ck_assert(cluster_partition(&cluster, "cached", 0)->is_recovering);
    ck_assert(!cluster_partition(&cluster, "durable", 0)->is_recovering);
    ck_assert_int_eq(meta_last_known_leader(cluster_partition(&cluster, "cached", 0)),
                     META_NO_LEADER);
}
END_TEST

static int put(void *image, const struct meta_record *record)
{
    return image_apply(image, record);
}

/* The image is built anew of what its snapshot holds. */
static void install_snapshot(void)
{
    struct image fresh;
    image_init(&fresh, cluster.image.memory, 1);
    ck_assert_int_eq(image_save(&cluster.image, &fresh, put), ERR_NONE);
    ck_assert_uint_eq(image_digest(&fresh), image_digest(&cluster.image));
    fresh.end_offset = cluster.image.end_offset;
    fresh.epoch = cluster.image.epoch;
    image_replace(&cluster.image, &fresh);
}

/* What it had cached is not on its disk because the setting says now that it would be. */
START_TEST(what_was_cached_once_may_be_lost_ever_after)
{
    static const struct {
        int8_t type;
        const char *resource;
        const char *key;
    } settings[] = {
        {META_RESOURCE_TOPIC, "t", "write.caching"},
        {META_RESOURCE_BROKER, "", "write.caching.default"},
    };
    create("t");
    configure(settings[_i].type, settings[_i].resource, settings[_i].key, "true");
    configure(settings[_i].type, settings[_i].resource, settings[_i].key, "false");
    create("later");
    install_snapshot();
    fence(1);
    fence(2);
    fence(3);
    restart_uncleanly(3);
    expect("t", META_NO_LEADER, 3, 0, 0);
    expect("later", META_NO_LEADER, 3, 0, 3);
}
END_TEST

static int unclean_told;

static void count_unclean(struct image_observer *observer, const struct image_change *change)
{
    (void)observer;
    unclean_told += change->is_unclean;
}

START_TEST(an_unclean_election_needs_leave)
{
    struct image_observer observer = {.changed = count_unclean};
    unclean_told = 0;
    image_observe(&cluster.image, &observer);
    create("clean");
    create("unclean");
    configure(META_RESOURCE_TOPIC, "unclean", "unclean.leader.election.enable", "true");
    fence(1);
    fence(2);
    fence(3);
    unfence(1);
    expect("clean", META_NO_LEADER, 3, 0, 3);
    expect("unclean", 1, 4, 1, 0);
    ck_assert(cluster_partition(&cluster, "unclean", 0)->is_recovering);
    ck_assert_int_eq(unclean_told, 1);
    list_remove(&observer.place);
}
END_TEST

START_TEST(who_shuts_down_leads_nothing_any_more)
{
    create("t");
    change(1, 0, 1);
    expect("t", 2, 1, 23, 0);
    ck_assert_uint_eq(image_live_brokers(&cluster.image), 3);
    ck_assert_int_eq(cluster_create(&cluster, "wide", 1, 5), ERR_INVALID_REPLICATION_FACTOR);
    ck_assert_int_eq(cluster_create(&cluster, "later", 1, 3), ERR_NONE);
    ck_assert(!meta_is_member(meta_replicas(cluster_partition(&cluster, "later", 0)), 3, 1));
}
END_TEST

START_TEST(a_broker_that_is_removed_leaves)
{
    create("t");
    struct meta_record record = meta_record_of(META_RECORD_UNREGISTER_BROKER);
    record.body.unregister_broker.broker_id = 1;
    record.body.unregister_broker.broker_epoch = 7; /* of another registration */
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_INVALID_RECORD);
    record.body.unregister_broker.broker_epoch = image_broker(&cluster.image, 1)->epoch;
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_NONE);
    ck_assert_ptr_null(image_broker(&cluster.image, 1));
    expect("t", 2, 1, 23, 0);
}
END_TEST

START_TEST(news_of_an_earlier_process_change_nothing)
{
    create("t");
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    record.body.registration_change.broker_id = 1;
    record.body.registration_change.broker_epoch = image_broker(&cluster.image, 1)->epoch;
    record.body.registration_change.fenced = 1;
    cluster_register(&cluster, 1);
    ck_assert_int_eq(image_apply(&cluster.image, &record), ERR_INVALID_RECORD);
    ck_assert(!image_broker(&cluster.image, 1)->fenced);
}
END_TEST

/* A new disk holds nothing of what was committed: the last one in sync must not lead with it. */
START_TEST(who_lost_a_folder_is_not_eligible)
{
    static const struct {
        const char *before;
        const char *after;
        bool has_lost;
    } cases[] = {
        {"a", "a", false},  {"a", "b", true}, {"ab", "ba", false}, {"a", "ab", false},
        {"ab", "ca", true}, {"", "a", false}, {"a", "", false}, /* it does not say */
    };
    restart_with(3, cases[_i].before);
    create("t");
    configure(META_RESOURCE_TOPIC, "t", "min.insync.replicas", "2");
    fence(1);
    fence(2);
    expect("t", 3, 2, 3, 2);
    restart_with(3, cases[_i].after);
    if (!cases[_i].has_lost) {
        expect("t", 3, 3, 3, 2);
        return;
    }
    expect("t", META_NO_LEADER, 3, 0, 2);
    unfence(2);
    expect("t", 2, 4, 2, 0);
}
END_TEST

/* Nor where one in sync is enough, for then others may have more than the last one. */
START_TEST(who_lost_a_folder_is_not_the_last_known_leader)
{
    restart_with(3, "a");
    create("t");
    fence(1);
    fence(2);
    expect("t", 3, 2, 3, 0);
    restart_with(3, "b");
    expect("t", META_NO_LEADER, 3, 0, 0);
    ck_assert_int_eq(meta_last_known_leader(cluster_partition(&cluster, "t", 0)), META_NO_LEADER);
    unfence(1);
    expect("t", META_NO_LEADER, 3, 0, 0);
    configure(META_RESOURCE_TOPIC, "t", "unclean.leader.election.enable", "true");
    unfence(2);
    expect("t", 1, 4, 1, 0);
    ck_assert(cluster_partition(&cluster, "t", 0)->is_recovering);
}
END_TEST

START_TEST(a_last_known_leader_that_loses_its_folder_is_none_any_more)
{
    restart_with(3, "a");
    create("t");
    configure(META_RESOURCE_TOPIC, "t", "write.caching", "true");
    fence(1);
    fence(2);
    fence(3);
    restart_uncleanly(3);
    expect("t", META_NO_LEADER, 3, 0, 0);
    ck_assert_int_eq(meta_last_known_leader(cluster_partition(&cluster, "t", 0)), 3);
    restart_with(3, "b");
    expect("t", META_NO_LEADER, 3, 0, 0);
    ck_assert_int_eq(meta_last_known_leader(cluster_partition(&cluster, "t", 0)), META_NO_LEADER);
}
END_TEST

/* What nobody else has is gone, whoever waits for it. */
START_TEST(the_only_replica_leads_with_a_new_disk)
{
    static const int32_t brokers[] = {3};
    const struct topic_assignment assignment = {0, brokers, 1};
    struct topic_creation creation = {
        .name = span_text("t"),
        .partitions = -1,
        .replication_factor = -1,
        .assignments = &assignment,
        .assignments_count = 1,
    };
    restart_with(3, "a");
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
    restart_with(3, "b");
    expect("t", 3, 1, 3, 0);
    ck_assert(!cluster_partition(&cluster, "t", 0)->is_recovering);
}
END_TEST

SUITE(election)
{
    TCase *tcase = tcase_create("election");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, nobody_is_eligible_where_fewer_replicas_are_enough, 0, 2);
    tcase_add_test(tcase, a_fenced_broker_leaves_and_its_leaderships_move);
    tcase_add_test(tcase, a_follower_that_leaves_costs_no_epoch);
    tcase_add_test(tcase, who_leaves_a_small_isr_stays_eligible);
    tcase_add_test(tcase, the_last_in_sync_waits_for_its_return);
    tcase_add_test(tcase, settings_of_the_cluster_count_where_a_topic_has_none);
    tcase_add_test(tcase, no_more_are_required_than_there_are_replicas);
    tcase_add_test(tcase, a_new_process_that_leads_alone_leads_on_under_a_higher_epoch);
    tcase_add_test(tcase, another_leads_when_a_leader_is_a_new_process);
    tcase_add_test(tcase, who_may_have_lost_what_was_cached_is_not_eligible);
    tcase_add_loop_test(tcase, what_was_cached_once_may_be_lost_ever_after, 0, 2);
    tcase_add_loop_test(tcase, who_lost_a_folder_is_not_eligible, 0, 7);
    tcase_add_test(tcase, who_lost_a_folder_is_not_the_last_known_leader);
    tcase_add_test(tcase, a_last_known_leader_that_loses_its_folder_is_none_any_more);
    tcase_add_test(tcase, the_only_replica_leads_with_a_new_disk);
    tcase_add_test(tcase, an_unclean_election_needs_leave);
    tcase_add_test(tcase, who_shuts_down_leads_nothing_any_more);
    tcase_add_test(tcase, a_broker_that_is_removed_leaves);
    tcase_add_test(tcase, news_of_an_earlier_process_change_nothing);
    suite_add_tcase(suite, tcase);
}
