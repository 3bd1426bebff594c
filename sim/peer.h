/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's end of one channel, in requests and replies. Each request with its reply is an
 * exchange, decoded once, for the client, the judges and the trace:
 *
 *     ASKED ──▶ REPLIED ──▶ RECEIVED        LOST: the channel ended before
 *               (its last byte left the machine)
 */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include "core/base/arena.h"
#include "core/wire/codec.h"
#include "core/wire/messages.h"
#include "sim/network.h"

struct peer;

struct exchange {
    struct list place;
    struct peer *peer;
    struct host *host;   /* that was asked */
    uint64_t boot;       /* which of its processes: host->boots */
    uint64_t connection; /* the machine's number */
    uint32_t client;     /* who asked */
    const struct wire_api *api;
    int16_t version;
    int32_t correlation_id;
    const void *request;        /* struct X_request */
    struct span request_bytes;  /* the frame's body, header included */
    const void *response;       /* struct X_response; NULL until REPLIED */
    struct span response_bytes; /* the same */
    uint64_t asked_us;
    uint64_t replied_us;
    uint64_t asked_number; /* the trace's numbers */
    uint64_t replied_number;
    bool has_reply; /* false: acks=0, for which none comes; it is gone once it is ASKED */
    void *user;     /* the client's own */
    struct arena arena;
};

struct peer_events {
    void (*opened)(void *context, struct peer *peer);
    /* A reply came; the exchange is gone after the call. */
    void (*received)(void *context, struct peer *peer, const struct exchange *exchange);
    /* The request will not be answered; the exchange is gone after the call. */
    void (*lost)(void *context, struct peer *peer, const struct exchange *exchange);
    /* After the last lost(); the peer is gone after the call. */
    void (*closed)(void *context, struct peer *peer);
};

/* Connects client number `client` to a machine; `events` and `context` are borrowed. */
struct peer *peer_open(struct sim *sim, uint32_t client, uint32_t host,
                       const struct peer_events *events, void *context);

/* Ends the channel: lost() for what is not answered, but no closed(). The peer is gone. */
void peer_close(struct peer *peer);

/* Frees all that are left, when the world ends. */
void peer_free_all(struct sim *sim);

/* A zeroed request struct of the API with its defaults, to be filled in and sent; it and what
 * peer_take() gives live as long as the exchange. */
struct exchange *peer_request(struct peer *peer, int16_t api_key, int16_t version);
void *peer_take(struct exchange *exchange, size_t size);
struct span peer_copy(struct exchange *exchange, struct span bytes);

/* Sends what peer_request() made; the struct is exchange->request. */
void peer_send(struct peer *peer, struct exchange *exchange, void *user);

/* The request as it would be sent, its size in front; lives as long as the exchange. */
struct span peer_frame(struct exchange *exchange);

/* Gives up what peer_request() made instead of sending it. */
void peer_forget(struct exchange *exchange);

/* Sends bytes that are no request of ours; from then on replies are neither matched nor judged. */
void peer_send_raw(struct peer *peer, struct span bytes);

struct channel *peer_channel(const struct peer *peer);
uint32_t peer_host(const struct peer *peer);
bool peer_is_open(const struct peer *peer);
uint32_t peer_asked_count(const struct peer *peer); /* not answered yet */
uint64_t peer_arrived(const struct peer *peer);     /* bytes, of whole replies or not */

#endif
