/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raft over the metadata log: who leads it, what of it is committed, who votes. A pure state
 * machine: files, links and snapshots are the host's, behind the functions of struct raft_host. The
 * leader pushes; an entry is a record batch, which is never split, and its identity is (offset,
 * epoch), the epoch being the term under which a leader appended it (Ongaro's thesis; KIP-595,
 * KIP-853, KIP-996).
 *
 *                raft_start()
 *                     │
 *       seeded, empty │ log
 *   FORMING ◀─────────┼────▶ OBSERVER (not a voter: asks to be led)
 *      │ all hold the │          ▲ │ the log's newest voters: itself too
 *      │ first record ▼          │ ▼
 *      └─────────▶ FOLLOWER ◀────┴──── a leader was heard, a higher term
 *                     │ ▲
 *     no leader heard │ │ refused
 *                     ▼ │         a majority               its own vote is durable,
 *                 PROSPECTIVE ─── would vote for it ──▶ CANDIDATE ─── a majority ──▶ LEADER
 *                 (pre-vote)                            (term + 1)    has voted      │
 *                     ▲                                     │                        │
 *                     └────── nobody was elected ───────────┘      back to FOLLOWER ◀┘
 *                                                        a majority not heard, resigned, removed
 *
 * What the host must do
 * - It gives each raft_*() function below the event that it names, inside a step. What raft asks
 *   of the host is asked from inside them or at the end of the turn, and completes by another of
 *   them later, never from inside (but a read may). `committed`, `role_changed`, `voters_changed`
 *   and what barriers call come at the end of the turn only and may call anything here but
 *   raft_free().
 * - Boot: raft_new(); the vote that was stored last, if there is one (raft_boot_vote()), which has
 *   to be persisted again, since nobody knows whether it is durable; the voters record of the
 *   newest snapshot (raft_boot_voters()); then every batch behind that snapshot in order, the
 *   uncommitted ones included (raft_boot_batch(), which looks into control batches only); then
 *   raft_start() with the end of what the snapshot and the image hold. The image follows
 *   `committed`: at a start nobody knows how much of the log is committed.
 * - Nothing in the log moves but by `append`, `truncate`, `snapshot_install`; trimming its start
 *   to a snapshot's offset is the host's.
 * - Snapshots are taken of what is applied, never beyond the log's durable end, and contain the
 *   voters record of raft_voters_at(offset). The newest is kept until a newer one is durable.
 * - What a committed offset covers may be not yet durable on this very node; a majority has it. So
 *   after raft_log_lost() the image may be ahead of the log for a while.
 * - A batch that was proposed is decided when `committed` passes it. When the role is lost before,
 *   it may still be committed, under the next leader, or vanish.
 */
#ifndef CORE_RAFT_RAFT_H
#define CORE_RAFT_RAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/io.h"
#include "core/raft/message.h"
#include "core/raft/voters.h"

/* Limits: what a peer may send, and what a leader keeps. */
#define RAFT_BATCH_BYTES_MAX    (5u * 1024 * 1024) /* of one entry */
#define RAFT_APPEND_BYTES_MAX   (6u * 1024 * 1024) /* of the entries of one message */
#define RAFT_OBSERVERS_MAX      1000
#define RAFT_BARRIERS_MAX       10000
#define RAFT_SNAPSHOT_BYTES_MAX INT32_MAX
#define RAFT_IN_FLIGHT_MAX      64 /* messages with entries to one follower */

enum raft_role {
    RAFT_STOPPED, /* not started, or over: asks nothing, answers nothing */
    RAFT_FORMING,
    RAFT_OBSERVER,
    RAFT_FOLLOWER,
    RAFT_PROSPECTIVE,
    RAFT_CANDIDATE,
    RAFT_LEADER,
};

#define RAFT_NOBODY (-1)

/* Where a log or a snapshot ends: the first offset that is not in it, and the epoch of the last
 * entry in it, −1 when there is none. */
struct raft_end {
    int64_t offset;
    int32_t epoch;
};

/* What has to be durable before this node answers: quorum-state. */
struct raft_vote_state {
    int32_t term;
    struct raft_id voted; /* node RAFT_NOBODY: for nobody in this term */
};

/* Bytes that the host reads for the leader; a member of the leader's notes about a follower. */
struct raft_read {
    /* In */
    bool of_snapshot;
    int64_t offset;           /* of the log: whole batches from here on, at most max_bytes of them,
                                 but one at least; ends at log_end */
    struct raft_end snapshot; /* of_snapshot: that one's bytes from `position` on */
    uint64_t position;
    uint32_t max_bytes;
    /* The host's */
    void *host_use;
};

struct raft;

/* What raft asks of its surroundings; embedded by them (container_of leads back). */
struct raft_host {
    /* A message to a node, by whatever link there is; lost when there is none. Spans of the message
     * are borrowed for the call, but records and bytes, which lie in `buffer` (NULL: none): the
     * host takes a reference of its own. False: the link is full; entries wait for
     * raft_peer_drained(). */
    bool (*send)(struct raft_host *host, int32_t node, const struct raft_message *message,
                 struct buffer *buffer);

    /* Makes the vote durable, then calls raft_persisted(); one at a time. */
    void (*persist)(struct raft_host *host, const struct raft_vote_state *state);

    /* The log: log_start(), log_end(), log_durable_end(). */
    int64_t (*log_start)(struct raft_host *host);
    int64_t (*log_end)(struct raft_host *host);
    int64_t (*log_durable_end)(struct raft_host *host);
    /* The epoch of the entry that ends at or holds offset − 1, for log_start ≤ offset ≤ log_end; at
     * log_start that of the snapshot that ends there; −1 at offset 0. */
    int32_t (*log_epoch_before)(struct raft_host *host, int64_t offset);
    /* The end of the largest epoch ≤ `epoch` in the log (KIP-279); epoch −1 at log_start when it
     * has none. */
    struct raft_end (*log_epoch_end)(struct raft_host *host, int32_t epoch);
    /* Appends one valid batch that lies in `buffer`, which the host holds as long as it needs, and
     * carries the base offset log_end and its epoch already. The log's end moves at once;
     * raft_log_changed() when its durable end does. Errors: nothing was appended. */
    int (*log_append)(struct raft_host *host, struct buffer *buffer, uint8_t *batch,
                      uint32_t length);
    /* Everything from the batch boundary `offset` on goes; raft_log_truncated() when that is
     * durable. Until then raft asks nothing else of the log. */
    void (*log_truncate)(struct raft_host *host, int64_t offset);

    /* Reads for a follower that lags; raft_read_done() then or at once. At most one a follower. */
    void (*read)(struct raft_host *host, struct raft_read *read);
    /* Nobody waits for `read` any more. */
    void (*read_cancel)(struct raft_host *host, struct raft_read *read);

    /* The newest durable snapshot; false when there is none. */
    bool (*snapshot_newest)(struct raft_host *host, struct raft_end *ret_end);
    /* Bytes of a snapshot that the leader sends, in `buffer`, in order from position 0 (what was
     * begun before is dropped then); raft_snapshot_written() when the next may come. */
    void (*snapshot_write)(struct raft_host *host, struct raft_end end, uint64_t position,
                           struct span bytes, struct buffer *buffer);
    /* All bytes are there. When it is whole: makes it durable, then begins the log anew at
     * end.offset with end.epoch before it, then makes the image of it, unless that is further;
     * after a crash in between the boot does the rest, for a durable snapshot beyond the log's end
     * counts. Then raft_snapshot_installed(); until then raft asks nothing of the log. */
    void (*snapshot_install)(struct raft_host *host, struct raft_end end);

    /* Entries before `offset` are committed: apply them, then raft_applied(). Never goes back. */
    void (*committed)(struct raft_host *host, int64_t offset);
    /* Role, term or leader changed, or a leader was established: see raft_status(). */
    void (*role_changed)(struct raft_host *host);
    /* raft_voters() are others now, or again: whom to dial. */
    void (*voters_changed)(struct raft_host *host);
    /* This is where the leader listens, whom this node did not know: messages to it follow. The
     * text is borrowed. */
    void (*node_known)(struct raft_host *host, int32_t node, struct span name, uint16_t port);
};

/* A node that controller.quorum.voters names. */
struct raft_seed {
    int32_t node;
    struct span listener; /* name, for the voters record */
    struct span host;
    uint16_t port;
};

struct raft_settings {
    struct raft_id self;
    const struct raft_seed *seeds; /* copied; all that the operator named, with this node or not */
    uint32_t seeds_count;          /* ≤ RAFT_VOTERS_MAX */
    uint32_t election_timeout_ms;  /* controller.quorum.election.timeout.ms: of one election */
    uint32_t election_backoff_max_ms; /* controller.quorum.election.backoff.max.ms */
    /* controller.quorum.fetch.timeout.ms: silence between leader and followers, either way; a
     * follower waits up to twice that, by chance. */
    uint32_t fetch_timeout_ms;
    uint32_t heartbeat_ms; /* of an idle leader: a part of the fetch timeout */
    uint32_t append_bytes; /* of entries in one message; a larger entry goes alone */
    uint32_t window_bytes; /* of entries on their way to one follower */
    uint32_t snapshot_chunk_bytes;
};

/* A raft that is RAFT_STOPPED; `host` outlives it. */
struct raft *raft_new(struct io *io, const struct raft_settings *settings, struct raft_host *host);

/* Frees it; reads under way are cancelled, nothing else is asked. */
void raft_free(struct raft *raft);

/* Boot, in this order. `value` is that of a voters record at `offset` (of a snapshot: its end − 1).
 * Errors: ERR_CORRUPT_MESSAGE for a control record that is none; the broker must not start. */
void raft_boot_vote(struct raft *raft, const struct raft_vote_state *state);
int raft_boot_voters(struct raft *raft, int64_t offset, struct span value);
int raft_boot_batch(struct raft *raft, struct span batch);
void raft_start(struct raft *raft, int64_t applied);

/* Ends it for good: the vote cannot be persisted, the log's folder is offline, the broker ends. A
 * leader should raft_resign() first. */
void raft_stop(struct raft *raft);

/* A message from a peer that the link has identified. `buffer` holds the records or bytes that the
 * message points at; records may be patched there. */
void raft_receive(struct raft *raft, struct raft_id from, const struct raft_message *message,
                  struct buffer *buffer);

/* What was asked of the host is done. An error of raft_persisted(), raft_log_truncated() or
 * raft_snapshot_installed() with ERR_KAFKA_STORAGE_ERROR stops raft; a snapshot that is not whole
 * is ERR_CORRUPT_MESSAGE and begun again. `value`: that of the snapshot's voters record,
 * SPAN_NULL when it has none. `error` of a read: retried later; of a snapshot that is gone, by a
 * newer one. */
void raft_persisted(struct raft *raft, int error);
void raft_log_truncated(struct raft *raft, int error);
void raft_read_done(struct raft *raft, struct raft_read *read, int error, struct buffer *buffer,
                    struct span bytes, uint64_t snapshot_size);
void raft_snapshot_written(struct raft *raft, int error);
void raft_snapshot_installed(struct raft *raft, int error, struct span value);

/* The log's durable end moved. */
void raft_log_changed(struct raft *raft);

/* Appends that were not durable may be lost: the log is being read again, and raft asks nothing of
 * it until raft_log_ready(). A leader steps down: no epoch and offset may name two things. */
void raft_log_lost(struct raft *raft);
void raft_log_ready(struct raft *raft);

/* The image holds everything before `offset`. */
void raft_applied(struct raft *raft, int64_t offset);

/* The links: one came up; one is proven dead (the peer's process has ended, not silence); one that
 * was full has room again. */
void raft_peer_up(struct raft *raft, int32_t node);
void raft_peer_dead(struct raft *raft, int32_t node);
void raft_peer_drained(struct raft *raft, int32_t node);

/* What raft knows of itself. */
struct raft_status {
    enum raft_role role;
    int32_t term;
    int32_t leader; /* RAFT_NOBODY */
    /* A leader whose term's first entry is committed and applied: only then may it judge proposals
     * by its image, and read. */
    bool is_established;
    int64_t committed;
    int64_t applied;
};

struct raft_status raft_status(const struct raft *raft);

/* A node as the leader knows it. */
struct raft_replica {
    struct raft_id id;
    bool is_voter;         /* else an observer */
    int64_t end_offset;    /* of its log, as far as it is durable and equal to the leader's; -1: not
                            * known in this term */
    uint64_t heard_us;     /* when it was heard last, on io's clock; 0: not in this term */
    uint64_t caught_up_us; /* when it last had all that the leader had; 0: not in this term */
};

/* The leader itself for `number` 0, then the others in the order in which they came. False past the
 * last, and where this node does not lead. */
bool raft_replica(const struct raft *raft, uint32_t number, struct raft_replica *ret_replica);

/* The voters that count: those of the newest record in the log, committed or not; NULL when nobody
 * is known. And those that a snapshot which ends at `offset` has to contain; `offset` ≥ the
 * applied. */
const struct raft_voters *raft_voters(const struct raft *raft);
const struct raft_voters *raft_voters_at(const struct raft *raft, int64_t offset);

/* Appends one batch of the caller's, which raft puts at its place in the log: `base_offset` has to
 * be the log's end, so that the caller's records may name their offsets. The buffer gets further
 * references. ERR_NOT_CONTROLLER unless this is an established leader that stays (no transfer under
 * way), ERR_OFFSET_OUT_OF_RANGE at another base offset, or the log's error. */
int raft_propose(struct raft *raft, struct buffer *buffer, uint8_t *batch, uint32_t length,
                 int64_t base_offset);

/* Waits until reading the image is linearizable: everything that was committed anywhere when it was
 * asked is applied, and this node was the leader afterwards (thesis 6.4). */
struct raft_barrier {
    struct list place;
    void (*done)(struct raft_barrier *barrier, int error); /* ERR_NOT_CONTROLLER: ask the leader */
    /* Raft's own */
    struct raft *raft;
    int64_t round;
    int64_t offset;
    int error;
};

/* `done` follows at the end of a turn, never from inside. ERR_NOT_CONTROLLER, ERR_LIMIT at once,
 * and nothing follows. It may be taken back whatever came of it. */
int raft_barrier(struct raft *raft, struct raft_barrier *barrier);
void raft_barrier_cancel(struct raft_barrier *barrier);

/* Changes the voters by one, in effect at once, done when raft_status().committed passes *ret_end.
 * ERR_NOT_CONTROLLER (also before the leader is established), ERR_REASSIGNMENT_IN_PROGRESS while
 * another change is uncommitted, ERR_DUPLICATE_VOTER (of that node id), ERR_VOTER_NOT_FOUND,
 * ERR_INCONSISTENT_VOTER_SET (the last voter, or too many), ERR_REQUEST_TIMED_OUT when the
 * newcomer, an observer, has not caught up. A leader that is removed resigns when that is
 * committed, and is not counted meanwhile (KAFKA-16531). */
int raft_add_voter(struct raft *raft, const struct voters_record_voter *voter, int64_t *ret_end);
int raft_remove_voter(struct raft *raft, struct raft_id id, int64_t *ret_end);

/* Hands leadership to the voter `node` as soon as it has everything, or to the one that is furthest
 * (RAFT_NOBODY); until then nothing is proposed. Given up after an election timeout. Errors:
 * ERR_NOT_CONTROLLER, ERR_VOTER_NOT_FOUND. */
int raft_transfer(struct raft *raft, int32_t node);

/* Stands for election now and not only when the time comes, unless there is a leader: for a node
 * whose log was read again, when somebody waits. By itself it does not: a full disk would lose the
 * first record of each term, and the log be read again and again. */
void raft_stand(struct raft *raft);

/* The node is about to end: a leader asks its best follower to stand at once, and neither leads nor
 * stands again. */
void raft_resign(struct raft *raft);

#endif
