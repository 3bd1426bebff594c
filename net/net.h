/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real sockets behind the connection effects of core/effect.h, on one epoll instance.
 *
 * Readiness is remembered (edge-triggered), so that a connection costs one receive for what arrived
 * and one gathered send for what is answered, and no call at all while nothing happens. Completions
 * come through `complete`, during net_perform() or during net_wait(); all functions belong to one
 * thread.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/effect.h"
#include "core/event.h"
#include "net/calls.h"

enum { NET_FILE_NONE = -1, NET_FILE_LATER = -2 };

/* net_wait() until something happens. */
#define NET_FOREVER UINT64_MAX

struct net;

struct net_options {
    const struct net_calls *calls; /* net_calls_system, or a test's */
    int send_buffer_bytes;         /* of accepted connections (SO_SNDBUF); < 0: the system's */
    int unread_timeout_ms;         /* an accepted peer that takes in nothing of what is sent to it
                                    * for so long is gone (TCP_USER_TIMEOUT) */

    /* A sleep of net_wait() is over; nothing was completed yet. */
    void (*woken)(void *context);

    /* An effect ended. */
    void (*complete)(void *context, const struct completion *completion);

    /* A listener has a new connection; `peer` is "address:port", borrowed for the call. */
    void (*accepted)(void *context, uint64_t connection, uint32_t listener, struct span peer);

    /* The descriptor of a file that a piece names, from which *length bytes (which may be lowered,
     * not to 0) from `offset` can be sent without waiting for a device. Or NET_FILE_NONE; or
     * NET_FILE_LATER: net_continue() will be called for the connection when they can. */
    int (*file_range)(void *context, uint64_t connection, uint64_t file, uint64_t offset,
                      size_t *length);

    /* Something went wrong that the core is told of by no more than a code: one line of text,
     * borrowed for the call. */
    void (*report)(void *context, const char *line);
    void *context;
};

/* Without listeners and connections; NULL with errno set when the system refuses. */
struct net *net_new(const struct net_options *options);

/* Has net_wait() look at one more descriptor, level-triggered, and call `ready` when it can be
 * read. Returns 0, or -1 with errno set. */
int net_add_source(struct net *net, int fd, void (*ready)(void *context), void *context);

/* Sleeps until something happens, `timeout_us` at most, and completes what happened. A system
 * without epoll_pwait2() rounds up to milliseconds. */
void net_wait(struct net *net, uint64_t timeout_us);

/* Carries out an effect of the network (effect_is_of_network()); any other is a defect. */
void net_perform(struct net *net, const struct effect *effect);

/* Goes on with a send that was told NET_FILE_LATER; a no-op when the connection was closed. */
void net_continue(struct net *net, uint64_t id);

/* Closes everything without completing anything. NULL is a no-op. */
void net_free(struct net *net);

#endif
