/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that we make, without waiting for them:
 *
 *     (name being looked up) ──▶ CONNECTING ──▶ a connection as any other
 *               │                   │   ▲ └─(no answer yet)─┐
 *               │                   │   └── another socket ◀┘
 *               └───────────────────┴──▶ the CONNECT completes with an error
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/error.h"
#include "net/address.h"
#include "net/resolver.h"
#include "net/state.h"

/* Linux sends a SYN that nobody answers again after a second, then after two more. Whoever waits
 * for a way that is open again cannot wait for that: another socket is tried, after so long and
 * then after twice as long each time, and after TRIES_MAX of them, three seconds in all, it is
 * given up. So a peer may be more than a second away. */
#define TRY_FIRST_US ((uint64_t)100 * 1000)
#define TRIES_MAX    5

/* Fewer is not possible (tcp(7)). */
#define SYN_RETRIES 1

static int error_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return ERR_REFUSED;
    case EMFILE:
    case ENFILE:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

/* Begins to connect a new socket. Returns 0 or an errno; EINPROGRESS: it will be connected. */
static int begin(const struct net *net, int fd, const struct address *address)
{
    const struct net_calls *calls = net->options.calls;
    if (!socket_set_options(calls, fd) ||
        !socket_set_option(calls, fd, IPPROTO_TCP, TCP_SYNCNT, SYN_RETRIES))
        return errno;
    if (calls->connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0)
        return 0;
    /* Interrupted, it goes on by itself (connect(2)). */
    return errno == EINTR ? EINPROGRESS : errno;
}

/* ---- Tries ---- */

/* Without memory for that it has this try only. */
static void try_add(struct net *net, const struct connect_try *try)
{
    if (net->tries_count == net->tries_capacity) {
        const uint32_t capacity = net->tries_capacity == 0 ? 4 : net->tries_capacity * 2;
        struct connect_try *tries = reallocarray(net->tries, capacity, sizeof(*tries));
        if (tries == NULL)
            return;
        net->tries = tries;
        net->tries_capacity = capacity;
    }
    net->tries[net->tries_count++] = *try;
}

static void try_remove(struct net *net, uint32_t at)
{
    net->tries[at] = net->tries[--net->tries_count];
}

static void try_forget(struct net *net, uint64_t connection)
{
    for (uint32_t i = 0; i < net->tries_count; i++) {
        if (net->tries[i].connection == connection) {
            try_remove(net, i);
            return;
        }
    }
}

uint64_t connect_wait_us(const struct net *net)
{
    if (net->tries_count == 0)
        return NET_FOREVER;
    const uint64_t now_us = clock_us(net->options.calls);
    uint64_t wait_us = NET_FOREVER;
    for (uint32_t i = 0; i < net->tries_count; i++) {
        const uint64_t due_us = net->tries[i].due_us;
        if (due_us <= now_us)
            return 0;
        if (due_us - now_us < wait_us)
            wait_us = due_us - now_us;
    }
    return wait_us;
}

/* ---- Dialling ---- */

static void dial(struct net *net, uint64_t effect, const struct address *address, uint32_t number)
{
    const struct net_calls *calls = net->options.calls;
    const int fd =
        calls->socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        net_complete(net, effect, error_of(errno), 0);
        return;
    }
    uint64_t id = 0;
    int error = begin(net, fd, address);
    const bool connecting = error == EINPROGRESS;
    if (error == 0 || connecting)
        error = connection_add(net, fd, &id);
    if (error != 0) {
        calls->close(fd);
        net_complete(net, effect, error_of(error), 0);
        return;
    }
    if (!connecting) {
        net_complete(net, effect, ERR_NONE, id);
        return;
    }
    struct connection *connection = connection_find(net, id);
    connection->connecting = true;
    connection->writable = false;
    connection->watch = effect;
    try_add(net, &(struct connect_try){
                     .connection = id,
                     .number = number,
                     .due_us = clock_us(calls) + (TRY_FIRST_US << number),
                     .address = *address,
                 });
}

/* Nobody has answered the try yet. */
static void try_again(struct net *net, const struct connect_try *try)
{
    struct connection *connection = connection_find(net, try->connection);
    const uint64_t effect = connection->watch;
    connection_drop(net, connection);
    if (try->number + 1 < TRIES_MAX)
        dial(net, effect, &try->address, try->number + 1);
    else
        net_complete(net, effect, ERR_IO, 0);
}

void connect_again(struct net *net)
{
    if (net->tries_count == 0)
        return;
    const uint64_t now_us = clock_us(net->options.calls);
    for (uint32_t i = net->tries_count; i > 0; i--) {
        if (net->tries[i - 1].due_us > now_us)
            continue;
        const struct connect_try due = net->tries[i - 1];
        try_remove(net, i - 1);
        try_again(net, &due);
    }
}

/* What became of a connection that is being made: 0, EINPROGRESS or another errno. */
static int outcome(const struct net *net, int fd)
{
    const struct net_calls *calls = net->options.calls;
    int error = 0;
    socklen_t length = sizeof(error);
    if (calls->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return errno;
    if (error != 0)
        return error;
    /* epoll may have spoken of something else. */
    struct address peer = {.length = sizeof(peer.storage)};
    if (calls->getpeername(fd, (struct sockaddr *)&peer.storage, &peer.length) == 0)
        return 0;
    return errno == ENOTCONN ? EINPROGRESS : errno;
}

void connect_continue(struct net *net, struct connection *connection)
{
    const int error = outcome(net, connection->fd);
    if (error == EINPROGRESS)
        return;
    const uint64_t effect = connection->watch;
    const uint64_t id = connection->id;
    try_forget(net, id);
    connection->watch = 0;
    connection->connecting = false;
    connection->writable = true;
    if (error != 0)
        connection_drop(net, connection);
    net_complete(net, effect, error == 0 ? ERR_NONE : error_of(error), error == 0 ? id : 0);
}

/* Names were looked up. */
static void looked_up(void *context)
{
    struct net *net = context;
    struct lookup *lookup;
    while ((lookup = resolver_take(net->resolver)) != NULL) {
        if (lookup->reason == NULL) {
            dial(net, lookup->effect, &lookup->address, 0);
        } else {
            net_report(net, "a host's name was not found host=%s error=%s", lookup->host,
                       lookup->reason);
            net_complete(net, lookup->effect, lookup->is_unknown ? ERR_NOT_FOUND : ERR_IO, 0);
        }
        free(lookup);
    }
}

static bool resolver_is_there(struct net *net)
{
    if (net->resolver != NULL)
        return true;
    net->resolver = resolver_new(net->options.calls);
    if (net->resolver == NULL)
        return false;
    if (net_add_source(net, resolver_fd(net->resolver), looked_up, net) == 0)
        return true;
    resolver_free(net->resolver);
    net->resolver = NULL;
    return false;
}

void connection_connect(struct net *net, const struct effect *effect)
{
    struct address address;
    const struct span host = effect->connect.host;
    if (address_parse(host, effect->connect.port, &address)) {
        dial(net, effect->id, &address, 0);
        return;
    }
    if (host.length == 0 || host.length > HOST_BYTES_MAX ||
        memchr(host.data, '\0', host.length) != NULL) {
        net_complete(net, effect->id, ERR_NOT_FOUND, 0);
        return;
    }
    if (!resolver_is_there(net) ||
        !resolver_look_up(net->resolver, effect->id, host, effect->connect.port))
        net_complete(net, effect->id, ERR_LIMIT, 0);
}
