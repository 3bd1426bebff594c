/* SPDX-License-Identifier: Apache-2.0 */
/* Leaders who may lack what others have: the controller says which, and counts them. */
#ifndef CORE_META_UNCLEAN_H
#define CORE_META_UNCLEAN_H

#include "core/meta/controller.h"
#include "core/meta/image.h"

struct unclean {
    struct io *io;
    const struct controller *controller;
    const struct image *image;
    struct image_observer image_observer;
    struct turn_task task;
    uint64_t total; /* unclean elections, since this process began */
    uint32_t count; /* in this turn; one of them: */
    struct uuid topic_id;
    int32_t partition;
};

/* Tells of them from now on, one line a turn, whenever this node leads the quorum. What is given
 * outlives it. */
void unclean_start(struct unclean *unclean, struct io *io, const struct controller *controller,
                   struct image *image);

#endif
