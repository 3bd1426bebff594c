/* SPDX-License-Identifier: Apache-2.0 */
/* An administrator: what it knows, and everything that it asks (sim/client_admin.c). */
#ifndef SIM_ADMIN_H
#define SIM_ADMIN_H

#include "sim/contact.h"

#define ADMIN_TOPICS         4
#define ADMIN_NAME_BYTES_MAX 32

/* One of its own topics, which may be there or not. */
struct admin_topic {
    char name[ADMIN_NAME_BYTES_MAX];
    struct uuid id; /* the last one that it was told */
};

struct admin {
    struct client client;
    struct contact contact;
    struct task task;
    struct admin_topic topics[ADMIN_TOPICS];
    char group[ADMIN_NAME_BYTES_MAX]; /* its own, of no members */
    uint64_t records;                 /* that it produced */
    int64_t producer_id;              /* the last one that it was told; -1: none */
    int16_t producer_epoch;
    uint32_t in_flight_most;
    bool makes_again; /* it deleted the topic of its plan, and has to make it again */
    bool is_led;      /* by whom it should be: all that it asked to be elected after … */
    uint64_t settled_us;
    bool settling;
};

/* Something that it may do: a request of any version that is served. */
struct admin_action {
    int16_t api_key;
    uint32_t weight; /* how often, among the others */
    void (*fill)(struct admin *admin, struct exchange *exchange);
    /* Looks at the answer; NULL: the judges do. */
    void (*answered)(struct admin *admin, const struct exchange *exchange);
};

/* Ends with a row of no weight. */
extern const struct admin_action admin_changes[];
extern const struct admin_action admin_queries[];
extern const struct admin_action admin_groups[];
extern const struct admin_action admin_elections[]; /* of clusters */
extern const struct admin_action admin_defaults[];  /* of clusters, by those that do nothing else */
extern const struct admin_action admin_deletions[]; /* by those that do nothing else */

/* Makes the topic of its plan again. */
extern const struct admin_action admin_make_again;

/* Gives it the names of its own topics and group; the rest is zeroed. */
void admin_init(struct admin *admin);

/* Draws what to do, and fills the request in, in a version that is served. The contact is OPEN. */
const struct admin_action *admin_draw(struct admin *admin);
struct exchange *admin_request(struct admin *admin, const struct admin_action *action);

/* A topic to ask about: one of its own, of the scenario's, or one that is not there. Borrowed. */
struct span admin_any_topic(struct admin *admin);
struct admin_topic *admin_own_topic(struct admin *admin);

#endif
