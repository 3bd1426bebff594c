/* SPDX-License-Identifier: Apache-2.0 */
/* The WAL of a node without its quorum, in a world: a test says what is committed. */
#ifndef TESTS_CORE_META_LONE_WAL_H
#define TESTS_CORE_META_LONE_WAL_H

#include "core/meta/wal.h"
#include "tests/support/world.h"

struct lone_wal {
    struct world *world;
    struct io *io;
    struct folder *folder;
    struct folder_observer folder_observer;
    struct wal_observer observer;
    struct image image;
    struct wal *wal;
    struct log_waiter waiter;
    int error;
    bool is_alone;    /* it may not begin anew */
    uint32_t batches; /* that a boot has shown */
    uint32_t cuts;    /* that it was told of */
};

void lone_wal_begin(struct lone_wal *lone, uint64_t seed);
void lone_wal_end(struct lone_wal *lone);

/* How the boot of a new process ends. */
int lone_wal_boot(struct lone_wal *lone);

/* One batch of this broker's registration under this epoch. The world does not run. */
void lone_wal_append(struct lone_wal *lone, int32_t broker, int32_t epoch);

/* A whole snapshot of nothing that ends there. */
struct span lone_wal_snapshot(struct lone_wal *lone, struct snapshot_id id);

#endif
