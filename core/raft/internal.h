/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/raft share. Each event changes state, asks for raft_pump() at the end of
 * the turn, and there everything leaves that the state then owes: so what has to be durable first
 * is a condition of the pump, and many events of one turn are answered once.
 */
#ifndef CORE_RAFT_INTERNAL_H
#define CORE_RAFT_INTERNAL_H

#include "core/raft/control.h"
#include "core/raft/raft.h"

/* How a leader goes on with one follower.
 *
 *     PROBE ── the logs are equal up to `next` ──▶ STREAM ── refused, link came up ──▶ PROBE
 *       ▲ │                                           │
 *       │ └──── `next` is before the log's start ◀────┘
 *       │                     ▼
 *       └─── installed ─── SNAPSHOT
 */
enum peer_state {
    PEER_PROBE,    /* one question at a time: are our logs equal up to `next`? */
    PEER_STREAM,   /* entries leave without waiting for answers, as far as the window goes */
    PEER_SNAPSHOT, /* pieces, one at a time */
};

/* A message with entries that was not answered yet. */
struct in_flight {
    int64_t end_offset;
    uint32_t bytes;
};

/* A follower, as its leader knows it. */
struct raft_peer {
    struct list place;
    struct raft *raft;
    struct raft_id id;
    enum peer_state state;
    bool is_voter;
    bool is_asked; /* PROBE, SNAPSHOT: the answer is due */
    bool is_full;  /* its link is */
    bool is_reading;
    bool read_failed; /* not again before the next beat */
    int64_t next;     /* the first offset that was not sent */
    int64_t match;    /* what is durable there and equal ends here */
    int64_t committed_sent;
    int64_t asked_sequence; /* refusals of earlier messages, answers to earlier pieces: stale */
    int64_t heard_sequence; /* the latest message of ours that it answered */
    uint64_t heard_us;
    uint64_t up_us;        /* when its link came up in this term; 0: it was */
    uint64_t caught_up_us; /* when it had all that the log had; 0: never in this term */
    uint64_t sent_us;      /* anything */
    uint64_t asked_us;     /* what is_asked tells of */
    struct raft_read read;
    struct in_flight in_flight[RAFT_IN_FLIGHT_MAX]; /* a ring */
    uint32_t in_flight_first;
    uint32_t in_flight_count;
    uint32_t in_flight_bytes;
    struct raft_end snapshot; /* SNAPSHOT: which one, what was sent of it, and its size */
    uint64_t snapshot_position;
};

/* How far a node is in forming the cluster; the numbers are those on the wire. */
enum form_state { FORM_UNKNOWN = -1, FORM_EMPTY = 0, FORM_FIRST = 1, FORM_DONE = 2 };

/* What another seed said of itself while the cluster is formed. */
struct form_peer {
    struct raft_id id;
    int8_t state; /* FORM_UNKNOWN before it said anything */
    uint32_t checksum;
};

struct raft {
    struct io *io;
    struct raft_host *host;
    struct raft_settings settings;
    struct raft_seed *seeds; /* a copy, with the texts behind it */
    size_t seeds_bytes;
    struct turn_task task;
    struct timer timer; /* of elections; of the leader's beat */

    enum raft_role role;
    bool is_stopped;   /* for good */
    bool is_resigning; /* the node ends: it neither leads nor stands */
    int32_t term;
    struct raft_id voted;
    struct raft_vote_state durable;
    struct raft_vote_state persisting; /* what the host is making durable */
    bool is_persisting;

    int32_t leader;
    uint64_t heard_us; /* when the leader was heard */
    bool is_heard;     /* since the term or the leader changed, and it is not proven dead */

    struct list voters; /* sets by offset, the newest last */
    int64_t committed;
    int64_t applied;
    int64_t committed_told;
    bool role_dirty;
    bool voters_dirty;

    /* The log is not to be asked: it is read again, cut, or replaced. */
    bool is_log_lost;
    int64_t lost_end; /* of what was left of the log when it was lost last; -1: it never was */
    bool is_truncating;
    bool is_installing;
    int64_t truncate_offset;

    /* A vote that is due to raft->voted once it is durable. */
    bool grant_due;

    /* PROSPECTIVE, CANDIDATE: the answers so far, in the order of the newest voters. */
    bool vote_transfer;
    bool votes_asked;
    int8_t votes[RAFT_VOTERS_MAX]; /* 1: granted, −1: refused, 0: no answer */

    /* FOLLOWER, OBSERVER */
    int64_t verified;       /* the log equals the leader's up to here */
    int64_t sequence_heard; /* the latest of the leader's */
    bool ack_due;
    bool refusal_due;
    int64_t refusal_sequence;
    int32_t refusal_epoch;    /* the leader's previous_epoch */
    struct raft_end snapshot; /* that is being received */
    uint64_t snapshot_position;
    uint64_t snapshot_size;
    bool is_receiving; /* a snapshot */
    bool is_snapshot_writing;
    bool snapped_due;
    bool is_snapped; /* the log has what `snapped` has */
    struct raft_end snapped;
    uint32_t snapshot_piece; /* bytes that are being written */

    /* LEADER */
    struct list peers; /* in the order in which they came */
    uint32_t observers_count;
    int64_t sequence;
    int64_t term_start;   /* offset of the term's first entry */
    int64_t term_ready;   /* the end of it: a leader is established when that is applied */
    bool was_established; /* as it was told */
    int32_t transfer;     /* to whom; RAFT_NOBODY */
    uint64_t transfer_until_us;
    bool transfer_asked;
    bool round_due; /* a barrier waits for a message to everybody */
    uint32_t barriers_count;
    struct list barriers;
    struct list barriers_over; /* ended, to be told so */
    bool beat_is_set;

    /* FORMING */
    struct form_peer *form_peers; /* one for each seed, in their order */
    struct buffer *form_first;    /* the log's first batch, when it has one */
    bool is_formed;
    int8_t form_told; /* what the others were told of this node */
};

/* ---- raft.c ---- */

/* Something may be owed: looks at it at the end of the turn. */
void raft_wake(struct raft *raft);

/* Makes `term` ours, with no vote and no leader, if it is higher. */
void raft_adopt_term(struct raft *raft, int32_t term);

/* A follower, or observer, of whoever leads; out of any other role. */
void raft_become_follower(struct raft *raft);

/* Sets the timer of a role other than the leader's: between one and two times `ms` from now. */
void raft_timer_set(struct raft *raft, uint32_t ms);

/* Sets the timer of who hears a leader, or has just voted: somewhat more than fetch_timeout_ms from
 * now. A tenth of it keeps followers apart, since a failover waits for it: the pre-vote makes it
 * harmless that two stand together. A twentieth lets what the others heard a little later be as old
 * as what this one heard, so that they agree. */
void raft_patience_set(struct raft *raft);

/* A number below `below` > 0. */
uint64_t raft_draw(struct raft *raft, uint64_t below);

/* The vote and the term are durable as they are. */
bool raft_is_durable(const struct raft *raft);

/* The log may be asked. */
bool raft_is_log_ready(const struct raft *raft);

/* A leader was heard not longer than the fetch timeout ago, or is this node. */
bool raft_hears_leader(const struct raft *raft);

/* This node is a voter, by the newest set. */
bool raft_is_voter(const struct raft *raft);

/* It may stand for election: a voter, or one that is removed by a record that may not be committed.
 * Perhaps nobody else has that record, and then nobody else can be elected (thesis 4.2.2). */
bool raft_is_electable(const struct raft *raft);

int64_t raft_log_end(const struct raft *raft);
int32_t raft_last_epoch(const struct raft *raft);

/* Sends a message without records. */
void raft_send(struct raft *raft, int32_t node, const struct raft_message *message);

/* Sends a message to every seed and every voter but this node, once each. */
void raft_send_known(struct raft *raft, const struct raft_message *message);

/* Ends everything, since the disk cannot be relied on. */
void raft_fail(struct raft *raft, const char *what, int error);

/* ---- election.c ---- */
void election_start(struct raft *raft, bool transfer);
void election_timer(struct timer *timer);
void election_pump(struct raft *raft);
void election_on_vote(struct raft *raft, struct raft_id from, const struct raft_vote *vote);
void election_on_voted(struct raft *raft, struct raft_id from, const struct raft_voted *voted);
void election_on_stand(struct raft *raft, struct raft_id from, const struct raft_stand *order);
void election_on_follow(struct raft *raft, struct raft_id from, const struct raft_follow *follow);
void election_ask(struct raft *raft, int32_t node);

/* ---- follower.c ---- */
void follower_pump(struct raft *raft);
void follower_on_append(struct raft *raft, struct raft_id from, const struct raft_append *append,
                        struct buffer *buffer);
void follower_hear(struct raft *raft, struct raft_id from);
void follower_ask_to_follow(struct raft *raft);
/* A refusal tells the leader where to go on. */
void follower_refuse(struct raft *raft, int64_t sequence, int32_t epoch);

/* ---- leader.c ---- */
void leader_start(struct raft *raft);
void leader_stop(struct raft *raft);
void leader_pump(struct raft *raft);
void leader_advance(struct raft *raft);
void leader_voters_changed(struct raft *raft);
void leader_on_appended(struct raft *raft, struct raft_id from,
                        const struct raft_appended *appended);
void leader_on_follow(struct raft *raft, struct raft_id from);
void leader_peer_up(struct raft *raft, int32_t node);
struct raft_peer *leader_peer(struct raft *raft, struct raft_id id);
/* How many voters satisfy `is`, this node counted by `self`, are a majority of the newest set. */
bool leader_majority(const struct raft *raft, bool self,
                     bool (*is)(const struct raft_peer *, int64_t), int64_t bound);
/* Appends a control record under the term. */
int leader_append_control(struct raft *raft, enum control_type type,
                          const struct wire_schema *schema, const void *message);
/* Appends a set of voters, a copy, which counts at once. Errors: ERR_INCONSISTENT_VOTER_SET when it
 * passes a limit; those of the log. */
int leader_append_voters(struct raft *raft, const struct voters_record *record);

/* ---- peer.c ---- */
struct raft_peer *peer_new(struct raft *raft, struct raft_id id, bool is_voter);
void peer_free(struct raft_peer *peer);
/* Asks again from `next` on, or sends a snapshot when the log does not reach so far back. */
void peer_probe(struct raft_peer *peer, int64_t next);
/* One append from peer->next on; without records a heartbeat, a probe, or the news of what is
 * committed. False when the link is full. */
bool peer_append(struct raft_peer *peer, struct buffer *buffer, struct span records);
/* Sends what may be sent now. */
void peer_pump(struct raft_peer *peer);
void peer_refused(struct raft_peer *peer, const struct raft_appended *appended);
void peer_accepted(struct raft_peer *peer, const struct raft_appended *appended);

/* ---- snapshot.c ---- */
void snapshot_peer_start(struct raft_peer *peer);
void snapshot_peer_send(struct raft_peer *peer);
void snapshot_peer_read(struct raft_peer *peer, int error, struct buffer *buffer, struct span bytes,
                        uint64_t size);
void snapshot_on_snapped(struct raft *raft, struct raft_id from,
                         const struct raft_snapped *snapped);
void snapshot_on_snapshot(struct raft *raft, struct raft_id from,
                          const struct raft_snapshot *snapshot, struct buffer *buffer);
void snapshot_pump(struct raft *raft);

/* ---- voters_history.c ---- */
const struct raft_voters *voters_newest(const struct raft *raft);
/* The set before an uncommitted newest one; else the newest. */
const struct raft_voters *voters_before(const struct raft *raft);
/* Takes over, and frees at the end. */
void voters_push(struct raft *raft, struct raft_voters *voters);
/* The set that a batch brings; NULL when it brings none. */
int voters_read(struct raft *raft, struct span batch, struct raft_voters **ret_voters);
/* Instead of all that are known, but for those behind it that are committed: a log that lost them
 * gets them again. */
void voters_replace(struct raft *raft, struct raft_voters *voters);
/* What was appended from `offset` on is gone. */
void voters_cut(struct raft *raft, int64_t offset);
void voters_clear(struct raft *raft);
/* Forgets the sets that no snapshot will ask for. */
void voters_trim(struct raft *raft);

/* ---- transfer.c ---- */
void transfer_pump(struct raft *raft);
/* The leader is none any more, and has another voter stand at once, if that hears it. */
void leader_step_down(struct raft *raft);

/* ---- barrier.c ---- */
void barrier_pump(struct raft *raft);
void barrier_fail_all(struct raft *raft);
void barrier_tell(struct raft *raft);

/* ---- formation.c ---- */
/* A batch that the log has, seen at boot. */
void formation_boot_batch(struct raft *raft, struct span batch);
/* The role that the node begins in. */
void formation_start(struct raft *raft);
void formation_log_ready(struct raft *raft);
void formation_timer(struct timer *timer);
void formation_pump(struct raft *raft);
void formation_on_form(struct raft *raft, struct raft_id from, const struct raft_form *form);
void formation_on_first(struct raft *raft, struct raft_id from, const struct raft_form_first *first,
                        struct buffer *buffer);
void formation_ask(struct raft *raft, int32_t node);
/* Somebody was elected once: whoever has the first record may go on. */
void formation_over(struct raft *raft);
void formation_free(struct raft *raft);

#endif
