/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client connection: bytes in, frames cut out of them, requests handed to their handlers,
 * replies out in the order of the requests.
 *
 *     OPEN ──▶ CLOSING ──▶ (freed: closed by the driver, and no request left)
 *
 * An open session is watching, receiving or muted: muted while too much of it is under way, or
 * while there is no memory to receive into.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/list.h"
#include "core/input.h"
#include "core/io.h"
#include "core/request.h"
#include "core/unfinished.h"

/* Requests under way, past which a session is muted until replies have left. librdkafka alone may
 * keep a million requests in flight. */
#define SESSION_REQUESTS_MAX 4096

enum session_state { SESSION_OPEN, SESSION_CLOSING };

struct session {
    struct list place; /* the broker's sessions */
    struct list muted; /* the broker's sessions that wait for memory */
    struct broker *broker;
    uint64_t connection;
    uint32_t listener;
    enum session_state state;
    struct op input_op; /* the watch or the receive under way */
    struct op send_op;
    struct op close_op;
    struct turn_task input_task;
    struct turn_task send_task;
    struct timer idle_timer;
    uint64_t active_us; /* when bytes last came or went */

    uint64_t starved_bytes; /* that there was no memory for; 0: it is muted for something else */
    struct input input;
    struct unfinished_part unfinished;

    struct list requests; /* not answered, or answered behind one that is not */
    uint32_t requests_count;
    uint64_t requests_bytes; /* frames and replies that are held, and what requests take beside */
    bool hurries;            /* those that wait are to be answered at the end of the turn */
    struct list sending;     /* requests whose replies are in the send under way */
    struct piece *pieces;
    uint32_t pieces_capacity;
    struct span peer; /* "address:port", for the log */
    char peer_text[64];
};

/* Takes a new connection over. */
void session_open(struct broker *broker, uint64_t connection, uint32_t listener, struct span peer);

/* Ends the connection; requests under way are cancelled. `why` (NULL: the peer went) is logged. */
void session_close(struct session *session, const char *why);

/* An answered request: sends what is ready at the end of the turn. */
void session_answered(struct session *session);

/* A request of a closing session went: the last one lets the session go too. */
void session_request_gone(struct session *session);

/* Receives again when the session was muted and may go on. */
void session_resume(struct session *session);

/* Frees a session as it is, with its requests: for the end of the world. */
void session_free(struct session *session);

#endif
