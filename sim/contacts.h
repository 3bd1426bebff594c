/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connections to the nodes of its cluster, one a node, made when first needed. One of
 * the nodes is its home: whom it asks for metadata, until there is trouble; then it asks another.
 * A machine that is a cluster of its own is the only node there is.
 */
#ifndef SIM_CONTACTS_H
#define SIM_CONTACTS_H

#include "sim/contact.h"

/* A member of the client. */
struct contacts {
    struct client *client;
    const struct contact_events *events;
    uint32_t home;
    struct contact nodes[SIM_HOSTS_MAX]; /* by node id - 1 */
};

/* True when the client's machine is one of several. */
bool contacts_in_cluster(const struct client *client);

/* Another node of the client's cluster than `host`, drawn; that one where it is alone. */
uint32_t contacts_other(struct client *client, uint32_t host);

/* Connects to the home, which is the machine that the client asks first. */
void contacts_start(struct contacts *contacts, struct client *client,
                    const struct contact_events *events);

/* Gives all connections up, as contact_end() does. */
void contacts_end(struct contacts *contacts);

/* The contact with a node: it connects, if it has not. */
struct contact *contacts_at(struct contacts *contacts, uint32_t host);
struct contact *contacts_home(struct contacts *contacts);

/* Another node is the home from now on. */
void contacts_leave_home(struct contacts *contacts);

/* Requests that are not answered. */
uint32_t contacts_asked(const struct contacts *contacts);

/* The node that Metadata says leads a partition; 0: nobody does, or it is no node of the world. */
uint32_t contacts_leader(const struct client *client, int32_t leader_id);

#endif
