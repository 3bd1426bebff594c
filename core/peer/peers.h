/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The links between this node and the others of its cluster, and what is known of their lives.
 *
 * Each node dials each other one that it has something to say to. It sends messages only on the
 * connection that it dialled, and receives them only on those that it accepted
 * (core/peer/outbound.h, core/peer/inbound.h). A message is whole or not there; what was sent on
 * one connection comes in its order, each at most once; what was not delivered when the connection
 * ended is lost. Whoever sends learns by `up` that it has to begin anew.
 *
 * A peer's life, as this node sees it:
 *
 *                  a hello or a welcome that cannot be old
 *      UNKNOWN ────────────────────────────▶ ALIVE ◀───── anything heard ───── SILENT
 *         ▲                                  │   └── nothing heard for a while ──▶ │
 *         └──────── proof that it died ──────┴──────────────────────────────────────┘
 *
 * Proof is a refused dial where that very process had listened before, or another process that
 * answers in its place. Silence proves nothing: it may be stopped, or the way to it be closed.
 * News may be late: an answer counts only if it was asked for after what it contradicts was known.
 */
#ifndef CORE_PEER_PEERS_H
#define CORE_PEER_PEERS_H

#include "core/io.h"
#include "core/peer/message.h"
#include "core/wire/schema.h"

struct peers;

/* Who this node is. Copied, but for the cluster's id, which is borrowed. */
struct peers_identity {
    struct span cluster_id;
    int32_t node_id;
    struct uuid directory_id; /* of the folder that has the metadata log */
    struct uuid incarnation;  /* drawn at each start */
    struct span host;         /* where others reach it, who may not know; borrowed, may be null */
    uint16_t port;
};

struct peers_settings {
    uint64_t heartbeat_us; /* a link is never without a sign of life for longer than this */
    uint64_t silence_us;   /* after which a peer counts as silent, and a connection as broken */
};

/* Whom they tell. None is called from within a function of this header. Any may be NULL. */
struct peers_observer {
    /* The link to it can be sent on, again; nothing that was sent before is on its way any more. */
    void (*up)(struct peers_observer *observer, int32_t node_id);
    /* … and cannot any more. */
    void (*down)(struct peers_observer *observer, int32_t node_id);
    /* The process of that incarnation has ended: proof. */
    void (*died)(struct peers_observer *observer, int32_t node_id, struct uuid incarnation);
    /* Nothing was heard of it for silence_us; it may be back with the next `up` or message. */
    void (*silent)(struct peers_observer *observer, int32_t node_id);
    /* After peers_send() had no room: there is some again. */
    void (*drained)(struct peers_observer *observer, int32_t node_id);
    /* A message came. Returns NULL; or what is wrong with it, for which its connection ends. */
    const char *(*received)(struct peers_observer *observer, const struct peer_message *message);
};

/* Nobody is known yet. `io` and `observer` outlive it. Never NULL. */
struct peers *peers_new(struct io *io, const struct peers_identity *identity,
                        const struct peers_settings *settings, struct peers_observer *observer);

/* Ends every connection; nothing is dialled, accepted or told any more. */
void peers_stop(struct peers *peers);

/* Frees it as it is: after peers_stop(), or when the world ends. NULL is a no-op. */
void peers_free(struct peers *peers);

/* A node to keep a link to, and where it listens for peers; another address takes the place of the
 * one before. A no-op for this node itself. */
void peers_know(struct peers *peers, int32_t node_id, struct span host, uint16_t port);

/* A connection that came to a listener for peers, from `address`. */
void peers_accept(struct peers *peers, uint64_t connection, struct span address);

/* Sends a message of a type from PEER_MESSAGE_FIRST on, encoded by its schema in the version that
 * the link speaks. A records field with a length but no data stands for `attached`, which lies in
 * `buffer` (a reference is taken) and is sent from there; one field at most.
 * Errors: ERR_CLOSED (there is no link: the message is lost), ERR_LIMIT (too much waits to be sent
 * already: `drained` follows; one message of any size always has room). */
int peers_send(struct peers *peers, int32_t node_id, int16_t type, const struct wire_schema *schema,
               const void *message, struct buffer *buffer, struct span attached);

/* What is known of a peer. */
struct peer_status {
    uint64_t
        heard_us; /* when anything last came from it, on any connection, on io's clock; 0: never */
    bool is_up;   /* its link can be sent on … */
    uint64_t up_us; /* … since then */
    bool is_silent;
    struct uuid incarnation; /* of its process; zero: none is known to live */
};

/* False when nothing is known of it. */
bool peers_status(const struct peers *peers, int32_t node_id, struct peer_status *ret_status);

/* Receives again where there was no memory to receive into, if there is some now. For the end of a
 * turn. */
void peers_resume(struct peers *peers);

#endif
