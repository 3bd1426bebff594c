/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the network share: sim/network*.c, sim/stream.c. */
#ifndef SIM_NETWORK_INTERNAL_H
#define SIM_NETWORK_INTERNAL_H

#include "sim/network.h"
#include "sim/stream.h"

#define LISTENERS_MAX 64

struct channel {
    struct list place; /* network->channels */
    struct network *network;
    struct host *host;
    uint64_t number; /* the machine's, from EVENT_ACCEPTED on */
    uint32_t client;
    uint32_t listener;
    char peer[32]; /* "10.0.0.7:40001" */
    const struct channel_events *events;
    void *context;

    bool has_client; /* the client's end is there; false: it closed, was told, or vanished */
    bool vanished;   /* it went without a word */
    bool opened;     /* the client was told that it is open */
    bool paused;
    bool has_host; /* the machine's end is there: accepted, or waiting to be */
    bool accepted;
    bool cut;                 /* reset: nothing passes any more */
    uint64_t cut_after_bytes; /* of those that the machine hands over; QUEUE_NEVER: not */

    struct stream up;   /* to the machine */
    struct stream down; /* to the client */
    struct task open_task;
    struct task told_task; /* the client is told of the end */
    struct task gone_task; /* nobody needs it any more */

    struct pending *watch;
    struct pending *send;
};

struct network {
    struct sim *sim;
    struct chance rng;
    struct list channels; /* in the order in which they were opened */
    struct {
        struct channel **items; /* by number - 1; NULL: gone */
        uint32_t count;
        uint32_t capacity;
        uint32_t unaccepted; /* channels that wait for EVENT_ACCEPTED */
    } accepted[SIM_HOSTS_MAX + 1];
    uint64_t listening[SIM_HOSTS_MAX + 1]; /* a bit for each listener */
    uint16_t ports[SIM_HOSTS_MAX + 1][LISTENERS_MAX];
    uint32_t ends;     /* machines and clients */
    uint32_t *blocked; /* ends × ends: how many faults block the way */
    uint64_t held;     /* arrivals that a block held back, ever */
    uint32_t slow_factor;
    uint32_t last_port;
    struct network_knobs knobs;
};

/* One draw of the latency between two ends. */
uint64_t network_latency_us(struct network *network);

bool network_is_blocked(const struct network *network, uint32_t from_end, uint32_t to_end);

/* What the machine has handed over, or its end, is on its way to the client. */
void network_depart(struct channel *channel);

/* The machine's side: something arrived, or there is room to send again. */
void channel_host_ready(struct channel *channel);
void channel_send_pump(struct channel *channel);

/* The machine's end goes: by EFFECT_CLOSE (`in_order`: what was sent still arrives), or because its
 * process ended. */
void channel_host_leaves(struct channel *channel, bool in_order);

/* The client will be told that the channel ended, when the news has travelled. */
void channel_tell_end(struct channel *channel, uint64_t delay_us);

/* Frees it, a little later, when neither end is there. */
void channel_gone_perhaps(struct channel *channel);

#endif
