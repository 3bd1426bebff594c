/* SPDX-License-Identifier: Apache-2.0 */
/* One OffsetCommit on its way: checked, written, and then visible. */
#ifndef CORE_COORD_COMMIT_H
#define CORE_COORD_COMMIT_H

#include <stdint.h>

#include "core/coord/group.h"
#include "core/coord/shard.h"
#include "core/coord/write.h"

struct commit_entry {
    struct span topic;
    int32_t partition;
    struct offset_value value; /* commit_ms is filled in */
    int error;                 /* in: ERR_NONE, or why it is passed over; out: what came of it */
};

/* Stays where it is, with all that it points at, until `done` was called. */
struct commit {
    struct commit_entry *entries;
    uint32_t entries_count;
    /* Every entry has its error. Called once, maybe from inside commit_start(). */
    void (*done)(struct commit *commit);
    struct coord_write write;
    struct group *group;
};

/* Commits the entries in one record batch, so that they count together or not at all; offsets show
 * what they were until that is safe. Errors of entries: ERR_OFFSET_METADATA_TOO_LARGE (that one
 * alone), ERR_INVALID_COMMIT_OFFSET_SIZE (all together are more than a batch may be),
 * ERR_NOT_COORDINATOR, ERR_COORDINATOR_NOT_AVAILABLE. The group was checked by
 * group_check_commit(). */
void commit_start(struct shard *shard, struct group *group, struct commit *commit);

#endif
