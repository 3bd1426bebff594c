/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings that every node of a cluster has to judge alike: how many replicas of a topic have to be
 * in sync, who may lead (core/conf/topic_conf.h, struct topic_conf_agreed), how long a lease holds
 * (core/lease.h). They are in every node's file, and files may differ; so the file of the active
 * controller counts, and is written to the metadata as the cluster's settings. What an operator
 * sets for all brokers comes before them, and topics' own settings before that.
 */
#ifndef CORE_META_AGREEMENT_H
#define CORE_META_AGREEMENT_H

#include <stdbool.h>

#include "core/conf/conf.h"
#include "core/meta/controller.h"

struct agreement {
    struct io *io;
    const struct conf *conf;
    struct controller *controller;
    struct controller_watcher watcher;
    struct meta_proposal proposal;
    bool is_proposing;
    bool is_settled; /* since this node leads */
};

/* Sees to it from now on, whenever this node leads the quorum. What is given outlives it. */
void agreement_start(struct agreement *agreement, struct io *io, const struct conf *conf,
                     struct controller *controller);

#endif
