/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/placement.h"

#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"

#define BROKERS_MAX 12

static struct cluster cluster;

static void set_up(void)
{
    cluster_start(&cluster, 1, 0, "");
}

static void tear_down(void)
{
    cluster_end(&cluster);
}

/* Brokers 1, 2, … in these racks, a letter each; '-' for none. */
static void brokers(const char *racks)
{
    for (int32_t i = 0; racks[i] != '\0'; i++) {
        const char rack[] = {racks[i], '\0'};
        cluster_register_in(&cluster, i + 1, racks[i] == '-' ? NULL : rack);
    }
}

/* What the topic "t" has on each broker. */
struct counts {
    int32_t leads[BROKERS_MAX + 1];
    int32_t holds[BROKERS_MAX + 1];
};

static struct counts count(void)
{
    struct counts counts = {{0}, {0}};
    const struct meta_topic *topic = cluster_topic(&cluster, "t");
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        const int32_t *replicas = meta_replicas(&topic->partitions[i]);
        counts.leads[replicas[0]]++;
        for (uint32_t k = 0; k < topic->partitions[i].replicas_count; k++)
            counts.holds[replicas[k]]++;
    }
    return counts;
}

static void expect_range(const int32_t *counts, int32_t first, int32_t last, int32_t most_apart)
{
    int32_t least = counts[first];
    int32_t most = counts[first];
    for (int32_t id = first; id <= last; id++) {
        least = counts[id] < least ? counts[id] : least;
        most = counts[id] > most ? counts[id] : most;
    }
    ck_assert_int_le(most - least, most_apart);
}

static const char *const sites[] = {"---", "-----", "abc", "aabbcc", "abcabc", "aaabbb", "ab-"};

START_TEST(leaders_and_replicas_are_spread_evenly)
{
    brokers(sites[_i]);
    const int32_t last = (int32_t)strlen(sites[_i]);
    for (int32_t partitions = 1; partitions <= 3 * last; partitions++) {
        ck_assert_int_eq(cluster_create(&cluster, "t", partitions, 2), ERR_NONE);
        const struct counts counts = count();
        expect_range(counts.leads, 1, last, 1);
        expect_range(counts.holds, 1, last, partitions % last == 0 ? 0 : 2);
        cluster_remove(&cluster, "t");
    }
}
END_TEST

/* Brokers, replicas, and in how many racks they have to be. */
static const struct {
    const char *racks;
    int32_t replicas;
    int32_t spread;
} racks[] = {{"aab", 2, 2},    {"aaab", 2, 2},   {"aabb", 3, 2},
             {"abcabc", 3, 3}, {"aaaabc", 3, 3}, {"abc", 2, 2}};

START_TEST(replicas_are_in_as_many_racks_as_there_are)
{
    const char *site = racks[_i].racks;
    brokers(site);
    ck_assert_int_eq(cluster_create(&cluster, "t", 20, racks[_i].replicas), ERR_NONE);
    for (int32_t i = 0; i < 20; i++) {
        const struct meta_partition *partition = cluster_partition(&cluster, "t", i);
        bool seen[256] = {false};
        int32_t spread = 0;
        for (uint32_t k = 0; k < partition->replicas_count; k++) {
            bool *rack = &seen[(uint8_t)site[meta_replicas(partition)[k] - 1]];
            spread += !*rack;
            *rack = true;
        }
        ck_assert_int_eq(spread, racks[_i].spread);
    }
}
END_TEST

/* One that ends leaves its leaderships to all others. */
START_TEST(one_leader_has_many_followers)
{
    brokers("----");
    ck_assert_int_eq(cluster_create(&cluster, "t", 12, 2), ERR_NONE);
    for (int32_t leader = 1; leader <= 4; leader++) {
        bool follows[5] = {false};
        for (int32_t i = 0; i < 12; i++) {
            const int32_t *replicas = meta_replicas(cluster_partition(&cluster, "t", i));
            if (replicas[0] == leader)
                follows[replicas[1]] = true;
        }
        for (int32_t id = 1; id <= 4; id++)
            ck_assert(follows[id] == (id != leader));
    }
}
END_TEST

START_TEST(a_topic_grows_where_it_has_least)
{
    static const int32_t first[] = {1};
    static const int32_t second[] = {2};
    const struct topic_assignment both[] = {{0, first, 1}, {1, second, 1}};
    struct topic_creation creation = {
        .name = SPAN("t"),
        .partitions = -1,
        .replication_factor = -1,
        .assignments = both,
        .assignments_count = 2,
    };
    struct span message;
    brokers("----");
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
    ck_assert_int_eq(
        topics_grow(&cluster.context, cluster_topic(&cluster, "t"), 8, NULL, 0, &message),
        ERR_NONE);
    cluster_commit(&cluster);
    const struct counts counts = count();
    expect_range(counts.leads, 1, 4, 0);
}
END_TEST

/* KRaft counts brokers that are known, and gives them what the live ones are too few for. */
START_TEST(a_fenced_broker_may_hold_what_it_will_catch_up_with)
{
    brokers("---");
    cluster_fence(&cluster, 2);
    ck_assert_int_eq(cluster_create(&cluster, "two", 6, 2), ERR_NONE);
    ck_assert_int_eq(cluster_create(&cluster, "three", 6, 3), ERR_NONE);
    ck_assert_int_eq(cluster_create(&cluster, "four", 1, 4), ERR_INVALID_REPLICATION_FACTOR);
    for (int32_t i = 0; i < 6; i++) {
        const struct meta_partition *two = cluster_partition(&cluster, "two", i);
        const struct meta_partition *three = cluster_partition(&cluster, "three", i);
        ck_assert(!meta_is_member(meta_replicas(two), 2, 2));
        ck_assert_uint_eq(two->isr_count, 2);
        ck_assert_int_ne(three->leader, 2);
        ck_assert_int_eq(three->leader, meta_replicas(three)[0]);
        ck_assert_uint_eq(three->isr_count, 2);
        ck_assert(!meta_is_member(meta_isr(three), 2, 2));
    }
}
END_TEST

/* A restart passes, and where the replicas are stays. */
START_TEST(a_rack_counts_while_its_broker_is_fenced)
{
    brokers("aab");
    cluster_fence(&cluster, 3);
    ck_assert_int_eq(cluster_create(&cluster, "t", 4, 2), ERR_NONE);
    for (int32_t i = 0; i < 4; i++)
        ck_assert_int_eq(meta_replicas(cluster_partition(&cluster, "t", i))[1], 3);
}
END_TEST

START_TEST(nothing_is_created_where_nobody_lives)
{
    brokers("-");
    cluster_fence(&cluster, 1);
    ck_assert_int_eq(cluster_create(&cluster, "t", 1, 1), ERR_INVALID_REPLICATION_FACTOR);
}
END_TEST

START_TEST(who_is_assigned_by_hand_may_be_fenced_but_not_all)
{
    static const int32_t one_live[] = {1, 2};
    static const int32_t none_live[] = {1, 3};
    struct topic_assignment assignment = {0, one_live, 2};
    struct topic_creation creation = {
        .name = SPAN("t"),
        .partitions = -1,
        .replication_factor = -1,
        .assignments = &assignment,
        .assignments_count = 1,
    };
    brokers("---");
    cluster_fence(&cluster, 1);
    cluster_fence(&cluster, 3);
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_NONE);
    cluster_commit(&cluster);
    ck_assert_int_eq(cluster_partition(&cluster, "t", 0)->leader, 2);
    ck_assert_uint_eq(cluster_partition(&cluster, "t", 0)->isr_count, 1);
    creation.name = SPAN("u");
    creation.partitions = -1;
    creation.replication_factor = -1;
    assignment.brokers = none_live;
    ck_assert_int_eq(topics_create(&cluster.context, &creation), ERR_INVALID_REPLICA_ASSIGNMENT);
}
END_TEST

SUITE(placement)
{
    TCase *tcase = tcase_create("placement");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, leaders_and_replicas_are_spread_evenly, 0, 7);
    tcase_add_loop_test(tcase, replicas_are_in_as_many_racks_as_there_are, 0, 6);
    tcase_add_test(tcase, one_leader_has_many_followers);
    tcase_add_test(tcase, a_topic_grows_where_it_has_least);
    tcase_add_test(tcase, a_fenced_broker_may_hold_what_it_will_catch_up_with);
    tcase_add_test(tcase, a_rack_counts_while_its_broker_is_fenced);
    tcase_add_test(tcase, nothing_is_created_where_nobody_lives);
    tcase_add_test(tcase, who_is_assigned_by_hand_may_be_fenced_but_not_all);
    suite_add_tcase(suite, tcase);
}
