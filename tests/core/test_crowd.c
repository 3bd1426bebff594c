/* SPDX-License-Identifier: Apache-2.0 */
/* Clients whose requests wait and take much memory, beside others. */
#include "core/broker_state.h"
#include "core/session.h"
#include "tests/support/fetch.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

#define TOPIC   SPAN("orders")
#define WAIT_MS 30000

/* The same partition so many times: a request takes some hundred kilobytes. */
#define PARTITIONS ((size_t)600)

/* More than may wait of one client; and so many of many that they are more than there is memory. */
#define REQUESTS    100
#define FEW         8
#define GREEDY_MAX  16
#define LIMIT       ((uint64_t)16 * 1024 * 1024) /* a real broker's is 512 MiB */
#define NEARLY_NONE ((uint64_t)64 * 1024)

static struct node node;
static struct client *greedy[GREEDY_MAX];
static struct client *other;

static void start(void)
{
    node_init(&node, 7, (const char *const[]){NULL});
    ck_assert(node_start(&node));
    node_create_topic(&node, TOPIC, 1);
    node.broker->memory.limit_bytes[MEMORY_REQUEST] = LIMIT;
    other = client_new(node.world);
    for (int i = 0; i < GREEDY_MAX; i++)
        greedy[i] = client_new(node.world);
}

static void end(void)
{
    client_free(other);
    for (int i = 0; i < GREEDY_MAX; i++)
        client_free(greedy[i]);
    node_free(&node);
}

static uint64_t used_bytes(void)
{
    return node.broker->memory.used_bytes[MEMORY_REQUEST];
}

static struct fetch_request *large_fetch(struct client *client)
{
    struct fetch_request *fetch = fetch_of(client, TOPIC, 0, WAIT_MS);
    const struct fetch_request_topic_partition partition = fetch->topics[0].partitions[0];
    fetch->topics[0].partitions = arena_array(client_arena(client), PARTITIONS, sizeof(partition));
    ck_assert_ptr_nonnull(fetch->topics[0].partitions);
    fetch->topics[0].partitions_count = PARTITIONS;
    for (size_t i = 0; i < PARTITIONS; i++)
        fetch->topics[0].partitions[i] = partition;
    return fetch;
}

/* The most that requests took meanwhile. */
static uint64_t send_fetches(struct client *client, int count)
{
    const struct fetch_request *fetch = large_fetch(client);
    uint64_t most_bytes = 0;
    for (int i = 0; i < count; i++) {
        client_send(client, API_FETCH, 11, fetch);
        world_run(node.world);
        ck_assert(!client_is_closed(client));
        most_bytes = used_bytes() > most_bytes ? used_bytes() : most_bytes;
    }
    return most_bytes;
}

/* An ordinary fetch waits, and is answered when its time is over. */
static void expect_others_wait(void)
{
    client_send(other, API_FETCH, 11, fetch_of(other, TOPIC, 0, 500));
    world_run(node.world);
    ck_assert_ptr_null(client_take(other));
    world_advance_ms(node.world, 500);
    world_run(node.world);
    ck_assert_ptr_nonnull(client_take(other));
}

START_TEST(one_client_does_not_take_the_memory_of_all)
{
    const uint64_t most_bytes = send_fetches(greedy[0], REQUESTS);
    ck_assert_uint_gt(most_bytes, LIMIT / 16);
    ck_assert_uint_lt(most_bytes, LIMIT / 4);
    /* Those that waited were answered, in vain, each time that they had become too many. */
    ck_assert_ptr_nonnull(client_take(greedy[0]));
    expect_others_wait();
}
END_TEST

START_TEST(what_waits_is_given_back_when_its_client_goes)
{
    send_fetches(greedy[0], REQUESTS);
    world_client_close(node.world, client_connection(greedy[0]));
    world_run(node.world);
    ck_assert_uint_lt(used_bytes(), NEARLY_NONE);
}
END_TEST

/* As many as may be under way, each of which takes little. */
START_TEST(nobody_is_left_unheard_for_what_waits)
{
    const struct fetch_request *fetch = fetch_of(greedy[0], TOPIC, 0, WAIT_MS);
    for (int i = 0; i < SESSION_REQUESTS_MAX; i++)
        client_send(greedy[0], API_FETCH, 11, fetch);
    world_run(node.world);
    ck_assert_ptr_nonnull(client_take(greedy[0]));
    world_client_close(node.world, client_connection(greedy[0]));
    world_run(node.world);
    ck_assert_uint_eq(node.broker->sessions_count, GREEDY_MAX);
}
END_TEST

START_TEST(nor_do_a_few)
{
    uint64_t most_bytes = 0;
    for (int i = 0; i < GREEDY_MAX; i++) {
        const uint64_t bytes = send_fetches(greedy[i], FEW);
        most_bytes = bytes > most_bytes ? bytes : most_bytes;
    }
    ck_assert_uint_gt(most_bytes, LIMIT * 15 / 32);
    ck_assert_uint_lt(most_bytes, LIMIT * 5 / 8);
    expect_others_wait();
}
END_TEST

/* Those that wait cannot be answered: the session ends, and everything is given back. */
START_TEST(without_memory_for_answers_it_is_turned_away)
{
    struct memory *memory = &node.broker->memory;
    const struct fetch_request *fetch = large_fetch(greedy[0]);
    memory->limit_bytes[MEMORY_SEND] = memory->used_bytes[MEMORY_SEND] + 1000;
    for (int i = 0; i < REQUESTS && !client_is_closed(greedy[0]); i++) {
        client_send(greedy[0], API_FETCH, 11, fetch);
        world_run(node.world);
    }
    ck_assert(client_is_closed(greedy[0]));
    ck_assert_uint_lt(used_bytes(), NEARLY_NONE);
    expect_others_wait();
}
END_TEST

SUITE(crowd)
{
    TCase *tcase = tcase_create("crowd");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, one_client_does_not_take_the_memory_of_all);
    tcase_add_test(tcase, what_waits_is_given_back_when_its_client_goes);
    tcase_add_test(tcase, nor_do_a_few);
    tcase_add_test(tcase, nobody_is_left_unheard_for_what_waits);
    tcase_add_test(tcase, without_memory_for_answers_it_is_turned_away);
    suite_add_tcase(suite, tcase);
}
