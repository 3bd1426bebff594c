/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of replies. sim/peer.c matches each reply with the oldest request on its connection
 * that has none yet, and objects in this judge's name when they do not fit; what is left to see is
 * that no request was passed over.
 */
#include "sim/judge.h"

struct connection_key {
    uint64_t boot;
    uint64_t connection;
    uint64_t host;
};

struct connection {
    struct map_node node;
    struct connection_key key;
    int32_t correlation_id; /* of the last reply */
};

struct order {
    struct map connections;
};

static void begin(struct judge *judge)
{
    struct order *order = judge->state;
    map_init(&order->connections, &judge->memory, 0);
}

static struct connection *connection_of(struct judge *judge, const struct exchange *exchange)
{
    struct order *order = judge->state;
    const struct connection_key key = {
        .boot = exchange->boot, .connection = exchange->connection, .host = exchange->host->number};
    struct map_node *node = map_find(&order->connections, span_of(&key, sizeof(key)));
    if (node != NULL)
        return container_of(node, struct connection, node);
    struct connection *connection = memory_new(&judge->memory, struct connection);
    connection->key = key;
    map_add(&order->connections, &connection->node, span_of(&connection->key, sizeof(key)));
    return connection;
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    struct connection *connection = connection_of(judge, exchange);
    judge->judged++;
    if (!exchange->has_reply)
        judge_object(judge, "a reply to a Produce with acks=0, on connection %llu of %s",
                     (unsigned long long)exchange->connection, exchange->host->name);
    if (exchange->correlation_id <= connection->correlation_id)
        judge_object(
            judge,
            "the reply to request %d comes after that to request %d, on connection %llu of %s",
            exchange->correlation_id, connection->correlation_id,
            (unsigned long long)exchange->connection, exchange->host->name);
    connection->correlation_id = exchange->correlation_id;
}

/* No process goes on with the connections of one before it. */
static void forget(struct judge *judge)
{
    struct order *order = judge->state;
    while (order->connections.first != NULL) {
        struct connection *connection =
            container_of(order->connections.first, struct connection, node);
        map_remove(&order->connections, &connection->node);
        memory_give(&judge->memory, MEMORY_STATE, connection, sizeof(*connection));
    }
}

static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    (void)host;
    if (change == HOST_BOOTED && judge->sim->hosts_count == 1)
        forget(judge);
}

const struct judge_kind judge_order = {
    .name = "order",
    .rule = "each request has one reply, in the order of the requests, that can be decoded; "
            "a Produce with acks=0 has none",
    .source = "Kafka's protocol: replies on a connection come in the order of the requests",
    .size = sizeof(struct order),
    .begin = begin,
    .replied = replied,
    .host_changed = host_changed,
    .end = forget,
};
