/* SPDX-License-Identifier: Apache-2.0 */
/* A change of a group's state on its way into a partition of __consumer_offsets. */
#ifndef CORE_COORD_WRITE_H
#define CORE_COORD_WRITE_H

#include <stdint.h>

#include "core/base/list.h"

/* A member of whoever waits for the change to be as safe as acks=all makes it. */
struct coord_write {
    struct list place;  /* in the order of the log */
    int64_t end_offset; /* the high watermark that covers it; -1 until it was appended */
    /* ERR_NONE, or why the change is not in the log: ERR_NOT_COORDINATOR,
     * ERR_COORDINATOR_NOT_AVAILABLE. Called once, never from inside the call that asked for the
     * write, in the order of the writes. */
    void (*done)(struct coord_write *write, int error);
};

#endif
