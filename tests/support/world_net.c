/* SPDX-License-Identifier: Apache-2.0 */
/* The world's connections: a queue of bytes each way between the process and its clients. */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/memory.h"
#include "tests/support/world_internal.h"

#define FIRST_PORT 9092

struct world_connection {
    struct world_connection *twin; /* the other process's end; NULL: a client of the test's */
    uint64_t number;
    uint32_t listener;
    bool accepted;
    bool client_closed;
    bool process_closed; /* or is about to be: what is under way ends first */
    bool close_done;
    bool paused;
    struct file_bytes to_process;
    size_t to_process_taken;
    struct file_bytes to_client;
    size_t to_client_taken;
};

static struct world_connection *connection_find(const struct world_net *net, uint64_t number)
{
    CHECK(number > 0 && number <= net->connections_count);
    return net->connections[number - 1];
}

bool world_net_serves(enum effect_kind kind)
{
    return effect_is_of_network(kind);
}

bool world_net_is_due(const struct world_net *net, const struct effect *effect)
{
    if (effect->kind == EFFECT_WATCH) {
        const struct world_connection *connection = connection_find(net, effect->connection);
        return connection->to_process_taken < connection->to_process.length ||
               connection->client_closed || connection->process_closed;
    }
    if (effect->kind == EFFECT_SEND) {
        const struct world_connection *connection = connection_find(net, effect->send.connection);
        return !connection->paused || connection->client_closed || connection->process_closed;
    }
    return true;
}

/* The twin's client is our process: what becomes of it here, the twin sees. */
static void client_leaves(struct world_connection *connection)
{
    if (connection->twin != NULL) {
        connection->twin->client_closed = true;
        connection->twin->twin = NULL;
    }
    connection->twin = NULL;
}

static int receive_carry_out(struct world_net *net, const struct effect *effect,
                             uint64_t *ret_count)
{
    struct world_connection *connection = connection_find(net, effect->receive.connection);
    size_t length = connection->to_process.length - connection->to_process_taken;
    if (connection->process_closed || (length == 0 && connection->client_closed))
        return ERR_CLOSED;
    if (length > effect->receive.length)
        length = effect->receive.length;
    if (net->receive_max > 0 && length > net->receive_max)
        length = net->receive_max;
    if (length > 0)
        memcpy(effect->receive.data, connection->to_process.data + connection->to_process_taken,
               length);
    connection->to_process_taken += length;
    *ret_count = length;
    return ERR_NONE;
}

static int send_carry_out(struct world_net *net, struct files *files, const struct effect *effect,
                          uint64_t *ret_count)
{
    struct world_connection *connection = connection_find(net, effect->send.connection);
    if (connection->client_closed || connection->process_closed)
        return ERR_CLOSED;
    for (uint32_t i = 0; i < effect->send.pieces_count; i++) {
        const struct piece *piece = &effect->send.pieces[i];
        if (piece->length == 0)
            continue;
        const uint8_t *data = piece->data;
        if (data == NULL)
            data = files_bytes(files, piece->file, piece->offset, piece->length);
        if (data == NULL)
            return ERR_IO;
        struct file_bytes *to =
            connection->twin == NULL ? &connection->to_client : &connection->twin->to_process;
        file_bytes_set(to, to->length, data, piece->length);
        *ret_count += piece->length;
    }
    return ERR_NONE;
}

static int listen_carry_out(struct world_net *net, const struct effect *effect, uint64_t *ret_count)
{
    const uint32_t listener = effect->listen.listener;
    CHECK(listener < WORLD_LISTENERS_MAX);
    const uint16_t port =
        effect->listen.port != 0 ? effect->listen.port : (uint16_t)(FIRST_PORT + listener);
    for (uint32_t i = 0; i < WORLD_LISTENERS_MAX; i++) {
        if ((net->listening & ((uint64_t)1 << i)) != 0 && net->ports[i] == port)
            return ERR_EXISTS;
    }
    net->listening |= (uint64_t)1 << listener;
    net->ports[listener] = port;
    *ret_count = port;
    return ERR_NONE;
}

static struct world_connection *connection_new(struct world_net *net, uint32_t listener)
{
    struct world_connection *connection = sim_allocate(NULL, sizeof(*connection));
    if (net->connections_count == net->connections_capacity) {
        net->connections_capacity =
            net->connections_capacity == 0 ? 8 : net->connections_capacity * 2;
        net->connections =
            sim_allocate(net->connections, net->connections_capacity * sizeof(*net->connections));
    }
    net->connections[net->connections_count++] = connection;
    *connection = (struct world_connection){.number = net->connections_count, .listener = listener};
    return connection;
}

/* The world that has this name; NULL: none, or one that answers nothing. */
static struct world_net *neighbour_of(struct world_net *net, struct span host, bool *ret_known)
{
    *ret_known = true;
    if (span_equal(host, SPAN("127.0.0.1")))
        return net;
    for (uint32_t i = 0; i < net->neighbours_count; i++) {
        if (span_equal(host, span_text(net->neighbours[i].host)))
            return net->neighbours[i].net;
    }
    *ret_known = false;
    return NULL;
}

static int connect_carry_out(struct world_net *net, const struct effect *effect,
                             uint64_t *ret_count)
{
    bool is_known;
    struct world_net *there = neighbour_of(net, effect->connect.host, &is_known);
    if (there == NULL)
        return is_known ? ERR_IO : ERR_NOT_FOUND;
    uint32_t listener = 0;
    while (listener < WORLD_LISTENERS_MAX && ((there->listening & ((uint64_t)1 << listener)) == 0 ||
                                              there->ports[listener] != effect->connect.port))
        listener++;
    if (listener == WORLD_LISTENERS_MAX)
        return ERR_REFUSED;
    struct world_connection *accepted = connection_new(there, listener);
    struct world_connection *connected = connection_new(net, listener);
    connected->accepted = true;
    connected->twin = accepted;
    accepted->twin = connected;
    *ret_count = connected->number;
    return ERR_NONE;
}

static int close_carry_out(struct world_connection *connection)
{
    if (connection->close_done)
        return ERR_CLOSED;
    client_leaves(connection);
    connection->process_closed = true;
    connection->close_done = true;
    return ERR_NONE;
}

void world_net_carry_out(struct world_net *net, uint64_t now_us, struct files *files,
                         const struct effect *effect, struct completion *completion)
{
    switch (effect->kind) {
    case EFFECT_LISTEN:
        completion->error = listen_carry_out(net, effect, &completion->count);
        break;
    case EFFECT_CONNECT:
        completion->error = connect_carry_out(net, effect, &completion->count);
        break;
    case EFFECT_WATCH:
        if (connection_find(net, effect->connection)->process_closed)
            completion->error = ERR_CLOSED;
        break;
    case EFFECT_RECEIVE:
        completion->error = receive_carry_out(net, effect, &completion->count);
        break;
    case EFFECT_SEND:
        completion->error = now_us >= effect->send.until_us
                                ? ERR_CLOSED
                                : send_carry_out(net, files, effect, &completion->count);
        break;
    default:
        completion->error = close_carry_out(connection_find(net, effect->connection));
        break;
    }
}

static uint64_t connection_of(const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_LISTEN:
    case EFFECT_CONNECT:
        return 0;
    case EFFECT_RECEIVE:
        return effect->receive.connection;
    case EFFECT_SEND:
        return effect->send.connection;
    default:
        return effect->connection;
    }
}

bool world_net_ends_first(struct world_net *net, const struct effect *close,
                          const struct effect *other)
{
    if (!world_net_serves(other->kind) || other->kind == EFFECT_CLOSE ||
        connection_of(other) != close->connection)
        return false;
    connection_find(net, close->connection)->process_closed = true;
    return true;
}

uint64_t world_net_next_accept(struct world_net *net, uint32_t *ret_listener)
{
    while (net->accepted_count < net->connections_count) {
        struct world_connection *at = net->connections[net->accepted_count++];
        if (at->accepted || at->process_closed)
            continue;
        at->accepted = true;
        *ret_listener = at->listener;
        return at->number;
    }
    return 0;
}

void world_net_process_ended(struct world_net *net)
{
    net->listening = 0;
    for (uint64_t i = 0; i < net->connections_count; i++) {
        net->connections[i]->process_closed = true;
        client_leaves(net->connections[i]);
    }
}

void world_net_free(struct world_net *net)
{
    for (uint64_t i = 0; i < net->connections_count; i++) {
        struct world_connection *connection = net->connections[i];
        client_leaves(connection);
        file_bytes_free(&connection->to_process);
        file_bytes_free(&connection->to_client);
        free(connection);
    }
    free(net->connections);
}

uint64_t world_connect(struct world *world, uint32_t listener)
{
    struct world_net *net = world_net_of(world);
    CHECK(net->listening & ((uint64_t)1 << listener));
    return connection_new(net, listener)->number;
}

void world_add_host(struct world *world, const char *host, struct world *other)
{
    struct world_net *net = world_net_of(world);
    uint32_t i = 0;
    while (i < net->neighbours_count && strcmp(net->neighbours[i].host, host) != 0)
        i++;
    CHECK(i < WORLD_NEIGHBOURS_MAX);
    net->neighbours[i] = (struct world_neighbour){host, other == NULL ? NULL : world_net_of(other)};
    if (i == net->neighbours_count)
        net->neighbours_count++;
}

void world_cut(struct world *world)
{
    const struct world_net *net = world_net_of(world);
    for (uint64_t i = 0; i < net->connections_count; i++) {
        struct world_connection *at = net->connections[i];
        if (at->twin == NULL)
            continue;
        at->client_closed = true;
        client_leaves(at);
    }
}

void world_client_send(struct world *world, uint64_t connection, struct span bytes)
{
    struct world_connection *at = connection_find(world_net_of(world), connection);
    CHECK(!at->client_closed);
    file_bytes_set(&at->to_process, at->to_process.length, bytes.data, bytes.length);
}

void world_client_close(struct world *world, uint64_t connection)
{
    connection_find(world_net_of(world), connection)->client_closed = true;
}

void world_client_pause(struct world *world, uint64_t connection, bool pause)
{
    connection_find(world_net_of(world), connection)->paused = pause;
}

bool world_client_is_closed(const struct world *world, uint64_t connection)
{
    return connection_find(world_net_of_const(world), connection)->process_closed;
}

struct span world_client_received(const struct world *world, uint64_t connection)
{
    const struct world_connection *at = connection_find(world_net_of_const(world), connection);
    if (at->to_client.length == at->to_client_taken)
        return SPAN("");
    return span_of(at->to_client.data + at->to_client_taken,
                   at->to_client.length - at->to_client_taken);
}

void world_client_take(struct world *world, uint64_t connection, size_t length)
{
    struct world_connection *at = connection_find(world_net_of(world), connection);
    CHECK(length <= at->to_client.length - at->to_client_taken);
    at->to_client_taken += length;
}

void world_set_receive_max(struct world *world, size_t bytes)
{
    world_net_of(world)->receive_max = bytes;
}
