/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This node's part in the quorum: Raft (core/raft/raft.h) over the metadata WAL and the file of its
 * votes. A node without others is a quorum of one, and no different.
 */
#ifndef CORE_META_QUORUM_H
#define CORE_META_QUORUM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io.h"
#include "core/log/folder.h"
#include "core/log/log.h"
#include "core/meta/image.h"
#include "core/meta/writer.h"
#include "core/raft/raft.h"
#include "core/records/codec.h"

struct peers;
struct quorum;

struct quorum_observer {
    /* Something may be different now: who leads, whether proposals are taken, what became of one,
     * the image. Told inside a step. */
    void (*changed)(struct quorum_observer *observer);
};

/* What became of a batch that was proposed. */
enum quorum_fate {
    QUORUM_UNDECIDED,
    QUORUM_COMMITTED, /* and applied */
    QUORUM_LOST,      /* it will never be */
    QUORUM_UNKNOWN,   /* this node will never know */
};

struct quorum_options {
    struct folder *folder; /* where the WAL lies */
    const struct codecs *codecs;
    uint64_t snapshot_bytes; /* as in wal_new() */
    struct image *image;     /* empty; outlives the quorum, which alone changes it */
    struct raft_id self;
    const struct raft_seed *seeds; /* at least one; borrowed for the call */
    uint32_t seeds_count;
    uint32_t election_timeout_ms; /* controller.quorum.election.timeout.ms */
    uint32_t fetch_timeout_ms;    /* controller.quorum.fetch.timeout.ms */
    uint32_t heartbeat_ms;        /* of a leader that has nothing else to say */
    struct peers *peers; /* the links to others; NULL: there are none. Outlives the quorum */
};

/* What was given is borrowed, the observer outlives it. */
struct quorum *quorum_new(struct io *io, const struct quorum_options *options,
                          struct quorum_observer *observer);

/* Reads the WAL and the votes, and takes part from then on. Wakes with ERR_NONE when the image is
 * up to date: this node leads, or follows a leader. Or with an error that was logged with file,
 * place and mend, and then the broker must not start. */
void quorum_boot(struct quorum *quorum, struct log_waiter *waiter);

/* True when somebody leads and this node's image holds all that it knows to be proposed: the next
 * proposal can be judged by it. */
bool quorum_takes_proposals(const struct quorum *quorum);

/* True on the node that leads: the active controller. */
bool quorum_leads(const struct quorum *quorum);

/* True for a quorum of one. */
bool quorum_is_alone(const struct quorum *quorum);

/* See raft_barrier(): tells whether this node was the controller after it was asked. */
int quorum_barrier(struct quorum *quorum, struct raft_barrier *barrier);

/* The end of this node's log, what is not committed yet included; 0 before quorum_boot(). */
int64_t quorum_log_end(const struct quorum *quorum);

struct raft_status quorum_status(const struct quorum *quorum);

/* The nodes as the leader knows them, and who votes: raft_replica(), raft_voters(). */
bool quorum_replica(const struct quorum *quorum, uint32_t number, struct raft_replica *ret_replica);
const struct raft_voters *quorum_voters(const struct quorum *quorum);

/* Of the leader: the epoch of the last entry that is committed; -1: there is none, or this node
 * does not lead. */
int32_t quorum_committed_epoch(const struct quorum *quorum);

/* Changes the voters by one: raft_add_voter(), raft_remove_voter(). */
int quorum_add_voter(struct quorum *quorum, const struct voters_record_voter *voter,
                     int64_t *ret_end);
int quorum_remove_voter(struct quorum *quorum, struct raft_id id, int64_t *ret_end);

/* Where a node listens for others that shall become a voter; a no-op for one that is. */
void quorum_know(struct quorum *quorum, int32_t node, struct span host, uint16_t port);

/* How often appends were lost (a full disk) since proposals were taken last; 0: never. Whether they
 * would be again nobody knows before it is tried, and quorum_retry() does that now, if it can. */
uint32_t quorum_losses(const struct quorum *quorum);
void quorum_retry(struct quorum *quorum);

/* True when the WAL or the votes failed for good. */
bool quorum_has_failed(const struct quorum *quorum);

/* Proposes the records of `writer`, which began at the image's end, as one batch; proposals are
 * taken before. Where another node leads they are sent to it, and count only if nothing else was
 * proposed meanwhile: then, or when they do not arrive, they are lost. The writer is the caller's
 * again at once. ERR_NONE or why nothing was proposed. */
int quorum_propose(struct quorum *quorum, struct meta_writer *writer);

/* Of what was proposed last, and not forgotten. */
enum quorum_fate quorum_fate(const struct quorum *quorum);

/* True when this node and those voters that it has links to are enough to decide something. */
bool quorum_reaches_majority(const struct quorum *quorum);

/* This node is about to end: the voter that has most shall lead in its place, if it leads. The
 * observer is told when that is so; it may never be. ERR_NOT_CONTROLLER: it does not lead.
 * ERR_VOTER_NOT_FOUND: nobody could. */
int quorum_hand_over(struct quorum *quorum);

/* What was proposed last is decided: nothing more is done for it. */
void quorum_forget(struct quorum *quorum);

/* What the links tell. quorum_receive() returns NULL, or what is wrong with a message. */
struct peer_message;
const char *quorum_receive(struct quorum *quorum, const struct peer_message *message);
void quorum_peer_up(struct quorum *quorum, int32_t node_id);
void quorum_peer_died(struct quorum *quorum, int32_t node_id);
void quorum_peer_drained(struct quorum *quorum, int32_t node_id);

/* Ends it in order, after what is under way; wakes `waiter` when everything is closed. */
void quorum_close(struct quorum *quorum, struct log_waiter *waiter);

/* Frees it without touching the disk. */
void quorum_free(struct quorum *quorum);

#endif
