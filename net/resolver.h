/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks names of hosts up without keeping the loop: each on a thread of its own, which the C
 * library's resolver may hold up for many seconds. All functions belong to the loop's thread.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <stdbool.h>

#include "net/address.h"
#include "net/calls.h"

struct resolver;

/* A name that was asked for, and its address. */
struct lookup {
    struct lookup *next;
    struct resolver *resolver;
    uint64_t effect;
    uint16_t port;
    char host[HOST_BYTES_MAX + 1];
    struct address address;
    const char *reason; /* why there is no address; NULL: there is. Static text */
    bool is_unknown;    /* … because there is no such host */
};

/* NULL when the system refuses. */
struct resolver *resolver_new(const struct net_calls *calls);

/* Waits for nobody: what is being looked up ends unseen. NULL is a no-op. */
void resolver_free(struct resolver *resolver);

/* To be read from when names have been looked up. */
int resolver_fd(const struct resolver *resolver);

/* Begins to look up a name of 1 to HOST_BYTES_MAX bytes for a CONNECT. False when there are too
 * many lookups, or the system has no thread for one. */
bool resolver_look_up(struct resolver *resolver, uint64_t effect, struct span host, uint16_t port);

/* A lookup that has ended, in the order in which they ended; the caller's to free(). NULL: none. */
struct lookup *resolver_take(struct resolver *resolver);

#endif
