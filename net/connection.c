/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: their ids, what epoll said of them, and receiving. */
#include <errno.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "net/state.h"

#define CONNECTIONS_CAPACITY_FIRST 64

/* The promise that an idle connection costs less than 256 bytes in user space begins here. */
_Static_assert(sizeof(struct connection) <= 96, "a connection's driver state is small");

/* More slots, all of them free. Returns 0 or an errno. */
static int slots_grow(struct net *net)
{
    const uint32_t before = net->connections_capacity;
    const uint32_t capacity = before == 0 ? CONNECTIONS_CAPACITY_FIRST : before * 2;
    if (capacity > CONNECTION_SLOTS_MAX)
        return ENOMEM;
    struct connection *connections = reallocarray(net->connections, capacity, sizeof(*connections));
    if (connections == NULL)
        return ENOMEM;
    net->connections = connections;
    net->connections_capacity = capacity;
    for (uint32_t slot = capacity; slot > before; slot--) {
        connections[slot - 1] = (struct connection){.next_free = net->free_slot};
        net->free_slot = slot;
    }
    return 0;
}

int connection_add(struct net *net, int fd, uint64_t *ret_id)
{
    if (net->free_slot == 0) {
        const int error = slots_grow(net);
        if (error != 0)
            return error;
    }
    const uint32_t slot = net->free_slot - 1;
    struct connection *connection = &net->connections[slot];
    const uint64_t id = (++net->sequence << CONNECTION_SLOT_BITS) | slot;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.u64 = id,
    };
    if (net->options.calls->epoll_ctl(net->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return errno;
    net->free_slot = connection->next_free;
    /* A new socket has room to send; whether there is something to receive, epoll will say. */
    *connection = (struct connection){.id = id, .fd = fd, .writable = true};
    *ret_id = id;
    return 0;
}

struct connection *connection_find(struct net *net, uint64_t id)
{
    const uint32_t slot = (uint32_t)(id & (CONNECTION_SLOTS_MAX - 1));
    /* 0 marks a free slot. */
    if (id == 0 || slot >= net->connections_capacity || net->connections[slot].id != id)
        return NULL;
    return &net->connections[slot];
}

void connection_drop(struct net *net, struct connection *connection)
{
    net->options.calls->close(connection->fd);
    *connection = (struct connection){.next_free = net->free_slot};
    net->free_slot = (uint32_t)(connection - net->connections) + 1;
}

void connection_ready(struct net *net, uint64_t id, uint32_t events)
{
    struct connection *connection = connection_find(net, id);
    if (connection == NULL)
        return;
    if (connection->connecting) {
        connect_continue(net, connection);
        connection = connection_find(net, id);
        if (connection == NULL || connection->connecting)
            return;
    }
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->ended = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->readable = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        connection->writable = true;
    if (connection->readable && connection->watch != 0) {
        const uint64_t watch = connection->watch;
        connection->watch = 0;
        net_complete(net, watch, ERR_NONE, 0);
    }
    if (connection->writable && connection->send != 0 && !connection->parked &&
        !connection->file_awaited)
        send_continue(net, connection);
}

void connection_watch(struct net *net, const struct effect *effect)
{
    struct connection *connection = connection_find(net, effect->connection);
    if (connection == NULL) {
        net_complete(net, effect->id, ERR_CLOSED, 0);
        return;
    }
    CHECK(connection->watch == 0);
    if (connection->readable)
        net_complete(net, effect->id, ERR_NONE, 0);
    else
        connection->watch = effect->id;
}

void connection_receive(struct net *net, const struct effect *effect)
{
    CHECK(effect->receive.length > 0);
    struct connection *connection = connection_find(net, effect->receive.connection);
    if (connection == NULL) {
        net_complete(net, effect->id, ERR_CLOSED, 0);
        return;
    }
    ssize_t got;
    do {
        got = net->options.calls->recv(connection->fd, effect->receive.data, effect->receive.length,
                                       0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        /* Less than there was room for: that was all, and epoll will tell of more. The end of the
         * stream it may have told already. */
        if ((size_t)got < effect->receive.length && !connection->ended)
            connection->readable = false;
        net_complete(net, effect->id, ERR_NONE, (uint64_t)got);
    } else if (got < 0 && errno == EAGAIN) {
        connection->readable = false;
        net_complete(net, effect->id, ERR_NONE, 0);
    } else {
        net_complete(net, effect->id, ERR_CLOSED, 0);
    }
}

void connection_close(struct net *net, const struct effect *effect)
{
    struct connection *connection = connection_find(net, effect->connection);
    if (connection == NULL) {
        net_complete(net, effect->id, ERR_CLOSED, 0);
        return;
    }
    if (connection->watch != 0)
        net_complete(net, connection->watch, ERR_CLOSED, 0);
    if (connection->send != 0)
        net_complete(net, connection->send, ERR_CLOSED, connection->sent);
    connection_drop(net, connection);
    net_complete(net, effect->id, ERR_NONE, 0);
}
