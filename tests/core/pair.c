/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/pair.h"

#include <check.h>
#include <string.h>

#include "core/meta/identity.h"
#include "core/wire/error.h"

/* How long an answer is waited for. */
#define PATIENCE_MS 20000

struct node pair_nodes[3];

static void format(struct node *node, int32_t id)
{
    char text[IDENTITY_BYTES_MAX];
    struct identity identity = {.node_id = id, .cluster_id = "the-cluster"};
    identity.directory_id.bytes[0] = (uint8_t)id;
    identity.directory_id.bytes[6] = 0x40;
    identity.directory_id.bytes[8] = 0x80;
    const size_t length = identity_print(&identity, text, sizeof(text));
    world_put_file(node->world, IDENTITY_FILE, span_of(text, length));
}

/* What is set twice has the last value. */
static void init(int32_t id, const char *const *own)
{
    const char *settings[PAIR_SETTINGS_MAX + 9] = {
        "node.id",
        id == 1 ? "1" : "2",
        "listeners",
        "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
        "controller.listener.names",
        "CONTROLLER",
        "controller.quorum.voters",
        "1@n1:9093,2@n2:9093",
        NULL,
    };
    for (size_t i = 0; own != NULL && own[i] != NULL; i++) {
        ck_assert_uint_lt(i, PAIR_SETTINGS_MAX);
        settings[8 + i] = own[i];
        settings[9 + i] = NULL;
    }
    node_init(&pair_nodes[id], (uint64_t)id, settings);
    format(&pair_nodes[id], id);
}

void pair_begin(const char *const *first, const char *const *second)
{
    init(1, first);
    init(2, second);
    world_add_host(pair_nodes[1].world, "n2", pair_nodes[2].world);
    world_add_host(pair_nodes[2].world, "n1", pair_nodes[1].world);
    node_start(&pair_nodes[1]);
    node_start(&pair_nodes[2]);
    pair_advance(5000);
    ck_assert(world_is_ready(pair_nodes[1].world) && world_is_ready(pair_nodes[2].world));
}

void pair_end(void)
{
    node_free(&pair_nodes[1]);
    node_free(&pair_nodes[2]);
}

void pair_advance(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 10) {
        for (int32_t id = 1; id <= 2; id++) {
            if (pair_nodes[id].broker != NULL)
                world_advance_ms(pair_nodes[id].world, 10);
        }
    }
}

void pair_stop(int32_t id)
{
    world_stop(pair_nodes[id].world);
    for (int32_t turns = 0; turns < 100 && !world_is_stopped(pair_nodes[id].world); turns++)
        pair_advance(10);
    node_stop(&pair_nodes[id]);
}

void *pair_call(struct client *client, int16_t api_key, int16_t version, const void *request)
{
    void *response = client_call(client, api_key, version, request);
    for (int64_t ms = 0; response == NULL && ms < PATIENCE_MS; ms += 100) {
        pair_advance(100);
        response = client_take(client);
    }
    return response;
}

void pair_create(struct client *client, struct span name, const int32_t *brokers, int32_t count)
{
    struct arena *arena = client_arena(client);
    struct create_topics_request *request = client_request(client, API_CREATE_TOPICS);
    request->topics = arena_array(arena, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = name;
    request->topics[0].num_partitions = -1;
    request->topics[0].replication_factor = -1;
    request->topics[0].assignments =
        arena_array(arena, (size_t)count, sizeof(*request->topics[0].assignments));
    request->topics[0].assignments_count = count;
    for (int32_t i = 0; i < count; i++) {
        int32_t *broker = arena_array(arena, 1, sizeof(*broker));
        *broker = brokers[i];
        request->topics[0].assignments[i].partition_index = i;
        request->topics[0].assignments[i].broker_ids = broker;
        request->topics[0].assignments[i].broker_ids_count = 1;
    }
    const struct create_topics_response *response =
        pair_call(client, API_CREATE_TOPICS, 5, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
    pair_advance(100);
}
