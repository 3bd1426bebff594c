/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of bytes between clients and machines, and between machines, with latency, pieces of any
 * size, limits on what is under way, and everything that breaks them.
 *
 *              client ══▶ under way ══▶ arrived ──▶ RECEIVE       the machine
 *                     ◀── arrived ◀══ under way ◀══ SEND
 *
 * The client may be another machine's process, which dialled by EFFECT_CONNECT.
 *
 * A channel is CONNECTING, OPEN, or CLOSED for its client; for the machine it is there from
 * EVENT_ACCEPTED to EFFECT_CLOSE or the process's end. Either side may be wrong about the other:
 * a machine that lost power says nothing, a client that vanished neither.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "core/base/span.h"
#include "sim/host.h"

struct channel;

/* What a channel's client is told. Calls come one at a time, never from within the client's own. */
struct channel_events {
    void (*opened)(void *context, struct channel *channel);
    /* Bytes that arrived, in order; borrowed for the call. */
    void (*received)(void *context, struct channel *channel, struct span bytes);
    /* It ended, or never came about: nothing more will come. The channel is gone after this. */
    void (*closed)(void *context, struct channel *channel);
    /* Bytes that the machine handed over, long before they arrive: for judges. */
    void (*left)(void *context, struct channel *channel, struct span bytes);
};

struct network *network_new(struct sim *sim);
void network_free(struct network *network);

/* Takes an effect of the network over; host_completed() follows. Machines are hosts by their names,
 * "n1"; "127.0.0.1" is the machine itself. */
void network_submit(struct network *network, struct pending *pending);

/* What EVENT_ACCEPTED has to tell of next; false when nobody waits. `peer` is borrowed. */
bool network_accept(struct network *network, struct host *host, uint64_t *ret_connection,
                    uint32_t *ret_listener, struct span *ret_peer);
bool network_has_accepts(const struct network *network, const struct host *host);

/* The process ended: its channels are reset, or (`silent`) not heard of any more. */
void network_process_ended(struct network *network, struct host *host, bool silent);

/* Client number `client` connects to a machine's port. Owned by the network. */
struct channel *channel_open(struct sim *sim, uint32_t client, uint32_t host, uint16_t port,
                             const struct channel_events *events, void *context);
void channel_send(struct channel *channel, struct span bytes);
/* The client ends it in order; or goes without a word. No more calls; the channel is gone. */
void channel_close(struct channel *channel);
void channel_vanish(struct channel *channel);
/* While paused, the client reads nothing. */
void channel_pause(struct channel *channel, bool paused);
/* The connection is cut: what is under way is lost, both sides are told. */
void channel_reset(struct channel *channel);
struct host *channel_host(const struct channel *channel);
uint64_t channel_connection(const struct channel *channel); /* the machine's number of it */

/* ---- Faults. Ends are machines (1 to n) and clients (by number, in CLIENT_END). ---- */

#define CLIENT_END(client) ((client) + SIM_HOSTS_MAX)

/* Nothing passes from one end to another any more, until as many calls have opened it again. What
 * is under way waits. */
void network_block(struct network *network, uint32_t from_end, uint32_t to_end);
void network_unblock(struct network *network, uint32_t from_end, uint32_t to_end);
/* True when nothing keeps the one end from the other, either way. */
bool network_is_open(const struct network *network, uint32_t end, uint32_t other_end);
/* When a fault last began or ended. */
uint64_t network_disturbed_us(const struct network *network);
/* Arrivals that were held back so far. */
uint64_t network_held(const struct network *network);
/* Latency times `factor`; 0 or 1: as usual. */
void network_slow(struct network *network, uint32_t factor);
/* Cuts the channels of a machine (0: any) that the rng picks, `percent` of them, some after a few
 * more bytes. Returns how many. */
uint32_t network_cut(struct network *network, uint32_t host, uint32_t percent);
/* Clients of a machine, and machines that dialled it, vanish likewise, and are told that the
 * channel is closed. */
uint32_t network_vanish(struct network *network, uint32_t host, uint32_t percent);

/* Seeds draw these. */
struct network_knobs {
    uint64_t latency_us_least;
    uint64_t latency_us_most;
    uint32_t window_bytes;   /* of a direction: most that is under way or not taken */
    uint32_t fragment_bytes; /* at most so many arrive at once; 0: no limit */
    bool draws_fragments;    /* any number up to that */
    uint64_t bytes_per_ms;   /* bandwidth of a channel; 0: no limit */
};

struct network_knobs *network_knobs(struct network *network);

/* From now on the network is quick, whatever was drawn: the load is over. */
void network_calm(struct network *network);

#endif
