/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions that nobody can lead: the controller says which, and who would have to come back. */
#ifndef CORE_META_LEADERLESS_H
#define CORE_META_LEADERLESS_H

#include "core/meta/controller.h"
#include "core/meta/image.h"

/* Who has to come back before a partition without a leader has one. */
enum leaderless_wait {
    LEADERLESS_WAIT_ELIGIBLE,   /* one of its eligible leader replicas (KIP-966) */
    LEADERLESS_WAIT_LAST_KNOWN, /* its last known leader */
    LEADERLESS_WAIT_NOBODY, /* they have lost their data: an operator has to elect another one */
    LEADERLESS_WAITS
};

/* Whom such a partition waits for: those named first, where there are any. */
enum leaderless_wait leaderless_wait(const struct meta_partition *partition);

struct leaderless {
    struct io *io;
    const struct controller *controller;
    const struct image *image;
    struct image_observer image_observer;
    struct turn_task task;
    uint32_t count; /* of partitions, in this turn; one of them: */
    struct uuid topic_id;
    int32_t partition;
};

/* Tells of it from now on, one line a turn, whenever this node leads the quorum. What is given
 * outlives it. */
void leaderless_start(struct leaderless *leaderless, struct io *io,
                      const struct controller *controller, struct image *image);

#endif
