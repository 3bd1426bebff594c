/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that begin requests and never end them, beside one that does. */
#include "core/unfinished.h"

#include "core/base/endian.h"
#include "tests/support/client.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

#define HOARDERS_MAX 64
#define POOL         "1048576"
#define POOL_BYTES   ((size_t)1048576)
#define LARGE_BYTES  ((size_t)60000)

static struct node node;
static uint64_t hoarders[HOARDERS_MAX];
static uint8_t hoarded_bytes[LARGE_BYTES];

static void start_with(const char *pool_bytes, const char *request_bytes)
{
    const char *const settings[] = {"queued.max.request.bytes", pool_bytes,
                                    "socket.request.max.bytes", request_bytes, NULL};
    node_init(&node, 7, settings);
    ck_assert(node_start(&node));
}

static void start(void)
{
    start_with(POOL, POOL);
}

static void end(void)
{
    node_free(&node);
}

/* `count` connections that send the first `length` bytes of a request. */
static void hoard(size_t count, uint32_t request_bytes, size_t length)
{
    put_be32(hoarded_bytes, request_bytes);
    for (size_t i = 0; i < count; i++) {
        hoarders[i] = world_connect(node.world, 0);
        world_client_send(node.world, hoarders[i], span_of(hoarded_bytes, length));
        world_run(node.world);
    }
}

static size_t hoarders_closed(size_t count)
{
    size_t closed = 0;
    for (size_t i = 0; i < count; i++)
        closed += world_client_is_closed(node.world, hoarders[i]) ? 1 : 0;
    return closed;
}

static bool is_answered(struct client *client)
{
    return client_take(client) != NULL;
}

static void ask(struct client *client)
{
    client_send(client, API_API_VERSIONS, 0, client_request(client, API_API_VERSIONS));
    world_run(node.world);
}

static void advance(int64_t ms)
{
    world_advance_ms(node.world, ms);
    world_run(node.world);
}

START_TEST(who_waits_gets_half_of_the_memory)
{
    start();
    struct client *client = client_new(node.world);
    hoard(HOARDERS_MAX, POOL_BYTES / 2, LARGE_BYTES);
    ask(client);
    /* All hoarders came before it; each second half of the memory is taken from them. */
    for (size_t i = 0; !is_answered(client); i++) {
        ck_assert_uint_lt(i, HOARDERS_MAX / (POOL_BYTES / (64 * 1024) / 2));
        advance(UNFINISHED_PATIENCE_US / 1000);
    }
    ck_assert(!client_is_closed(client));
    /* Those that began last are left. */
    ck_assert(world_client_is_closed(node.world, hoarders[0]));
    ck_assert(!world_client_is_closed(node.world, hoarders[HOARDERS_MAX - 1]));
    ck_assert(world_logged(node.world, "others wait for the memory"));
    client_free(client);
    end();
}
END_TEST

START_TEST(a_request_has_its_time_to_come)
{
    start();
    struct client *client = client_new(node.world);
    hoard(POOL_BYTES / (64 * 1024), POOL_BYTES / 2, LARGE_BYTES);
    ask(client);
    advance(UNFINISHED_PATIENCE_US / 1000 - 1);
    ck_assert(!is_answered(client));
    ck_assert_uint_eq(hoarders_closed(POOL_BYTES / (64 * 1024)), 0);
    advance(1);
    ck_assert(is_answered(client));
    client_free(client);
    end();
}
END_TEST

START_TEST(nobody_waits_nobody_is_closed)
{
    start();
    hoard(14, POOL_BYTES / 2, LARGE_BYTES); /* of the 16 that there is memory for */
    struct client *client = client_new(node.world);
    for (int i = 0; i < 10; i++) {
        advance(10 * 1000);
        ask(client);
        ck_assert(is_answered(client));
    }
    ck_assert_uint_eq(hoarders_closed(14), 0);
    client_free(client);
    end();
}
END_TEST

START_TEST(a_small_beginning_costs_little)
{
    start();
    hoard(HOARDERS_MAX, POOL_BYTES / 2, 100);
    struct client *client = client_new(node.world);
    ask(client);
    ck_assert(is_answered(client));
    advance(10 * 1000);
    ck_assert_uint_eq(hoarders_closed(HOARDERS_MAX), 0);
    client_free(client);
    end();
}
END_TEST

/* A part of one request, less than half of the memory, leaves too little for the next. */
START_TEST(a_small_pool_does_not_block)
{
    start_with("131072", "131072");
    struct client *client = client_new(node.world);
    hoard((size_t)_i, 100000, LARGE_BYTES);
    for (int i = 0; i < 3; i++) {
        struct produce_request *produce = client_request(client, API_PRODUCE);
        produce->acks = 1;
        produce->transactional_id = span_of(hoarded_bytes, 32000);
        client_send(client, API_PRODUCE, 9, produce);
        world_run(node.world);
    }
    for (int answers = 0, waits = 0; answers < 3; waits++) {
        ck_assert_int_lt(waits, 3 + _i);
        while (is_answered(client))
            answers++;
        advance(UNFINISHED_PATIENCE_US / 1000);
    }
    ck_assert(!client_is_closed(client));
    client_free(client);
    end();
}
END_TEST

/* The largest request may take all there is: with its size and what refers to it, that is more. */
START_TEST(the_largest_request_has_room)
{
    start_with("32768", "32768");
    struct client *client = client_new(node.world);
    struct produce_request *produce = client_request(client, API_PRODUCE);
    produce->acks = 1;
    produce->transactional_id = span_of(hoarded_bytes, 32700);
    client_send(client, API_PRODUCE, 9, produce);
    world_run(node.world);
    ck_assert(is_answered(client));
    client_free(client);
    end();
}
END_TEST

/* A reply has to wait for those before it; what was received of its request does not. */
START_TEST(an_answered_request_gives_its_memory_back)
{
    start();
    node_create_topic(&node, SPAN("t"), 1);
    struct client *hostile = client_new(node.world);
    struct fetch_request *fetch = client_request(hostile, API_FETCH);
    fetch->max_wait_ms = INT32_MAX;
    fetch->min_bytes = INT32_MAX;
    fetch->topics = arena_take(client_arena(hostile), sizeof(*fetch->topics));
    *fetch->topics = wire_default_fetch_request_topic;
    fetch->topics->topic = SPAN("t");
    fetch->topics_count = 1;
    fetch->topics->partitions =
        arena_take(client_arena(hostile), sizeof(*fetch->topics->partitions));
    *fetch->topics->partitions = wire_default_fetch_request_topic_partition;
    fetch->topics->partitions_count = 1;
    client_send(hostile, API_FETCH, 12, fetch);
    struct produce_request *produce = client_request(hostile, API_PRODUCE);
    produce->acks = 1;
    for (size_t i = 0; i < 2 * POOL_BYTES / (64 * 1024); i++) {
        client_send(hostile, API_PRODUCE, 9, produce);
        world_run(node.world);
    }
    struct client *client = client_new(node.world);
    ask(client);
    ck_assert(is_answered(client));
    ck_assert(!is_answered(hostile));
    client_free(client);
    client_free(hostile);
    end();
}
END_TEST

SUITE(unfinished)
{
    TCase *tcase = tcase_create("unfinished");
    tcase_add_test(tcase, who_waits_gets_half_of_the_memory);
    tcase_add_test(tcase, an_answered_request_gives_its_memory_back);
    tcase_add_loop_test(tcase, a_small_pool_does_not_block, 0, 4);
    tcase_add_test(tcase, the_largest_request_has_room);
    tcase_add_test(tcase, a_request_has_its_time_to_come);
    tcase_add_test(tcase, nobody_waits_nobody_is_closed);
    tcase_add_test(tcase, a_small_beginning_costs_little);
    suite_add_tcase(suite, tcase);
}
