/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of net/ share among themselves. */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "net/address.h"
#include "net/net.h"

/*
 * An id is a sequence number above a slot number: never used again, found without a search. What
 * epoll gives back is an id, or below the first possible id a listener or a source.
 */
#define CONNECTION_SLOT_BITS 24
#define CONNECTION_SLOTS_MAX ((uint32_t)1 << CONNECTION_SLOT_BITS)
#define EPOLL_SOURCE_FIRST   ((uint64_t)1 << 16)

struct connection {
    uint64_t id; /* 0: a free slot */
    int fd;
    uint32_t next_free; /* slot + 1; 0: the last */
    bool readable;      /* there may be something to receive */
    bool ended;         /* the end is near: it stays readable until the end itself was received */
    bool writable;      /* there may be room to send */
    bool parked;        /* in net.parked */
    bool file_awaited;  /* until net_continue() */
    bool connecting;    /* `watch` is the CONNECT: the core does not know it yet */
    uint64_t watch;     /* effect; 0: none */
    uint64_t send;      /* effect; 0: none */
    const struct piece *pieces;
    uint32_t pieces_count;
    uint64_t send_until_us; /* on the clock of events; UINT64_MAX: for ever */
    uint32_t piece;         /* the one under way */
    size_t within;          /* bytes of it that were sent */
    uint64_t sent;          /* bytes of all */
};

struct listener {
    int fd;
    uint32_t number; /* the core's */
};

struct source {
    void (*ready)(void *context);
    void *context;
};

/* A socket that is being connected for a CONNECT. */
struct connect_try {
    uint64_t connection;
    uint32_t number; /* of those before it */
    uint64_t due_us; /* when another takes its place; on the monotonic clock */
    struct address address;
};

struct net {
    struct net_options options;
    int epoll;
    bool no_pwait2; /* the system has no epoll_pwait2() */

    struct connection *connections;
    uint32_t connections_capacity;
    uint32_t free_slot; /* slot + 1; 0: none */
    uint64_t sequence;

    uint64_t *parked; /* connections whose send goes on in the next net_wait(), by id */
    uint32_t parked_count;
    uint32_t parked_capacity;

    struct listener *listeners;
    uint32_t listeners_count;
    bool accepting_paused;
    uint64_t reported_us; /* when a pause was last reported; 0: never */

    struct connect_try *tries;
    uint32_t tries_count;
    uint32_t tries_capacity;

    struct resolver *resolver; /* NULL: no name was asked for yet */

    struct source *sources;
    uint32_t sources_count;
};

/* The monotonic clock, in microseconds. */
uint64_t clock_us(const struct net_calls *calls);

/* Completes an effect. */
void net_complete(const struct net *net, uint64_t effect, int error, uint64_t count);

/* Calls report with printf's text. */
void net_report(const struct net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* net/connection.c */

/* Adds a connection for a non-blocking descriptor. Returns 0 with its id, or an errno; the
 * descriptor stays the caller's then. */
int connection_add(struct net *net, int fd, uint64_t *ret_id);

/* The connection of this id, or NULL when it was closed. */
struct connection *connection_find(struct net *net, uint64_t id);

/* Closes a connection's descriptor and frees its slot. */
void connection_drop(struct net *net, struct connection *connection);

/* Takes in what epoll says of a connection. */
void connection_ready(struct net *net, uint64_t id, uint32_t events);

void connection_watch(struct net *net, const struct effect *effect);
void connection_receive(struct net *net, const struct effect *effect);
void connection_close(struct net *net, const struct effect *effect);

/* net/send.c */
void connection_send(struct net *net, const struct effect *effect);

/* Goes on with a connection's send as far as its socket takes it. */
void send_continue(struct net *net, struct connection *connection);

/* Goes on with the sends that gave way to others. */
void send_continue_parked(struct net *net);

/* net/connect.c */
void connection_connect(struct net *net, const struct effect *effect);

/* A connection that is being made may be there now, or have failed. */
void connect_continue(struct net *net, struct connection *connection);

/* How long until one of them is to be tried again; NET_FOREVER: there is none. */
uint64_t connect_wait_us(const struct net *net);

/* Tries those again of which it is time. */
void connect_again(struct net *net);

/* net/listen.c */

/* What every socket of a connection has set: it sends at once, and notices a peer that vanished.
 * False with errno. */
bool socket_set_options(const struct net_calls *calls, int fd);
bool socket_set_option(const struct net_calls *calls, int fd, int level, int option, int value);

void listener_listen(struct net *net, const struct effect *effect);

/* Accepts what waits at a listener. */
void listener_accept(struct net *net, const struct listener *listener);

/* Ends the pause that a lack of descriptors began. */
void listeners_resume(struct net *net);

#endif
