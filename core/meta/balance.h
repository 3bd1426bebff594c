/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preferred leaders lead again some time after they came back: else one broker after the other is
 * restarted, and those that were first lead nothing any more. Source: Kafka's
 * auto.leader.rebalance.enable, as KRaft's controller does it.
 *
 *     BALANCED ──a preferred leader is in sync and does not lead──▶ WAITING ──time──▶ electing
 *        ▲                                                             ▲ └── more than one
 *        └────────────── all lead ── (looks again) ────────────────────┴──── proposal holds ┘
 */
#ifndef CORE_META_BALANCE_H
#define CORE_META_BALANCE_H

#include <stdbool.h>

#include "core/conf/conf.h"
#include "core/meta/controller.h"
#include "core/meta/image.h"

/* Elections of one proposal, so that it holds up no others for long. */
#define BALANCE_ELECTIONS_MAX 1000

struct balance {
    struct io *io;
    const struct conf *conf;
    struct controller *controller;
    const struct image *image;
    struct image_observer image_observer;
    struct controller_watcher watcher;
    struct timer timer;
    struct meta_proposal proposal;
    bool is_proposing;
    bool is_full; /* the last proposal */
    bool leads;
};

/* Sees to it from now on, whenever this node leads the quorum, unless auto.leader.rebalance.enable
 * is false. What is given outlives it. */
void balance_start(struct balance *balance, struct io *io, const struct conf *conf,
                   struct controller *controller, struct image *image);

#endif
