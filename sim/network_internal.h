/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the network share: sim/network*.c, sim/stream.c. */
#ifndef SIM_NETWORK_INTERNAL_H
#define SIM_NETWORK_INTERNAL_H

#include "sim/network.h"
#include "sim/stream.h"

#define LISTENERS_MAX 64

/* A machine's end of a channel. */
struct wire {
    struct channel *channel;
    struct host *host; /* NULL: a client is at this end */
    uint64_t number;   /* the process's, when it knows the channel; 0 before */
    struct stream *in;
    struct stream *out;
    bool is_here; /* false: the process closed it, or ended */
    struct pending *watch;
    struct pending *send;
};

struct channel {
    struct list place; /* network->channels */
    struct network *network;
    struct wire acceptor;
    struct wire dialler; /* its host is NULL: a client dialled */
    uint16_t port;       /* that was dialled */
    uint32_t client;
    uint32_t listener;
    char peer[32]; /* "10.0.0.7:40001" */
    const struct channel_events *events;
    void *context;

    bool has_client; /* the client's end is there; false: it closed, was told, or vanished, or
                        there never was one */
    bool vanished;   /* it went without a word */
    bool opened;     /* the client was told that it is open */
    bool paused;
    bool cut;                 /* reset: nothing passes any more */
    uint64_t cut_after_bytes; /* of those that the machine hands over; QUEUE_NEVER: not */

    struct stream up;        /* to the machine */
    struct stream down;      /* to the client */
    struct pending *connect; /* of the dialler, under way */
    struct task open_task;
    struct task told_task; /* the client is told of the end */
    struct task gone_task; /* nobody needs it any more */
};

struct network {
    struct sim *sim;
    struct chance rng;
    struct list channels; /* in the order in which they were opened */
    struct {
        struct wire **items; /* by number - 1; NULL: gone */
        uint32_t count;
        uint32_t capacity;
        uint32_t unaccepted;               /* channels that wait for EVENT_ACCEPTED */
    } wires[SIM_HOSTS_MAX + 1];            /* of each machine */
    uint64_t listening[SIM_HOSTS_MAX + 1]; /* a bit for each listener */
    uint16_t ports[SIM_HOSTS_MAX + 1][LISTENERS_MAX];
    uint32_t ends;     /* machines and clients */
    uint32_t *blocked; /* ends × ends: how many faults block the way */
    uint64_t held;     /* arrivals that a block held back, ever */
    uint64_t disturbed_us;
    uint32_t slow_factor;
    uint32_t last_port;
    struct network_knobs knobs;
};

/* One draw of the latency between two ends. */
uint64_t network_latency_us(struct network *network);

bool network_is_blocked(const struct network *network, uint32_t from_end, uint32_t to_end);

/* A channel whose ends nobody has yet, to a machine's port. */
struct channel *network_channel(struct network *network, struct host *host, uint16_t port);

/* The handshake begins; the two ends are told of its outcome. */
void network_handshake(struct channel *channel);

/* What a machine has handed over, or its end, is on its way. */
void network_depart(const struct wire *wire);

/* A machine's side: something arrived, or there is room to send again. */
void wire_ready(struct wire *wire);
void wire_send_pump(struct wire *wire);

/* The listener of a machine at this port; LISTENERS_MAX: none. */
uint32_t network_listener_at(const struct network *network, const struct host *host, uint16_t port);

/* A machine's handshake is over. */
void dial_completed(struct channel *channel, int error);

/* The client will be told that the channel ended, when the news has travelled. */
void channel_tell_end(struct channel *channel, uint64_t delay_us);

/* The end of the stream into `wire` is on its way, `lost`: instead of what was under way. */
void wire_tell_end(struct wire *wire, bool lost);

/* Frees it, a little later, when neither end is there. */
void channel_gone_perhaps(struct channel *channel);

#endif
