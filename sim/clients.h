/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients of a world. Each kind is one file, sim/client_NAME.c, that defines one struct
 * client_type, declared below and named in the table of sim/clients.c; numbers start at 1.
 */
#ifndef SIM_CLIENTS_H
#define SIM_CLIENTS_H

#include "sim/chance.h"
#include "sim/peer.h"

struct client_type;
struct clients;

/* What every client has; the first member of each kind's own struct. */
struct client {
    const struct client_type *type;
    struct sim *sim;
    uint32_t number;
    char name[24]; /* "producer-1": its client id */
    uint32_t host; /* whom it asks */
    const struct scenario_client *plan;
    struct chance rng;
};

struct client_type {
    const char *name; /* "producer" */
    size_t size;
    void (*start)(struct client *client);
    /* The load is over: it ends what it has begun and asks for nothing new. */
    void (*settle)(struct client *client);
    /* True when nothing of it is under way any more. */
    bool (*is_done)(const struct client *client);
    /* Why it is not done, for a liveness violation. */
    void (*explain)(const struct client *client, char *ret_text, size_t text_bytes);
    void (*free)(struct client *client);
};

extern const struct client_type client_producer;
extern const struct client_type client_consumer;
extern const struct client_type client_member;
extern const struct client_type client_admin;
extern const struct client_type client_hostile;
extern const struct client_type client_silent;
extern const struct client_type client_operator;
extern const struct client_type client_auditor;

/* The auditor's number, which it shares with the setup: those of the scenario start at 1. */
#define CLIENT_AUDITOR 0

struct clients *clients_new(struct sim *sim);
void clients_free(struct clients *clients);
void clients_start(struct clients *clients);
void clients_settle(struct clients *clients);
bool clients_are_done(const struct clients *clients);
/* Which clients are not done, and why. */
void clients_explain(const struct clients *clients, char *ret_text, size_t text_bytes);
/* Reads everything once more: every partition, every group's offsets. */
void clients_audit(struct clients *clients);
bool clients_audit_is_done(const struct clients *clients);
uint32_t clients_count(const struct clients *clients);
struct client *clients_get(const struct clients *clients, uint32_t number);

/* A range of the plan, or the kind's default where the plan has none. */
uint64_t client_draw(struct client *client, struct range plan, uint64_t least, uint64_t most);

/* Between two actions: as the plan says under load, at most `most_us` where it says nothing and
 * when the load is over, for what was begun has to end. */
uint64_t client_pause_us(struct client *client, uint64_t most_us);

/* The topic of its plan, or the scenario's first one. Borrowed. */
struct span client_topic(const struct client *client);

#endif
