/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the quorum share: core/meta/quorum.c, quorum_link.c, quorum_snapshot.c,
 * quorum_vote.c. */
#ifndef CORE_META_QUORUM_INTERNAL_H
#define CORE_META_QUORUM_INTERNAL_H

#include "core/meta/quorum.h"
#include "core/meta/quorum_read.h"
#include "core/meta/quorum_state.h"
#include "core/meta/snapshot_receive.h"
#include "core/meta/wal.h"

struct quorum {
    struct io *io;
    struct image *image;
    struct raft_id self;
    int32_t seeds[RAFT_VOTERS_MAX]; /* node ids: where they listen is configured */
    uint32_t seeds_count;
    struct quorum_observer *observer;
    struct wal *wal;
    struct wal_observer wal_observer;
    struct quorum_state state;
    struct raft *raft;
    struct raft_host host;
    struct log_waiter wal_waiter;
    struct log_waiter *boot_waiter;
    struct log_waiter *close_waiter;
    bool is_closing;     /* the files */
    struct peers *peers; /* NULL: there are no others */
    struct arena arena;  /* the voters of a snapshot; a message */
    bool has_started;    /* raft */
    uint32_t losses;     /* of appends since it was established last */
    bool has_failed;
    bool is_persisting;
    bool is_vote_late;       /* it could not be written yet */
    struct timer vote_timer; /* until that is tried again */
    struct wal_watch proposed;
    int32_t proposed_term;
    struct buffer *forwarded; /* a batch that the leader shall propose; NULL: none */
    struct timer forward_timer;
    struct quorum_reads reads;
    struct snapshot_receive receive;
};

static inline struct quorum *quorum_of_host(struct raft_host *host)
{
    return container_of(host, struct quorum, host);
}

/* The WAL or the votes can be trusted no more: this node leaves the quorum. */
void quorum_fail(struct quorum *quorum, int error);

/* Told by whoever ends something: closes when that was the last, if closing was asked for. */
void quorum_close_if_idle(struct quorum *quorum);

/* raft_host.persist; and what became of it. */
void quorum_persist(struct raft_host *host, const struct raft_vote_state *vote);
void quorum_persist_done(struct quorum *quorum, int error);

/* raft_host.send and .node_known. */
bool quorum_send(struct raft_host *host, int32_t node, const struct raft_message *message,
                 struct buffer *buffer);
void quorum_node_known(struct raft_host *host, int32_t node, struct span name, uint16_t port);

/* Dials the voters that no configuration names. */
void quorum_dial_voters(struct quorum *quorum);

/* Sends the batch that was proposed to the leader, again and again until quorum_forget(). */
void quorum_forward(struct quorum *quorum, struct buffer *batch);

/* raft_host.snapshot_write and .snapshot_install. */
void quorum_snapshot_init(struct quorum *quorum);
void quorum_snapshot_write(struct raft_host *host, struct raft_end end, uint64_t position,
                           struct span bytes, struct buffer *buffer);
void quorum_snapshot_install(struct raft_host *host, struct raft_end end);

#endif
