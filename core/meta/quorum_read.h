/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a leader sends to those who lag: batches of the metadata log, from memory while they are
 * fresh, and pieces of the newest snapshot.
 */
#ifndef CORE_META_QUORUM_READ_H
#define CORE_META_QUORUM_READ_H

#include "core/base/list.h"
#include "core/meta/wal.h"
#include "core/raft/raft.h"

struct quorum_reads {
    struct io *io;
    struct wal *wal;
    struct raft *raft; /* which is told, by raft_read_done() */
    uint32_t folder;   /* number of the data folder */
    struct list reads;
    void (*idle)(struct quorum_reads *reads); /* the last one has ended */
};

/* Serves raft_host.read: raft is told at once, or later. */
void quorum_read_start(struct quorum_reads *reads, struct raft_read *read);

/* Nobody waits for `read` any more; raft is not told. */
void quorum_read_cancel(struct raft_read *read);

/* Gives back all that is under way, for the end of the world. */
void quorum_reads_free(struct quorum_reads *reads);

#endif
