/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection that this node dials to a peer, and sends its messages on.
 *
 *  NO_ADDRESS ──▶ WAITING ──▶ CONNECTING ──▶ GREETING ──▶ UP
 *                    ▲             │   hello sent│         │
 *                    └─────────────┴── CLOSING ◀─┴─────────┘
 *
 * WAITING is over at once after a connection that had been UP, unless those never last, and takes
 * longer after each dial in vain. A connection is broken when nothing came on it for the silence
 * limit: its other end answers whatever it receives.
 */
#ifndef CORE_PEER_OUTBOUND_H
#define CORE_PEER_OUTBOUND_H

#include "core/io.h"
#include "core/peer/frames.h"
#include "core/wire/schema.h"

struct peer;

#define PEER_HOST_BYTES_MAX 255

enum outbound_state {
    OUTBOUND_NO_ADDRESS,
    OUTBOUND_WAITING,
    OUTBOUND_CONNECTING,
    OUTBOUND_GREETING,
    OUTBOUND_UP,
    OUTBOUND_CLOSING,
};

/* A member of struct peer. */
struct outbound {
    enum outbound_state state;
    char host[PEER_HOST_BYTES_MAX];    /* to dial next */
    char dialled[PEER_HOST_BYTES_MAX]; /* that the CONNECT under way points at */
    uint32_t host_length;
    uint16_t port;
    bool is_hearsay; /* the address is what the node says of itself */
    bool is_stale;   /* the connection leads to another address than is known now */

    uint64_t connection;
    struct op connect_op;
    struct op input_op;
    struct op send_op;
    struct op close_op;
    struct timer timer; /* the end of WAITING, or of patience; UP: the next heartbeat */
    uint64_t backoff_us;
    uint32_t short_ends; /* connections in a row that were UP, but not for long */
    int last_error;      /* of a dial, that was logged */
    int16_t last_refusal;
    const char *last_why; /* a connection ended before it was UP, likewise */

    uint64_t asked;         /* peers->sequence when the dial began */
    struct uuid listener;   /* the process that welcomed us at this address; zero: none did yet */
    int16_t version;        /* UP: that the link speaks */
    int64_t nonce;          /* UP: to be said in heartbeats */
    uint64_t up_us;         /* UP: since when */
    uint64_t heard_us;      /* when bytes last came on it */
    uint64_t sent_us;       /* when a send was last asked for */
    struct small_frame got; /* an answer, received so far */

    struct small_frame small; /* a hello or heartbeat that waits, or is being sent */
    bool small_waits;
    struct list queue;   /* parcels that wait */
    struct list sending; /* … and are being sent */
    uint64_t queued_bytes;
    bool was_full; /* somebody waits for room */
    struct piece *pieces;
    uint32_t pieces_capacity;
    struct turn_task send_task;
};

void outbound_init(struct peer *peer);

/* Where to dial from now on; a connection to another address ends. */
void outbound_set_address(struct peer *peer, struct span host, uint16_t port);

/* The same, as the node itself says it; counts as long as nobody else has said anything. */
void outbound_hear_address(struct peer *peer, struct span host, uint16_t port);

/* See peers_send(). */
int outbound_send(struct peer *peer, int16_t type, const struct wire_schema *schema,
                  const void *message, struct buffer *buffer, struct span attached);

/* Ends the connection, if there is one. */
void outbound_close(struct peer *peer, const char *why);

/* Gives memory back, as it is. */
void outbound_free(struct peer *peer);

/* ---- Between core/peer/outbound.c and core/peer/outbound_send.c. ---- */

/* A closed connection is over once nothing of it is under way. */
void outbound_settle(struct peer *peer);

/* The hello, or later a heartbeat, is to be sent at the end of the turn. */
void outbound_send_small(struct peer *peer);

/* What waits to be sent is lost; what is being sent is kept until that ends. */
void outbound_forget(struct peer *peer);

/* Gives all of it back. */
void outbound_free_parcels(struct peer *peer);

#endif
