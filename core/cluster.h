/* SPDX-License-Identifier: Apache-2.0 */
/* This node's part in its cluster: who it is to the others, and its links to them. */
#ifndef CORE_CLUSTER_H
#define CORE_CLUSTER_H

#include "core/base/span.h"
#include "core/leader_call.h"
#include "core/lease.h"
#include "core/meta/agreement.h"
#include "core/meta/balance.h"
#include "core/meta/fencing.h"
#include "core/meta/late_elections.h"
#include "core/meta/leaderless.h"
#include "core/meta/unclean.h"
#include "core/peer/peers.h"

struct broker;

struct cluster {
    struct broker *broker;
    struct peers *peers;
    struct peers_observer observer;
    struct image_observer image_observer;
    struct fencing fencing;
    struct agreement agreement;
    struct balance balance;
    struct late_elections late_elections;
    struct leaderless leaderless;
    struct unclean unclean;
    struct lease lease;
    struct replicas *replicas; /* of partitions */
    struct leader_calls calls; /* of clients */
    struct uuid incarnation;   /* of this process */
};

/* A broker of a cluster whose identity is checked and whose metadata is loaded gets its links.
 * Other nodes may connect from now on; it dials none yet. */
void cluster_open(struct broker *broker);

/* Its controller is there: it dials whoever is registered. */
void cluster_watch(struct broker *broker);

/* Its listeners serve: it dials the nodes that controller.quorum.voters names. */
void cluster_dial(struct broker *broker);

/* Ends the links, in order. A no-op without a cluster, as those below are. */
void cluster_stop(struct broker *broker);

/* Gives back all that it has, but for what others may still refer to, as the controller's queue
 * does; then that, too. */
void cluster_end(struct broker *broker);
void cluster_free(struct broker *broker);

#endif
