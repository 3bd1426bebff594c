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

static int32_t leader;            /* at which they wait */
static struct client *waiting[2]; /* one that produces, one that fetches */

static void hold_followers(void)
{
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (id != leader)
            world_hold(crew_nodes[id].world, EFFECT_SYNC, "topic-0");
    }
}

/* The preferred leader has been away, and another one leads. Records that it alone has durably are
 * waited for by who sent them; and those behind them by who reads. */
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
    for (int i = 0; i < 2; i++)
        waiting[i] = client_new(crew_nodes[leader].world);
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
    crew_advance(500);
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_null(client_take(waiting[i]));
}

static void end(void)
{
    for (int i = 0; i < 2; i++)
        client_free(waiting[i]);
    trio_end();
}

/* Both are answered, and told who leads now: as another node knows it. */
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
    for (int i = 0; i < 2; i++)
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
