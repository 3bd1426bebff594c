/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners: binding, and accepting as long as there are descriptors. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/error.h"
#include "net/address.h"
#include "net/state.h"

/* Connections accepted at a time from one listener, so that a flood leaves time for the others. */
#define ACCEPTS_PER_TURN 64

#define LISTENERS_MAX EPOLL_SOURCE_FIRST

/*
 * A peer that vanished without a word is noticed after two to four minutes of its silence, or after
 * the unread_timeout_ms of net_options where that is longer: it takes the place of the number of
 * probes (TCP_USER_TIMEOUT, tcp(7)).
 *
 * Each accepted connection has its own time for the first probe: of connections that came at once,
 * as they do when a broker has started, Linux would probe all in the same tick, and drop what the
 * queue of the interface has no room for (1000 packets on loopback, net.core.netdev_max_backlog).
 * Nor do the next probes find room, all in one tick again, and a peer to which none came counts as
 * vanished: of 5000 good connections that had nothing to say, 1000 were reset after two minutes.
 * Linux rounds such times to 2 s (to 4 s where it ticks 1000 times a second): the spread leaves
 * thirty of its ticks at least.
 */
#define KEEPALIVE_IDLE_S     60
#define KEEPALIVE_SPREAD_S   120
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_PROBES     4

/* How often at most the operator is told that accepting is paused. */
#define REPORT_INTERVAL_US ((uint64_t)60 * 1000 * 1000)

bool socket_set_option(const struct net_calls *calls, int fd, int level, int option, int value)
{
    return calls->setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

bool socket_set_options(const struct net_calls *calls, int fd)
{
    return socket_set_option(calls, fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           socket_set_option(calls, fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
           socket_set_option(calls, fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S) &&
           socket_set_option(calls, fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S) &&
           socket_set_option(calls, fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

static bool set_send_buffer(const struct net *net, int fd)
{
    const int bytes = net->options.send_buffer_bytes;
    return bytes < 0 || socket_set_option(net->options.calls, fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

/* Who reads nothing would keep what is sent to it, and its connection, for ever: the system gives
 * up a peer that vanished, but not one that answers and says that it has no room (RFC 1122,
 * 4.2.2.17; RFC 5482). */
static bool set_unread_timeout(const struct net *net, int fd)
{
    return socket_set_option(net->options.calls, fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                             net->options.unread_timeout_ms);
}

static int open_socket(const struct net *net, const struct address *address)
{
    const struct net_calls *calls = net->options.calls;
    const int family = address->storage.ss_family;
    const int fd = calls->socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* Every address means IPv4 too, however the system is set up. */
    const bool both =
        family != AF_INET6 || socket_set_option(calls, fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    /* Every accepted connection inherits the options, which saves it a handful of calls. */
    if (both && socket_set_option(calls, fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
        socket_set_options(calls, fd) && set_send_buffer(net, fd) && set_unread_timeout(net, fd) &&
        calls->bind(fd, (const struct sockaddr *)&address->storage, address->length) == 0 &&
        calls->listen(fd, SOMAXCONN) == 0)
        return fd;
    const int error = errno;
    calls->close(fd);
    errno = error;
    return -1;
}

/* Adds a listener and finds its port, which the core may have left open. Returns 0 or an errno. */
static int add(struct net *net, const struct effect *effect, int fd, uint16_t *ret_port)
{
    struct address bound = {.length = sizeof(bound.storage)};
    if (net->options.calls->getsockname(fd, (struct sockaddr *)&bound.storage, &bound.length) != 0)
        return errno;
    if (net->listeners_count == LISTENERS_MAX)
        return EMFILE;
    const size_t count = (size_t)net->listeners_count + 1;
    struct listener *listeners = reallocarray(net->listeners, count, sizeof(*listeners));
    if (listeners == NULL)
        return ENOMEM;
    net->listeners = listeners;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = net->listeners_count};
    if (net->options.calls->epoll_ctl(net->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return errno;
    listeners[net->listeners_count++] = (struct listener){fd, effect->listen.listener};
    *ret_port = address_port(&bound);
    return 0;
}

static int error_of(int error)
{
    switch (error) {
    case EADDRINUSE:
        return ERR_EXISTS;
    case EADDRNOTAVAIL:
        return ERR_NOT_FOUND;
    case EMFILE:
    case ENFILE:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

void listener_listen(struct net *net, const struct effect *effect)
{
    const struct span host = effect->listen.host;
    struct address address;
    const char *reason = address_resolve(host, effect->listen.port, &address);
    int error = ERR_NOT_FOUND;
    if (reason == NULL) {
        int fd = open_socket(net, &address);
        /* A system without IPv6 has only one every-address. */
        if (fd < 0 && host.length == 0 && errno == EAFNOSUPPORT &&
            address_resolve(SPAN("0.0.0.0"), effect->listen.port, &address) == NULL)
            fd = open_socket(net, &address);
        uint16_t port = 0;
        const int problem = fd < 0 ? errno : add(net, effect, fd, &port);
        if (problem == 0) {
            net_complete(net, effect->id, ERR_NONE, port);
            return;
        }
        if (fd >= 0)
            net->options.calls->close(fd);
        error = error_of(problem);
        reason = strerror(problem);
    }
    net_report(net, "listen failed host=%.*s port=%u error=%s", (int)host.length,
               (const char *)host.data, (unsigned)effect->listen.port, reason);
    net_complete(net, effect->id, error, 0);
}

static void listeners_set_events(const struct net *net, uint32_t events)
{
    for (uint32_t i = 0; i < net->listeners_count; i++) {
        struct epoll_event event = {.events = events, .data.u64 = i};
        net->options.calls->epoll_ctl(net->epoll, EPOLL_CTL_MOD, net->listeners[i].fd, &event);
    }
}

/* Connections wait in the kernel's queue until one of ours ends; listening on would spin. */
static void listeners_pause(struct net *net, int error)
{
    net->accepting_paused = true;
    listeners_set_events(net, 0);
    const uint64_t now_us = clock_us(net->options.calls);
    if (net->reported_us != 0 && now_us - net->reported_us < REPORT_INTERVAL_US)
        return;
    net->reported_us = now_us;
    net_report(net, "new connections have to wait error=%s", strerror(error));
}

void listeners_resume(struct net *net)
{
    net->accepting_paused = false;
    listeners_set_events(net, EPOLLIN);
}

static void accepted(struct net *net, const struct listener *listener, int fd,
                     const struct address *peer)
{
    uint64_t id;
    const int error = connection_add(net, fd, &id);
    if (error != 0) {
        net->options.calls->close(fd);
        net_report(net, "a new connection was closed error=%s", strerror(error));
        return;
    }
    /* If that fails, it keeps its listener's. */
    socket_set_option(net->options.calls, fd, IPPROTO_TCP, TCP_KEEPIDLE,
                      KEEPALIVE_IDLE_S + (int)(net->sequence % KEEPALIVE_SPREAD_S));
    char text[ADDRESS_TEXT_BYTES_MAX];
    address_print(peer, text);
    net->options.accepted(net->options.context, id, listener->number, span_text(text));
}

void listener_accept(struct net *net, const struct listener *listener)
{
    for (uint32_t i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct address peer = {.length = sizeof(peer.storage)};
        const int fd = net->options.calls->accept4(listener->fd, (struct sockaddr *)&peer.storage,
                                                   &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accepted(net, listener, fd, &peer);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            listeners_pause(net, errno);
            return;
        }
        /* Anything else is the fate of the one connection that was to be accepted (accept(2)). */
    }
}
