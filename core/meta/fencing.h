/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The active controller's eye on the brokers: who is proven dead, or silent, is fenced, and let in
 * again when it is heard. A broker that registers anew is let in by that. Every node keeps notes,
 * so that whoever is elected knows at once; only the one that leads acts on them.
 */
#ifndef CORE_META_FENCING_H
#define CORE_META_FENCING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io.h"
#include "core/meta/controller.h"
#include "core/meta/image.h"
#include "core/peer/peers.h"

/* What is known of a broker from its links. */
struct fencing_note {
    int32_t node_id;
    bool is_silent;
    bool is_heard;    /* something came of it, and silence was not told since */
    bool is_leaving;  /* a record that fences it is written, and not applied yet */
    struct uuid dead; /* the last of its processes that is proven to have ended */
};

struct fencing {
    struct io *io;
    struct controller *controller; /* NULL: it was not started yet */
    const struct peers *peers;
    const struct image *image;
    struct image_observer image_observer;
    struct controller_watcher watcher;
    int32_t self;
    struct fencing_note notes[META_BROKERS_MAX];
    uint32_t notes_count;
    bool is_proposing;
    struct meta_proposal proposal;
    struct turn_task task;
    bool has_led;           /* when it was looked at last */
    uint64_t session_us;    /* the cluster's session timeout */
    uint64_t leases_end_us; /* of brokers that are silent: whoever granted them */
    int32_t leader_before;  /* the last other one that was followed; RAFT_NOBODY */
    uint64_t silence_us;
    uint64_t followed_us;
    uint64_t began_us;          /* this process */
    bool is_followed_longer;    /* the controller before this one, than its leases were long */
    struct timer unheard_timer; /* for brokers that never said anything to this node */
};

/* `self` is this node, which fences everybody but itself. Notes are taken from now on. Who says
 * nothing at all to a controller for `silence_us` after it was elected is silent, too. A controller
 * that is not heard is followed for `followed_us` before there may be another one. */
void fencing_init(struct fencing *fencing, struct io *io, int32_t self, uint64_t silence_us,
                  uint64_t followed_us);

/* Acts on them from now on, whenever this node leads. `peers` are its links to the other voters.
 * All outlive it. */
void fencing_start(struct fencing *fencing, struct controller *controller,
                   const struct peers *peers, struct image *image);

/* What the links say of a node. */
void fencing_heard(struct fencing *fencing, int32_t node_id);
void fencing_silent(struct fencing *fencing, int32_t node_id);
void fencing_died(struct fencing *fencing, int32_t node_id, struct uuid incarnation);

/* True while a record that fences the broker is under way, though the image does not say so: it may
 * be heard again by now, but has to be told nothing that outlives that. */
bool fencing_is_under_way(const struct fencing *fencing, int32_t node_id);

#endif
