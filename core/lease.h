/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease of a broker of a cluster: until when nobody else can be the leader of what it leads.
 * It asks the controller for it at each heartbeat; the controller grants it once a majority has
 * confirmed that it still is the controller (a barrier of core/raft/), and fences a silent broker
 * only when all that it was granted must have ended. A process that was stopped and wakes, or is
 * cut off, finds its lease over and acknowledges nothing, of any acks. (Gray and Cheriton, Leases,
 * SOSP 1989.)
 *
 *     broker:      asks at A ──────────────── granted: holds until A + LEASE ──▶ over
 *     controller:       heard at H ≥ A ─ grants ─ (silence) ─ fences at H + session timeout at
 *                                                             the earliest, or by proof of death
 *
 * A grant says where the controller's image ended, and counts only where the broker's own image has
 * come as far: who was fenced and let in again has to know that others lead now.
 *
 * The lease is an eighth shorter than the session timeout: so far may the two clocks drift apart.
 * Files may differ in that; what counts is what the cluster has agreed on (core/meta/agreement.h),
 * and when that changes, leases that were as long as before are waited for.
 */
#ifndef CORE_LEASE_H
#define CORE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/io.h"
#include "core/meta/controller.h"
#include "core/peer/message.h"
#include "core/raft/raft.h"

struct broker;
struct lease;
struct peers;

/* One that the controller is asked for: at most one at a time for each broker. */
struct lease_grant {
    struct list place;
    struct lease *lease;
    struct raft_barrier barrier;
    int32_t node_id;
    int64_t broker_epoch;
    int64_t asked_us; /* on the asker's clock; comes back as it is */
};

/* Waits for a lease after it had ended. */
struct lease_waiter {
    struct list place;
    void (*held)(struct lease_waiter *waiter); /* there is one again */
};

struct lease {
    struct broker *broker;
    struct peers *peers;
    uint64_t interval_us;
    uint64_t until_us; /* 0: there is none */
    uint64_t again_us; /* from one question to the next, while there is none */
    bool is_early;     /* one was granted that counts when the image ends there */
    uint64_t early_asked_us;
    int64_t early_end;
    bool is_stopped;
    bool is_given_up;
    struct timer ask_timer;
    struct controller_watcher watcher;
    int32_t leader;      /* of the quorum, when it was asked last */
    struct list waiters; /* struct lease_waiter */
    struct list grants;  /* struct lease_grant */
};

/* A broker of a cluster has none, and asks for none, before lease_start(). */
void lease_init(struct lease *lease, struct broker *broker, struct peers *peers,
                uint64_t heartbeat_us);

/* The broker is registered, and its controller there. */
void lease_start(struct lease *lease);

/* No more is asked for or granted; what is held stays. */
void lease_stop(struct lease *lease);

/* This broker asks others to lead in its place, who may do so before it knows: its lease is over,
 * for good. It goes on granting others theirs. */
void lease_give_up(struct lease *lease);

/* Gives back what it holds. */
void lease_free(struct lease *lease);

/* True while the lease of the broker holds; always where there is no other broker. */
bool lease_holds(const struct broker *broker);

/* When it ends, on io's clock; TIMER_NEVER where there is no other broker. */
uint64_t lease_until_us(const struct broker *broker);

/* Calls waiter->held once, in a later step, when the lease holds again. */
void lease_await(struct broker *broker, struct lease_waiter *waiter);

/* The link to a node can be sent on, again: what the controller was asked before is lost. */
void lease_peer_up(struct lease *lease, int32_t node_id);

/* The types of messages that are leases'. What the links bring: NULL, or what is wrong with it. */
bool lease_expects(int16_t type);
const char *lease_receive(struct lease *lease, const struct peer_message *message);

#endif
