/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/peer/ share among themselves. */
#ifndef CORE_PEER_STATE_H
#define CORE_PEER_STATE_H

#include "core/base/map.h"
#include "core/peer/inbound.h"
#include "core/peer/outbound.h"
#include "core/peer/peers.h"

enum peer_life { PEER_UNKNOWN, PEER_ALIVE, PEER_SILENT };

/* Another node. */
struct peer {
    struct map_node node; /* peers->by_id */
    struct peers *peers;
    int32_t node_id; /* the key */
    enum peer_life life;
    struct uuid incarnation;    /* unless its life is UNKNOWN */
    uint64_t learned;           /* peers->sequence when its life or incarnation was learned */
    uint64_t heard_us;          /* 0: never */
    struct timer silence_timer; /* while it is ALIVE */
    struct outbound out;
    struct inbound *in; /* the connection on which it sends; NULL: none */
};

struct peers {
    struct io *io;
    struct peers_identity identity;
    struct peers_settings settings;
    struct peers_observer *observer;
    struct map by_id;
    struct list inbounds;
    uint32_t inbounds_count;
    struct list muted; /* inbounds that wait for memory */
    uint64_t sequence; /* of what was learned: see peer_learn() */
    bool stopped;
};

/* The peer of this id, which is made if need be; NULL when there are PEERS_MAX already. */
struct peer *peer_of(struct peers *peers, int32_t node_id);

/* Something came from it, on whatever connection. */
void peer_heard(struct peer *peer);

/* An answer says that the peer's process is `incarnation`. `asked`: peers->sequence when the answer
 * was asked for. False when that is no news, but contradicts what was learned since: it may be old,
 * and is to be asked for again. */
bool peer_learn(struct peer *peer, struct uuid incarnation, uint64_t asked);

/* The peer's process has ended: that is certain. */
void peer_died(struct peer *peer, const char *proof);

/* True when the timer of a silence that ends at its due time is late: then it was this process that
 * did not run, and there may be signs of life that it has not read yet. The timer is set anew. */
bool peers_were_away(struct peers *peers, struct timer *timer, timer_action *action);

#endif
