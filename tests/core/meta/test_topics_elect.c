/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/format.h"
#include "core/meta/topics.h"
#include "core/meta/unregister.h"
#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"

static struct cluster cluster;

/* Partition 0 of "t" is on brokers 1, 2, 3. */
static void set_up(void)
{
    static const int32_t brokers[] = {1, 2, 3};
    const struct topic_assignment assignment = {0, brokers, 3};
    struct topic_creation creation = {
        .name = SPAN("t"),
        .partitions = -1,
        .replication_factor = -1,
        .assignments = &assignment,
        .assignments_count = 1,
    };
    cluster_start(&cluster, 1, 3, "");
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
}

static void tear_down(void)
{
    cluster_end(&cluster);
}

static int elect(enum topics_election election)
{
    struct span message;
    const int error =
        topics_elect(&cluster.context, cluster_topic(&cluster, "t"), 0, election, &message);
    ck_assert(error == ERR_NONE || error == ERR_ELECTION_NOT_NEEDED || !span_is_null(message));
    cluster_commit(&cluster);
    return error;
}

static void set_isr(int32_t *isr, int32_t count)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    record.body.partition_change.partition_id = 0;
    record.body.partition_change.topic_id = cluster_topic(&cluster, "t")->id;
    record.body.partition_change.isr = isr;
    record.body.partition_change.isr_count = count;
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
    cluster_commit(&cluster);
}

static void set_min_insync(const char *value)
{
    const struct topic_alteration alteration = {SPAN("min.insync.replicas"), span_text(value),
                                                CONF_SET};
    struct span message;
    ck_assert_int_eq(
        topics_alter(&cluster.context, cluster_topic(&cluster, "t"), &alteration, 1, &message),
        ERR_NONE);
    cluster_commit(&cluster);
}

static const struct meta_partition *partition(void)
{
    return cluster_partition(&cluster, "t", 0);
}

START_TEST(what_is_led_as_it_should_be_is_left_alone)
{
    ck_assert_int_eq(elect(TOPICS_ELECT_PREFERRED), ERR_ELECTION_NOT_NEEDED);
    ck_assert_int_eq(elect(TOPICS_ELECT_ANY), ERR_ELECTION_NOT_NEEDED);
    ck_assert_int_eq(partition()->leader_epoch, 0);
}
END_TEST

START_TEST(what_is_not_there_is_not_led)
{
    struct span message;
    ck_assert_int_eq(topics_elect(&cluster.context, NULL, 0, TOPICS_ELECT_PREFERRED, &message),
                     ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(topics_elect(&cluster.context, cluster_topic(&cluster, "t"), 1,
                                  TOPICS_ELECT_PREFERRED, &message),
                     ERR_UNKNOWN_TOPIC_OR_PARTITION);
}
END_TEST

START_TEST(a_preferred_leader_leads_when_it_is_in_sync_again)
{
    static int32_t all[] = {2, 3, 1};
    cluster_fence(&cluster, 1);
    ck_assert_int_eq(partition()->leader, 2);
    ck_assert_int_eq(elect(TOPICS_ELECT_PREFERRED), ERR_PREFERRED_LEADER_NOT_AVAILABLE);
    cluster_unfence(&cluster, 1);
    ck_assert_int_eq(elect(TOPICS_ELECT_PREFERRED), ERR_PREFERRED_LEADER_NOT_AVAILABLE);
    set_isr(all, 3);
    const int32_t epoch = partition()->leader_epoch;
    ck_assert_int_eq(elect(TOPICS_ELECT_PREFERRED), ERR_NONE);
    ck_assert_int_eq(partition()->leader, 1);
    ck_assert_int_eq(partition()->leader_epoch, epoch + 1);
    ck_assert_uint_eq(partition()->isr_count, 3);
}
END_TEST

static void end_all(void)
{
    for (int32_t id = 1; id <= 3; id++)
        cluster_fence(&cluster, id);
    ck_assert_int_eq(partition()->leader, META_NO_LEADER);
}

START_TEST(any_replica_leads_where_nobody_does)
{
    end_all();
    ck_assert_int_eq(elect(TOPICS_ELECT_ANY), ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE);
    ck_assert_int_eq(elect(TOPICS_ELECT_PREFERRED), ERR_PREFERRED_LEADER_NOT_AVAILABLE);
    cluster_unfence(&cluster, 1);
    ck_assert_int_eq(partition()->leader, META_NO_LEADER);
    const int32_t epoch = partition()->leader_epoch;
    ck_assert_int_eq(elect(TOPICS_ELECT_ANY), ERR_NONE);
    ck_assert_int_eq(partition()->leader, 1);
    ck_assert_int_eq(partition()->leader_epoch, epoch + 1);
    ck_assert_uint_eq(partition()->isr_count, 1);
    ck_assert_uint_eq(partition()->elr_count, 0);
    ck_assert(partition()->is_recovering);
}
END_TEST

/* Nothing more is committed than they hold, for the ISR is too small. */
START_TEST(the_eligible_stay_so_where_nothing_is_committed)
{
    set_min_insync("2");
    end_all();
    ck_assert_uint_eq(partition()->elr_count, 2);
    cluster_unfence(&cluster, 1);
    ck_assert_int_eq(elect(TOPICS_ELECT_ANY), ERR_NONE);
    ck_assert_int_eq(partition()->leader, 1);
    ck_assert_uint_eq(partition()->elr_count, 2);
    ck_assert(!meta_is_member(meta_elr(partition()), 2, 1));
}
END_TEST

static int unregister(int32_t broker, const char *why)
{
    struct span message = SPAN_NULL;
    const int error = brokers_unregister(&cluster.context, broker, &message);
    ck_assert_msg(span_is_null(message) ? why == NULL
                                        : why != NULL && memmem(message.data, message.length, why,
                                                                strlen(why)) != NULL,
                  "%.*s", SPAN_ARGS(message));
    cluster_commit(&cluster);
    return error;
}

START_TEST(a_broker_that_ended_is_forgotten)
{
    ck_assert_int_eq(unregister(9, NULL), ERR_BROKER_ID_NOT_REGISTERED);
    ck_assert_int_eq(unregister(3, "is running"), ERR_INVALID_REQUEST);
    cluster_fence(&cluster, 3);
    ck_assert_int_eq(unregister(3, NULL), ERR_NONE);
    ck_assert_ptr_null(image_broker(&cluster.image, 3));
    ck_assert_uint_eq(partition()->replicas_count, 3);
}
END_TEST

/* Another machine with its number and an empty disk would be believed to hold it. */
START_TEST(who_may_hold_what_others_lack_is_not_forgotten)
{
    set_min_insync("2");
    cluster_fence(&cluster, 3);
    cluster_fence(&cluster, 2);
    ck_assert(meta_is_member(meta_elr(partition()), partition()->elr_count, 2));
    ck_assert_int_eq(unregister(2, "t-0"), ERR_INVALID_REQUEST);
    ck_assert_ptr_nonnull(image_broker(&cluster.image, 2));
    ck_assert_int_eq(unregister(3, NULL), ERR_NONE); /* it left while enough were in sync */
    set_min_insync("1");
    ck_assert_int_eq(unregister(2, NULL), ERR_NONE);
}
END_TEST

/* What it held is gone with it, and nobody else ever had it. */
START_TEST(the_only_replica_is_forgotten)
{
    ck_assert_int_eq(cluster_create(&cluster, "alone", 3, 1), ERR_NONE);
    cluster_fence(&cluster, 3);
    ck_assert_int_eq(unregister(3, NULL), ERR_NONE);
}
END_TEST

SUITE(topics_elect)
{
    TCase *tcase = tcase_create("topics_elect");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_led_as_it_should_be_is_left_alone);
    tcase_add_test(tcase, what_is_not_there_is_not_led);
    tcase_add_test(tcase, a_preferred_leader_leads_when_it_is_in_sync_again);
    tcase_add_test(tcase, any_replica_leads_where_nobody_does);
    tcase_add_test(tcase, the_eligible_stay_so_where_nothing_is_committed);
    tcase_add_test(tcase, a_broker_that_ended_is_forgotten);
    tcase_add_test(tcase, who_may_hold_what_others_lack_is_not_forgotten);
    tcase_add_test(tcase, the_only_replica_is_forgotten);
    suite_add_tcase(suite, tcase);
}
