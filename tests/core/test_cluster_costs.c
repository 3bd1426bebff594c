/* SPDX-License-Identifier: Apache-2.0 */
/* What must not cost a cluster anything: records cost no metadata, acknowledgements no timers, a
 * disk that stands still no elections, thousands of topics no lines of log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/broker_state.h"
#include "core/meta/wal.h"
#include "core/wire/error.h"
#include "tests/core/trio.h"
#include "tests/support/runner.h"

static struct quorum *quorum_at(int32_t id)
{
    return controller_quorum(crew_nodes[id].broker->controller);
}

/* The high watermark moves without a record of the metadata, and is told by the streams alone. */
START_TEST(records_cost_no_metadata)
{
    trio_produce(1);
    const int64_t end_offset = crew_nodes[1].broker->image.end_offset;
    for (int i = 0; i < 50; i++)
        trio_produce(3);
    trio_equal(151);
    ck_assert_int_eq(crew_nodes[1].broker->image.end_offset, end_offset);
    ck_assert_int_eq(quorum_status(quorum_at(1)).committed, end_offset);
}
END_TEST

/* Nobody looks again after a while: each step is taken when the one before has ended. */
START_TEST(acknowledgements_wait_for_no_timer)
{
    trio_produce(1);
    const uint64_t now_us = world_now_us(crew_nodes[trio_leader()].world);
    for (int i = 0; i < 10; i++) {
        trio_send(-1, 1);
        for (int turn = 0; turn < 10; turn++) {
            for (int32_t id = 1; id <= TRIO_NODES; id++)
                world_run(crew_nodes[id].world);
        }
        ck_assert(trio_is_answered());
        ck_assert_int_eq(trio.answer, ERR_NONE);
    }
    ck_assert_uint_eq(world_now_us(crew_nodes[trio_leader()].world), now_us);
}
END_TEST

/* Of the controller, or of another voter: the others are a majority, and hear from everybody. */
START_TEST(a_disk_that_stands_still_stops_nobody)
{
    static const int32_t brokers[] = {1, 2, 3};
    const int32_t leader = quorum_status(quorum_at(1)).leader;
    const int32_t stuck = _i == 0 ? leader : leader % TRIO_NODES + 1;
    const int32_t term = quorum_status(quorum_at(1)).term;
    trio_produce(1);
    world_hold(crew_nodes[stuck].world, EFFECT_SYNC, WAL_LOG_NAME);
    struct client *client = client_new(crew_nodes[stuck % TRIO_NODES + 1].world);
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof(name), "t%d", i);
        crew_create(client, span_text(name), brokers, 1, TRIO_NODES);
        crew_advance(20000);
        trio_produce(1);
    }
    client_free(client);
    world_release(crew_nodes[stuck].world);
    crew_advance(1000);
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        ck_assert_int_eq(quorum_status(quorum_at(id)).term, term);
        ck_assert_uint_eq(image_digest(&crew_nodes[id].broker->image),
                          image_digest(&crew_nodes[1].broker->image));
    }
}
END_TEST

/* ---- Thousands of topics ---- */

#define REQUEST_TOPICS 500
#define REQUESTS       6

static void begin_with_snapshots(void)
{
    static const char *const settings[] = {"metadata.log.max.record.bytes.between.snapshots",
                                           "20000", NULL};
    crew_begin(CREW_MAX, settings, NULL);
}

static void create_many(struct client *client, int32_t number)
{
    struct create_topics_request *request = client_request(client, API_CREATE_TOPICS);
    request->topics = arena_array(client_arena(client), REQUEST_TOPICS, sizeof(*request->topics));
    request->topics_count = REQUEST_TOPICS;
    for (int32_t i = 0; i < REQUEST_TOPICS; i++) {
        request->topics[i].name = arena_format(client_arena(client), "topic-%d-%d", number, i);
        request->topics[i].num_partitions = 1;
        request->topics[i].replication_factor = 2;
    }
    const struct create_topics_response *response =
        crew_call(client, API_CREATE_TOPICS, 5, request);
    ck_assert_ptr_nonnull(response);
    for (int32_t i = 0; i < REQUEST_TOPICS; i++)
        ck_assert_int_eq(response->topics[i].error_code, ERR_NONE);
}

static void expect_each_led(const struct image *image)
{
    const struct meta_topic *topic = image_first_topic(image);
    for (; topic != NULL; topic = image_next_topic(topic)) {
        ck_assert_int_eq(topic->partitions_count, 1);
        ck_assert_int_ne(topic->partitions[0].leader, META_NO_LEADER);
    }
}

/* No queue on its way to it is too short, whether it has a snapshot sent or was there. */
START_TEST(every_node_gets_each_of_thousands_of_topics)
{
    static const int32_t away = 3;
    crew_kill(away);
    struct client *client = client_new(crew_nodes[1].world);
    for (int32_t i = 0; i < REQUESTS; i++)
        create_many(client, i);
    client_free(client);
    const uint64_t lines = world_count(crew_nodes[1].world, EFFECT_LOG);
    ck_assert_uint_lt(lines, 100);
    crew_start(away);
    for (int32_t id = 1; id <= CREW_MAX; id++) {
        const struct image *image = &crew_nodes[id].broker->image;
        ck_assert_uint_eq(map_count(&image->topics_by_name), REQUESTS * REQUEST_TOPICS);
        ck_assert_uint_eq(image_digest(image), image_digest(&crew_nodes[1].broker->image));
        expect_each_led(image);
        ck_assert_uint_lt(world_count(crew_nodes[id].world, EFFECT_LOG), 100);
    }
}
END_TEST

/* The offset of the newest snapshot; −1: there is none. */
static int64_t newest_snapshot(int32_t id)
{
    int64_t newest = -1;
    const char *name;
    for (uint32_t i = 0; (name = world_name(crew_nodes[id].world, WAL_LOG_NAME, i)) != NULL; i++) {
        const int64_t offset = strtoll(name, NULL, 10);
        if (strstr(name, ".checkpoint") != NULL && offset > newest)
            newest = offset;
    }
    return newest;
}

/* One that was taken is no reason to take the next. */
START_TEST(snapshots_come_with_changes_alone)
{
    int64_t newest[CREW_MAX + 1];
    static const int32_t brokers[] = {1, 2, 3};
    struct client *client = client_new(crew_nodes[1].world);
    create_many(client, 0);
    crew_advance(1000);
    const int32_t term = quorum_status(quorum_at(1)).term;
    for (int32_t id = 1; id <= CREW_MAX; id++) {
        newest[id] = newest_snapshot(id);
        ck_assert_int_gt(newest[id], 0);
    }
    crew_create(client, SPAN("one"), brokers, 1, CREW_MAX);
    crew_advance(60000);
    crew_create(client, SPAN("two"), brokers, 1, CREW_MAX);
    client_free(client);
    crew_advance(60000);
    for (int32_t id = 1; id <= CREW_MAX; id++) {
        ck_assert_int_eq(newest_snapshot(id), newest[id]);
        ck_assert_int_eq(quorum_status(quorum_at(id)).term, term);
    }
}
END_TEST

SUITE(cluster_costs)
{
    TCase *tcase = tcase_create("records");
    tcase_add_checked_fixture(tcase, trio_begin, trio_end);
    tcase_add_test(tcase, records_cost_no_metadata);
    tcase_add_test(tcase, acknowledgements_wait_for_no_timer);
    tcase_add_loop_test(tcase, a_disk_that_stands_still_stops_nobody, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("topics");
    tcase_add_checked_fixture(tcase, begin_with_snapshots, crew_end);
    tcase_add_test(tcase, every_node_gets_each_of_thousands_of_topics);
    tcase_add_test(tcase, snapshots_come_with_changes_alone);
    suite_add_tcase(suite, tcase);
}
