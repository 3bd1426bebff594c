/* SPDX-License-Identifier: Apache-2.0 */
/* What brokers tell of their followers and streams to who asks for it: "chronik cluster status". */
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/partition.h"
#include "core/wire/error.h"
#include "tests/core/trio.h"
#include "tests/support/runner.h"

typedef struct describe_topic_partitions_response_topic_partition told_partition;
typedef struct describe_topic_partitions_response_topic_partition_follower told_follower;
typedef struct describe_cluster_response_stream told_stream;

static struct client *clients[CREW_MAX + 1];

static void begin(void)
{
    trio_begin();
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        clients[id] = NULL;
}

static void end(void)
{
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (clients[id] != NULL)
            client_free(clients[id]);
    }
    trio_end();
}

static struct client *client_of(int32_t id)
{
    if (clients[id] == NULL)
        clients[id] = client_new(crew_nodes[id].world);
    return clients[id];
}

/* What node `id` tells of the partition. */
static const told_partition *partition_by(int32_t id, bool include_followers)
{
    struct describe_topic_partitions_request *request =
        client_request(client_of(id), API_DESCRIBE_TOPIC_PARTITIONS);
    request->include_followers = include_followers;
    const struct describe_topic_partitions_response *response =
        crew_call(client_of(id), API_DESCRIBE_TOPIC_PARTITIONS, 0, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics_count, 1);
    return &response->topics[0].partitions[0];
}

static const struct describe_cluster_response *cluster_by(int32_t id, bool include_streams)
{
    struct describe_cluster_request *request = client_request(client_of(id), API_DESCRIBE_CLUSTER);
    request->include_streams = include_streams;
    const struct describe_cluster_response *response =
        crew_call(client_of(id), API_DESCRIBE_CLUSTER, 0, request);
    ck_assert_ptr_nonnull(response);
    return response;
}

/* What the leader tells of a follower, and of its stream to it. */
static told_follower follower_told(int32_t follower)
{
    const told_partition *partition = partition_by(trio_leader(), true);
    ck_assert_int_eq(partition->followers_count, 2);
    return partition->followers[partition->followers[0].broker_id != follower];
}

static told_stream stream_told(int32_t follower)
{
    const struct describe_cluster_response *cluster = cluster_by(trio_leader(), true);
    ck_assert_int_eq(cluster->streams_count, 2);
    return cluster->streams[cluster->streams[0].broker_id != follower];
}

START_TEST(nobody_is_told_who_does_not_ask)
{
    trio_produce(1);
    ck_assert_int_eq(partition_by(trio_leader(), false)->followers_count, -1);
    ck_assert_int_eq(partition_by(trio_leader(), false)->log_end_offset, -1);
    ck_assert_int_eq(cluster_by(trio_leader(), false)->streams_count, -1);
}
END_TEST

START_TEST(a_leader_tells_how_far_its_followers_are)
{
    trio_produce(7);
    ck_assert_int_eq(partition_by(trio_leader(), true)->log_end_offset, 7);
    ck_assert_int_eq(partition_by(trio_follower(), true)->followers_count, -1);
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id == trio_leader())
            continue;
        const told_follower follower = follower_told(id);
        ck_assert_int_eq(follower.broker_id, id);
        ck_assert_int_eq(follower.end_offset, 7);
        ck_assert_int_eq(follower.behind_ms, 0);
        const told_stream stream = stream_told(id);
        ck_assert_int_eq(stream.broker_id, id);
        ck_assert(stream.is_up);
        ck_assert_int_ge(stream.up_ms, 500);
        ck_assert_int_lt(stream.heard_ms, 2000);
        ck_assert_int_eq(stream.unacknowledged_bytes, 0);
        ck_assert_int_eq(stream.partitions, 1);
        ck_assert_int_eq(stream.catching_up, 0);
    }
}
END_TEST

START_TEST(a_dead_follower_is_where_it_was_last)
{
    trio_produce(7);
    const int32_t dead = trio_follower();
    crew_kill(dead);
    trio_produce(3);
    crew_advance(5000);
    ck_assert_int_eq(partition_by(trio_leader(), true)->log_end_offset, 10);
    ck_assert_int_eq(follower_told(dead).end_offset, 7);
    ck_assert_int_ge(follower_told(dead).behind_ms, 5000);
    ck_assert_int_lt(follower_told(dead).behind_ms, 10000);
    ck_assert(!stream_told(dead).is_up &&
              !stream_told(dead).is_silent); /* it is known to be dead */
    ck_assert_int_eq(stream_told(dead).up_ms, -1);
    ck_assert_int_ge(stream_told(dead).heard_ms, 5000);
    ck_assert_int_eq(stream_told(dead).partitions, 1);
    ck_assert_int_eq(stream_told(dead).catching_up, 1);
    crew_start(dead);
    crew_advance(10000);
    ck_assert_int_eq(follower_told(dead).end_offset, 10);
    ck_assert_int_eq(follower_told(dead).behind_ms, 0);
    ck_assert(stream_told(dead).is_up);
    ck_assert_int_eq(stream_told(dead).catching_up, 0);
}
END_TEST

/* Its leader is another one now, to which it has never said anything. */
START_TEST(of_a_dead_follower_a_new_leader_knows_nothing)
{
    trio_produce(7);
    const int32_t dead = trio_leader();
    trio_leave();
    crew_kill(dead);
    crew_advance(8000);
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id == dead || trio_meta(id)->leader != id)
            continue;
        const told_partition *partition = partition_by(id, true);
        const told_follower *follower =
            &partition->followers[partition->followers[0].broker_id != dead];
        ck_assert_int_eq(follower->broker_id, dead);
        ck_assert_int_eq(follower->end_offset, -1);
        ck_assert_int_ne(follower->behind_ms, 0);
        return;
    }
    ck_abort_msg("nobody leads");
}
END_TEST

/* The rate of the trio is 20,000 bytes a second. */
START_TEST(who_catches_up_may_be_throttled)
{
    static uint8_t value[50000];
    trio_produce(1);
    const int32_t dead = trio_follower();
    crew_kill(dead);
    for (int32_t i = 0; i < 4; i++) {
        trio_send_values(-1, 1, span_of(value, sizeof(value)));
        crew_advance(500);
        ck_assert(trio_is_answered());
    }
    ck_assert(!stream_told(dead).is_throttled);
    crew_start(dead);
    crew_advance(4000);
    ck_assert(stream_told(dead).is_up);
    ck_assert(stream_told(dead).is_throttled);
    ck_assert_int_eq(stream_told(dead).catching_up, 1);
    ck_assert_int_lt(follower_told(dead).end_offset, 5);
    crew_advance(20000);
    ck_assert(!stream_told(dead).is_throttled);
    ck_assert_int_eq(follower_told(dead).end_offset, 5);
}
END_TEST

SUITE(status)
{
    TCase *tcase = tcase_create("status");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, nobody_is_told_who_does_not_ask);
    tcase_add_test(tcase, a_leader_tells_how_far_its_followers_are);
    tcase_add_test(tcase, a_dead_follower_is_where_it_was_last);
    tcase_add_test(tcase, of_a_dead_follower_a_new_leader_knows_nothing);
    tcase_add_test(tcase, who_catches_up_may_be_throttled);
    suite_add_tcase(suite, tcase);
}
