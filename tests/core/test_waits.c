/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait are answered at once when what they wait for goes: the leadership of their
 * partition, or its topic. Where the leader does not know yet, they are when it learns. */
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "tests/core/trio.h"
#include "tests/support/fetch.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

#define WAIT_MS 30000

/* Both tell leaders, the later ones with their addresses (KIP-951), and the last ones go by topic
 * ids. */
static const struct {
    int16_t produce;
    int16_t fetch;
} versions[] = {{10, 12}, {12, 16}, {13, 18}};

#define VERSIONS ((int)(sizeof(versions) / sizeof(versions[0])))

#define WAITING 3

static int32_t leader;                  /* at which they wait */
static struct client *waiting[WAITING]; /* one that produces, one that fetches, one that deletes */

static void hold_followers(void)
{
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id == leader)
            continue;
        world_hold(crew_nodes[id].world, EFFECT_SYNC, "topic-0");
        world_hold(crew_nodes[id].world, EFFECT_RENAME, "log-start-offset-checkpoint");
    }
}

/* The preferred leader has been away, and another one leads. Records that it alone has durably are
 * waited for by who sent them; and those behind them by who reads. What it alone has deleted is
 * waited for by who deletes. */
static void begin(void)
{
    trio_begin();
    trio_produce(1);
    trio_leave();
    const int32_t before = trio_leader();
    crew_stop(before);
    crew_start(before);
    leader = trio_leader();
    ck_assert_int_ne(leader, before);
    ck_assert_int_eq(trio_meta(leader)->isr_count, TRIO_NODES);
    for (int i = 0; i < WAITING; i++)
        waiting[i] = client_new(crew_nodes[leader].world);
}

static void send_deletion(struct client *client)
{
    struct arena *arena = client_arena(client);
    struct delete_records_request *request = client_request(client, API_DELETE_RECORDS);
    request->topics = arena_array(arena, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = TRIO_TOPIC;
    request->topics[0].partitions = arena_array(arena, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].offset = 1;
    request->timeout_ms = WAIT_MS;
    client_send(client, API_DELETE_RECORDS, 2, request);
}

static void waits(int32_t version)
{
    const struct uuid id = image_topic(&crew_nodes[leader].broker->image, TRIO_TOPIC)->id;
    struct produce_request *produce =
        produce_of(waiting[0], TRIO_TOPIC, -1, batch_of(waiting[0], 1, SPAN("x")));
    struct fetch_request *fetch = fetch_of(waiting[1], TRIO_TOPIC, 1, WAIT_MS);
    produce->topic_data[0].topic_id = id;
    fetch->topics[0].topic_id = id;
    hold_followers();
    client_send(waiting[0], API_PRODUCE, versions[version].produce, produce);
    client_send(waiting[1], API_FETCH, versions[version].fetch, fetch);
    send_deletion(waiting[2]);
    crew_advance(500);
    for (int i = 0; i < WAITING; i++)
        ck_assert_ptr_null(client_take(waiting[i]));
}

static void end(void)
{
    for (int i = 0; i < WAITING; i++)
        client_free(waiting[i]);
    trio_end();
}

static void expect_deletion(int error)
{
    const struct delete_records_response *response = client_take(waiting[2]);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics[0].partitions[0].error_code, error);
    ck_assert_int_eq(response->topics[0].partitions[0].low_watermark, -1);
}

/* All are answered, and those who can be are told who leads now: as another node knows it. */
static void expect_new_leader(int32_t version)
{
    const int32_t other = leader % TRIO_NODES + 1;
    const struct meta_partition *meta = trio_meta(other);
    const struct produce_response *produced = client_take(waiting[0]);
    const struct fetch_response *fetched = client_take(waiting[1]);
    ck_assert_int_ne(meta->leader, leader);
    ck_assert_ptr_nonnull(produced);
    ck_assert_ptr_nonnull(fetched);
    const struct produce_response_response_partition_response *put =
        &produced->responses[0].partition_responses[0];
    ck_assert_int_eq(put->error_code, ERR_NOT_LEADER_OR_FOLLOWER);
    ck_assert_int_eq(put->base_offset, -1);
    ck_assert_int_eq(put->current_leader.leader_id, meta->leader);
    ck_assert_int_eq(put->current_leader.leader_epoch, meta->leader_epoch);
    ck_assert_int_eq(produced->node_endpoints_count, 1);
    ck_assert_int_eq(produced->node_endpoints[0].node_id, meta->leader);
    const struct fetch_response_response_partition *got = &fetched->responses[0].partitions[0];
    ck_assert_int_eq(got->error_code, ERR_NOT_LEADER_OR_FOLLOWER);
    ck_assert_int_eq(got->current_leader.leader_id, meta->leader);
    ck_assert_int_eq(got->current_leader.leader_epoch, meta->leader_epoch);
    ck_assert_int_eq(fetched->node_endpoints_count, versions[version].fetch >= 16);
    expect_deletion(ERR_NOT_LEADER_OR_FOLLOWER);
}

/* A client of another node asks for something, and a moment goes by. */
static void ask_elsewhere(int16_t api_key, int16_t version,
                          void (*fill)(struct client *client, void *request))
{
    struct client *client = client_new(crew_nodes[leader % TRIO_NODES + 1].world);
    void *request = client_request(client, api_key);
    fill(client, request);
    ck_assert_ptr_nonnull(crew_call(client, api_key, version, request));
    crew_advance(100);
    client_free(client);
}

static void all_preferred(struct client *client, void *request)
{
    (void)client;
    ((struct elect_leaders_request *)request)->topic_partitions_count = -1;
}

START_TEST(another_leader_is_elected)
{
    waits(_i);
    ask_elsewhere(API_ELECT_LEADERS, 2, all_preferred);
    expect_new_leader(_i);
}
END_TEST

START_TEST(the_leader_ends_in_order)
{
    waits(_i);
    world_stop(crew_nodes[leader].world);
    crew_advance(3000);
    ck_assert(world_is_stopped(crew_nodes[leader].world));
    expect_new_leader(_i);
}
END_TEST

static void this_topic(struct client *client, void *request)
{
    struct delete_topics_request *deletion = request;
    deletion->topic_names = arena_array(client_arena(client), 1, sizeof(*deletion->topic_names));
    deletion->topic_names[0] = TRIO_TOPIC;
    deletion->topic_names_count = 1;
}

START_TEST(the_topic_is_deleted)
{
    waits(_i);
    ask_elsewhere(API_DELETE_TOPICS, 5, this_topic);
    const struct produce_response *produced = client_take(waiting[0]);
    const struct fetch_response *fetched = client_take(waiting[1]);
    ck_assert_ptr_nonnull(produced);
    ck_assert_ptr_nonnull(fetched);
    ck_assert_int_eq(produced->responses[0].partition_responses[0].error_code,
                     ERR_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(fetched->responses[0].partitions[0].error_code,
                     versions[_i].fetch < 13 ? ERR_UNKNOWN_TOPIC_OR_PARTITION
                                             : ERR_UNKNOWN_TOPIC_ID);
    expect_deletion(ERR_UNKNOWN_TOPIC_OR_PARTITION);
}
END_TEST

/* Its lease ends, and others fence it; it hears of that when it goes on. */
START_TEST(the_leader_stands_still)
{
    waits(_i);
    trio_sleep(leader, 8000);
    world_run(crew_nodes[leader].world);
    ck_assert_ptr_null(client_take(waiting[0]));
    crew_advance(1000);
    expect_new_leader(_i);
}
END_TEST

static void connect_all(bool connects)
{
    static const char *const names[] = {NULL, "n1", "n2", "n3"};
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id == leader)
            continue;
        struct world *world = crew_nodes[id].world;
        world_add_host(world, names[leader], connects ? crew_nodes[leader].world : NULL);
        world_add_host(crew_nodes[leader].world, names[id], connects ? world : NULL);
    }
    world_cut(crew_nodes[leader].world);
}

/* Likewise; meanwhile its clients reach it, and it acknowledges nothing. */
START_TEST(the_leader_is_cut_off)
{
    waits(_i);
    connect_all(false);
    for (int32_t id = 1; id <= TRIO_NODES; id++)
        world_release(crew_nodes[id].world);
    crew_advance(8000);
    ck_assert_int_ne(trio_meta(leader % TRIO_NODES + 1)->leader, leader);
    ck_assert_int_eq(trio_meta(leader)->leader, leader);
    for (int i = 0; i < WAITING; i++)
        ck_assert_ptr_null(client_take(waiting[i]));
    connect_all(true);
    crew_advance(3000);
    expect_new_leader(_i);
}
END_TEST

SUITE(waits)
{
    TCase *tcase = tcase_create("waits");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, another_leader_is_elected, 0, VERSIONS);
    tcase_add_loop_test(tcase, the_leader_ends_in_order, 0, VERSIONS);
    tcase_add_loop_test(tcase, the_topic_is_deleted, 0, VERSIONS);
    tcase_add_loop_test(tcase, the_leader_stands_still, 0, VERSIONS);
    tcase_add_loop_test(tcase, the_leader_is_cut_off, 0, VERSIONS);
    suite_add_tcase(suite, tcase);
}
