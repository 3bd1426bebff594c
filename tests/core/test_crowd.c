/* SPDX-License-Identifier: Apache-2.0 */
/* One client whose requests wait and take much memory, beside others. */
#include "core/broker_state.h"
#include "tests/support/fetch.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

#define TOPIC   SPAN("orders")
#define WAIT_MS 30000

/* The same partition so many times, and so many requests: all of them would be more than there is
 * memory for requests. */
#define PARTITIONS ((size_t)20000)
#define REQUESTS   150
#define ANSWERS    30 /* that are looked at */

static struct node node;
static struct client *greedy;

static void start(void)
{
    node_init(&node, 7, (const char *const[]){NULL});
    ck_assert(node_start(&node));
    node_create_topic(&node, TOPIC, 1);
    greedy = client_new(node.world);
}

static void end(void)
{
    client_free(greedy);
    node_free(&node);
}

static struct fetch_request *large_fetch(void)
{
    struct fetch_request *fetch = fetch_of(greedy, TOPIC, 0, WAIT_MS);
    const struct fetch_request_topic_partition partition = fetch->topics[0].partitions[0];
    fetch->topics[0].partitions = arena_array(client_arena(greedy), PARTITIONS, sizeof(partition));
    ck_assert_ptr_nonnull(fetch->topics[0].partitions);
    fetch->topics[0].partitions_count = PARTITIONS;
    for (size_t i = 0; i < PARTITIONS; i++)
        fetch->topics[0].partitions[i] = partition;
    return fetch;
}

START_TEST(large_fetches_that_wait_leave_memory_to_others)
{
    const struct memory *memory = &node.broker->memory;
    const struct fetch_request *fetch = large_fetch();
    for (int i = 0; i < REQUESTS; i++) {
        client_send(greedy, API_FETCH, 11, fetch);
        world_run(node.world);
        ck_assert_uint_lt(memory->used_bytes[MEMORY_REQUEST],
                          memory->limit_bytes[MEMORY_REQUEST] * 3 / 4);
    }
    struct client *other = client_new(node.world);
    ck_assert_ptr_nonnull(
        client_call(other, API_API_VERSIONS, 0, client_request(other, API_API_VERSIONS)));
    client_send(other, API_FETCH, 11, fetch_of(other, TOPIC, 0, WAIT_MS));
    world_run(node.world);
    ck_assert(!client_is_closed(other));
    client_free(other);
    /* Nor is the one that took it turned away. */
    world_advance_ms(node.world, WAIT_MS);
    for (int i = 0; i < ANSWERS; i++)
        ck_assert_ptr_nonnull(client_take(greedy));
    ck_assert(!client_is_closed(greedy));
}
END_TEST

SUITE(crowd)
{
    TCase *tcase = tcase_create("crowd");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, large_fetches_that_wait_leave_memory_to_others);
    suite_add_tcase(suite, tcase);
}
