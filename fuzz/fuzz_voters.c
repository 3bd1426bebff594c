/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever changes the voters of a quorum, or says that it does: three brokers are one cluster, and
 * their clients ask for voters and for fewer of them by way of any node, while nodes end, and hear
 * requests for the leader and answers of it that nobody sent. Nothing aborts, no term has two
 * leaders, and all brokers end. The input is a sequence of actions:
 *
 *     to whom (bits 6 and 7) and what (the rest: an enum action), then bytes for its fields
 */
#include <string.h>

#include "core/api/voter_change.h"
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/meta/identity.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"
#include "fuzz/fuzz.h"
#include "fuzz/nodes.h"
#include "tests/support/client.h"

#define ACTIONS_MAX   48
#define CLIENTS_MAX   8
#define LISTENERS_MAX 10 /* more than a voter may have */
#define TYPE_ASK      (PEER_MESSAGE_FIRST + 33)
#define TYPE_TOLD     (PEER_MESSAGE_FIRST + 34)

enum action {
    ADD,
    REMOVE,
    DESCRIBE,
    HEAR_ASK,
    HEAR_TOLD,
    RAW,
    WAIT,
    CUT,
    END,
    CLOSE,
    STOP,
    ACTIONS
};

static struct client *clients[CLIENTS_MAX]; /* with a request each */

static bool is_there(int32_t id)
{
    return nodes[id].broker != NULL && world_is_ready(nodes[id].world);
}

/* ---- Requests ---- */

static const int16_t keys[] = {API_ADD_RAFT_VOTER, API_REMOVE_RAFT_VOTER, API_DESCRIBE_QUORUM};

/* Of a node, or of nobody. */
static struct uuid directory_of(int32_t id)
{
    if (id >= 1 && id <= NODES_MAX && is_there(id) && next_byte() % 8 != 7)
        return identity_directory_id(nodes[id].broker->identity, 0);
    return (struct uuid){{next_byte()}};
}

static struct span cluster_id(void)
{
    const uint8_t byte = next_byte();
    return byte % 8 == 7 ? SPAN("another") : byte % 2 == 0 ? SPAN("the-cluster") : SPAN_NULL;
}

static int32_t voter_id(void)
{
    const uint8_t byte = next_byte();
    return byte < 0xe0 ? 1 + byte % 4 : (int32_t)byte - 0xf0;
}

static const void *add_of(struct arena *arena)
{
    static char long_text[META_ENDPOINT_TEXT_MAX + 2];
    struct add_raft_voter_request *request = arena_take(arena, sizeof(*request));
    wire_defaults(wire_api_find(API_ADD_RAFT_VOTER)->request, request);
    request->cluster_id = cluster_id();
    request->voter_id = voter_id();
    request->voter_directory_id = directory_of(request->voter_id);
    request->timeout_ms = (int32_t)(next_byte() - 16) * 100;
    request->ack_when_committed = next_byte() % 2 == 0;
    const uint8_t kind = next_byte();
    request->listeners_count = kind < 0xf0 ? 1 + kind % 3 : (kind - 0xf0) % (LISTENERS_MAX + 1);
    request->listeners = arena_array(arena, LISTENERS_MAX, sizeof(*request->listeners));
    for (int32_t i = 0; i < request->listeners_count; i++) {
        static const char *const hosts[] = {"n1", "n2", "n3", "n4", "n0"};
        struct add_raft_voter_request_listener *listener = &request->listeners[i];
        const uint8_t wrong = next_byte();
        memset(long_text, 'n', sizeof(long_text));
        const struct span text = span_of(long_text, wrong % 2 == 0 ? sizeof(long_text) : 0);
        listener->name = wrong >= 0xf8 ? text : SPAN("CONTROLLER");
        listener->host = wrong >= 0xf0 && wrong < 0xf8 ? text : span_text(hosts[wrong % 5]);
        listener->port = wrong == 0xef ? 0 : 9093;
    }
    return request;
}

static const void *remove_of(struct arena *arena)
{
    struct remove_raft_voter_request *request = arena_take(arena, sizeof(*request));
    wire_defaults(wire_api_find(API_REMOVE_RAFT_VOTER)->request, request);
    request->cluster_id = cluster_id();
    request->voter_id = voter_id();
    request->voter_directory_id = directory_of(request->voter_id);
    return request;
}

static const void *describe_of(struct arena *arena)
{
    struct describe_quorum_request *request = arena_take(arena, sizeof(*request));
    wire_defaults(wire_api_find(API_DESCRIBE_QUORUM)->request, request);
    request->topics = arena_array(arena, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->topic_name = next_byte() % 4 == 0 ? SPAN("t") : SPAN(TOPICS_METADATA_NAME);
    request->topics->partitions = arena_array(arena, 1, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    request->topics->partitions->partition_index = next_byte() % 4 == 0;
    return request;
}

static const void *request_of(int16_t key, struct arena *arena)
{
    return key == API_ADD_RAFT_VOTER      ? add_of(arena)
           : key == API_REMOVE_RAFT_VOTER ? remove_of(arena)
                                          : describe_of(arena);
}

static void ask_by_client(struct node *node, int16_t key)
{
    const struct wire_api *api = wire_api_find(key);
    size_t at = 0;
    while (at < CLIENTS_MAX && clients[at] != NULL)
        at++;
    if (at == CLIENTS_MAX)
        return;
    clients[at] = client_new(node->world);
    const int16_t versions = (int16_t)(api->version_max - api->version_min + 1);
    const int16_t version = (int16_t)(api->version_min + next_byte() % versions);
    client_send(clients[at], key, version, request_of(key, client_arena(clients[at])));
    world_advance_ms(node->world, 1);
}

/* ---- What nodes hear that nobody said ---- */

static struct span random_bytes(uint8_t *room)
{
    const size_t length = next_byte();
    for (size_t i = 0; i < length; i++)
        room[i] = next_byte();
    return span_of(room, length);
}

static void hear_ask(struct node *node, int32_t from)
{
    uint8_t room[NODES_MESSAGE_BYTES / 2];
    struct arena arena;
    const uint8_t kind = next_byte();
    const int16_t key = kind < 0xf0 ? keys[kind % 3] : (int16_t)next_byte();
    struct quorum_ask ask = {.number = next_number(0), .api_key = key};
    arena_init(&arena, &node->broker->memory, MEMORY_REQUEST, (size_t)1 << 20);
    ask.version = kind % 16 == 15 ? (int16_t)next_number(0) : 0;
    if (kind < 0xe0) {
        const struct wire_schema *schema = wire_api_find(key)->request;
        const void *request = request_of(key, &arena);
        const size_t size = wire_size(schema, 0, request);
        if (size <= sizeof(room)) {
            struct wire_writer writer = {.data = room, .capacity = size};
            wire_encode(schema, 0, request, &writer);
            ask.body = span_of(room, size);
        }
    } else {
        ask.body = random_bytes(room);
    }
    nodes_hear_message(node, from, TYPE_ASK, &wire_quorum_ask, &ask);
    arena_reset(&arena);
}

/* An answer to what the node may have asked last. */
static void hear_told(struct node *node, int32_t from)
{
    uint8_t room[UINT8_MAX];
    struct quorum_told told = {
        .number = next_number(node->broker->cluster->calls.number),
        .body = next_byte() % 4 == 0 ? SPAN_NULL : random_bytes(room),
    };
    nodes_hear_message(node, from, TYPE_TOLD, &wire_quorum_told, &told);
}

static void hear_raw(struct node *node, int32_t from)
{
    uint8_t room[UINT8_MAX];
    const int16_t type = next_byte() % 2 == 0 ? TYPE_ASK : TYPE_TOLD;
    nodes_hear(node, from, type, random_bytes(room));
}

/* ---- The world ---- */

/* Clients of a node that ends are gone with it. */
static void close_clients(const struct node *node)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (clients[i] == NULL || (node != NULL && client_world(clients[i]) != node->world))
            continue;
        client_free(clients[i]);
        clients[i] = NULL;
    }
}

static void cut(struct node *node, bool begins_again)
{
    close_clients(node);
    if (node->broker != NULL)
        node_kill(node);
    if (begins_again)
        node_start(node);
    nodes_advance(50);
}

/* Ends in order, if it can, and begins again. */
static void stop(struct node *node)
{
    close_clients(node);
    if (node->broker != NULL) {
        world_stop(node->world);
        for (int i = 0; i < 100 && !world_is_stopped(node->world); i++)
            nodes_advance(50);
    }
    cut(node, true);
}

/* One client goes, answered or not. */
static void close_one(void)
{
    const size_t at = next_byte() % CLIENTS_MAX;
    if (clients[at] == NULL)
        return;
    world_client_close(client_world(clients[at]), client_connection(clients[at]));
    world_advance_ms(client_world(clients[at]), 1);
    client_free(clients[at]);
    clients[at] = NULL;
}

static void act_on(int32_t id, enum action action)
{
    struct node *node = &nodes[id];
    const int32_t from = id % NODES_MAX + 1;
    switch (action) {
    case HEAR_ASK:
        hear_ask(node, from);
        return;
    case HEAR_TOLD:
        hear_told(node, from);
        return;
    case RAW:
        hear_raw(node, from);
        return;
    default:
        ask_by_client(node, keys[action]);
        return;
    }
}

static void act(void)
{
    const uint8_t byte = next_byte();
    const int32_t id = 1 + (byte >> 6) % NODES_MAX;
    const enum action action = (enum action)(byte % 64 % ACTIONS);
    if (action == WAIT)
        nodes_advance((int64_t)next_byte() * 50);
    else if (action == CUT || action == END)
        cut(&nodes[id], action == CUT);
    else if (action == STOP)
        stop(&nodes[id]);
    else if (action == CLOSE)
        close_one();
    else if (is_there(id))
        act_on(id, action);
}

/* No term has two leaders. */
static void look(void)
{
    int32_t terms[NODES_MAX + 1] = {0};
    for (int32_t id = 1; id <= NODES_MAX; id++) {
        if (!is_there(id))
            continue;
        const struct raft_status status =
            quorum_status(controller_quorum(nodes[id].broker->controller));
        if (status.role != RAFT_LEADER)
            continue;
        for (int32_t other = 1; other < id; other++)
            must(terms[other] != status.term);
        terms[id] = status.term;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nodes_begin(NODES_MAX, NULL, data, size);
    for (int i = 0; i < ACTIONS_MAX && input_left() > 0; i++) {
        act();
        look();
    }
    close_clients(NULL);
    nodes_end();
    return 0;
}
