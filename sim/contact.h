/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connection to a broker, which comes again when it is lost, and counts as lost when
 * nothing comes back for too long:
 *
 *     AWAY ──▶ CONNECTING ──▶ OPEN ──▶ AWAY (after a pause that grows with each failure)
 */
#ifndef SIM_CONTACT_H
#define SIM_CONTACT_H

#include "sim/clients.h"

struct contact;

/* What the client is told; `received` and `lost` once for each request. */
struct contact_events {
    void (*opened)(struct contact *contact);
    void (*received)(struct contact *contact, const struct exchange *exchange);
    void (*lost)(struct contact *contact, const struct exchange *exchange);
    /* After that: the connection was lost, or never came about. NULL: it just comes again. */
    void (*away)(struct contact *contact);
};

/* A member of the client. */
struct contact {
    struct client *client; /* NULL: it was never started */
    uint32_t host;
    const struct contact_events *events;
    struct peer *peer; /* NULL: AWAY */
    bool is_open;
    bool is_ended;
    uint32_t failures; /* since the last reply */
    uint64_t timeout_us;
    uint64_t progress_us; /* when something was last asked of an idle broker, or came back */
    uint64_t arrived;     /* bytes that had come back by then, even of a reply that is not whole */
    struct task again_task;
    struct task timeout_task;
};

/* Connects to the machine `host`, now and whenever the connection is lost, until contact_end(). */
void contact_start(struct contact *contact, struct client *client, uint32_t host,
                   const struct contact_events *events);

/* Goes to another machine: nothing but lost() is told of what was asked of the one before. */
void contact_move(struct contact *contact, uint32_t host);

/* Gives the connection up, and every request on it; nothing is told any more after that. */
void contact_end(struct contact *contact);

/* Cuts the connection, as if it had been lost. */
void contact_drop(struct contact *contact);

/* A request to be filled in and sent at once; only while the contact is OPEN. */
struct exchange *contact_request(struct contact *contact, int16_t api_key, int16_t version);
void contact_send(struct contact *contact, struct exchange *exchange, void *user);

/* Requests that are not answered. */
uint32_t contact_asked(const struct contact *contact);

#endif
