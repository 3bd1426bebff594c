/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that another node dialled, and sends its messages on.
 *
 *      GREETING ──▶ WELCOMED ──▶ PROVEN
 *         │ hello      │ nonce      │
 *         └─▶ REFUSING ┴────────────┴──▶ CLOSING ──▶ (freed)
 *
 * A hello may have been under way for long, and whoever said it be gone. So the welcome has a nonce
 * in it, and only who says that again is there: then the connection takes the place of an earlier
 * one of the same node.
 */
#ifndef CORE_PEER_INBOUND_H
#define CORE_PEER_INBOUND_H

#include "core/input.h"
#include "core/io.h"
#include "core/peer/frames.h"

struct peer;
struct peers;

/* Connections that other nodes may have here, those included that have not said who they are. */
#define PEER_INBOUNDS_MAX 2048

enum inbound_state {
    INBOUND_GREETING,
    INBOUND_WELCOMED,
    INBOUND_PROVEN,
    INBOUND_REFUSING, /* it is told why, then closed */
    INBOUND_CLOSING,
};

struct inbound {
    struct list place; /* peers->inbounds */
    struct list muted; /* peers->muted, while there is no memory to receive into */
    struct peers *peers;
    struct peer *peer; /* NULL: GREETING, or refused */
    enum inbound_state state;
    uint64_t connection;
    struct op input_op;
    struct op send_op;
    struct op close_op;
    struct timer timer; /* the end of patience */
    struct turn_task send_task;
    struct uuid directory_id; /* of who said hello */
    struct uuid incarnation;
    int16_t version;
    int64_t nonce;
    uint64_t asked; /* peers->sequence when the nonce was told */
    struct input input;
    uint64_t starved_bytes; /* that there was no memory for */
    uint64_t heard_us;
    uint64_t answered_us; /* when something was last sent */
    struct small_frame small;
    struct piece small_piece;
    bool small_waits;
    char address_text[64];
    struct span address; /* "address:port", for the log */
};

/* Takes a new connection over. */
void inbound_open(struct peers *peers, uint64_t connection, struct span address);

/* Ends it. `why` (NULL: the other node went) is logged. */
void inbound_close(struct inbound *in, const char *why);

/* Receives again when it was muted and there is memory for it now. */
void inbound_resume(struct inbound *in);

/* Frees it as it is. */
void inbound_free(struct inbound *in);

#endif
