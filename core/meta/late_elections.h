/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unclean.leader.election.enable, for a topic or for all, comes to count while a partition has no
 * leader: no broker comes or goes then, so that nobody else would hold the election
 * (core/meta/election.h). Source: ReplicationControlManager of Kafka's KRaft controller,
 * maybeTriggerUncleanLeaderElectionForLeaderlessPartitions(), which looks every five minutes
 * (unclean.leader.election.interval.ms); here it follows the change at once.
 */
#ifndef CORE_META_LATE_ELECTIONS_H
#define CORE_META_LATE_ELECTIONS_H

#include <stdbool.h>

#include "core/conf/conf.h"
#include "core/meta/controller.h"
#include "core/meta/image.h"

/* Elections of one proposal, so that it holds up no others for long. */
#define LATE_ELECTIONS_MAX 1000

struct late_elections {
    struct io *io;
    const struct conf *conf;
    struct controller *controller;
    const struct image *image;
    struct image_observer image_observer;
    struct controller_watcher watcher;
    struct meta_proposal proposal;
    bool is_proposing;
    bool is_again; /* settings changed since it was proposed, or it had no room for all */
};

/* Holds them from now on, whenever this node leads the quorum: at the start of that, and when a
 * setting has changed, at the cost of a look at the topics concerned. What is given outlives it. */
void late_elections_start(struct late_elections *late, struct io *io, const struct conf *conf,
                          struct controller *controller, struct image *image);

#endif
