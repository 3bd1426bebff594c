/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A quorum in one process: nodes with disks that take their time and forget what was not synced,
 * links that lose, delay, repeat and reorder, and judges that look at each step. The same seed does
 * the same.
 */
#ifndef TESTS_CORE_RAFT_WORLD_H
#define TESTS_CORE_RAFT_WORLD_H

#include "core/raft/control.h"
#include "core/raft/raft.h"
#include "tests/support/heap.h"

#define WORLD_NODES    6 /* slots; node ids are 1, 2, … */
#define WORLD_TERMS    4096
#define WORLD_SNAPSHOT 4096 /* bytes, at most */

/* One batch of a log. */
struct world_entry {
    int64_t base;
    int64_t end;
    int32_t epoch;
    uint32_t crc;
    bool is_voters;
    int32_t committed_in;  /* of the truth: the term of who told it first */
    struct buffer *buffer; /* holds the bytes */
    const uint8_t *bytes;
    uint32_t length;
};

struct world_entries {
    struct world_entry *items;
    uint32_t count;
    uint32_t capacity;
};

struct world_snapshot {
    bool exists;
    struct raft_end end;
    uint32_t applied_count; /* entries of the truth that it holds */
    uint8_t bytes[WORLD_SNAPSHOT];
    uint32_t length;
};

/* What outlives the process. */
struct world_disk {
    struct uuid directory;
    struct raft_vote_state vote;
    int64_t start;
    int32_t start_epoch;      /* of the entry before the start */
    struct world_entries log; /* as the process sees it */
    uint32_t durable_count;   /* of log: a crash keeps these */
    struct world_entries cut; /* removed by a cut that is not durable yet */
    uint32_t cut_durable;     /* of these, durable when they were cut */
    struct world_snapshot snapshot;
};

struct world_node {
    struct world *world;
    int32_t id;
    bool is_up;
    bool is_seeded; /* controller.quorum.voters names it */
    bool is_wiped;  /* its first disk is gone */
    uint32_t life;  /* counts starts: completions of an earlier one are nobody's */
    uint64_t paused_until_us;
    bool is_resigned; /* it was told to end */
    struct raft *raft;
    struct raft_host host;
    struct io io;
    struct effects effects;
    struct world_disk disk;
    bool is_persisting;
    struct raft_vote_state persisting;
    bool is_syncing;
    uint32_t sync_count;  /* entries that the sync under way covers */
    uint32_t sync_number; /* of it: a completion of another one is nobody's */
    uint64_t slow_us;     /* a sync takes up to so much */
    bool is_cutting;
    bool cut_loses; /* appends too, that are before the cut */
    bool is_installing;
    uint32_t installs_failing; /* so many of the next */
    bool is_piece_held;        /* the write of a snapshot's piece does not end */
    bool is_log_lost;
    bool is_full; /* of appends that fail nothing is kept */
    struct world_snapshot arriving;
    int64_t applied_end;
    uint32_t applied_count; /* entries of the truth */
    int64_t committed;      /* as raft told */
    struct raft_status status;
};

enum world_event_kind {
    EVENT_MESSAGE,
    EVENT_PERSISTED,
    EVENT_SYNCED,
    EVENT_CUT,
    EVENT_READ,
    EVENT_SNAPSHOT_WRITTEN,
    EVENT_SNAPSHOT_INSTALLED,
    EVENT_PEER_UP,
    EVENT_PEER_DEAD,
    EVENT_DRAINED,
    EVENT_APPLIED,
    EVENT_LOG_READY,
};

struct world_event {
    uint64_t at_us;
    uint64_t tie;
    enum world_event_kind kind;
    int32_t node; /* index */
    uint32_t life;
    int32_t peer; /* node id: sender, or whom it is about */
    struct raft_id from;
    struct raft_message message;
    bool is_encoded; /* the body is the bytes of the buffer */
    struct buffer *buffer;
    uint32_t number; /* of a sync */
    struct raft_read *read;
};

struct world_barrier {
    struct raft_barrier barrier;
    struct world_node *node;
    uint32_t truth_count;
    bool is_busy;
};

/* A vote that was given away, and an entry that was ever seen. */
struct world_vote {
    struct raft_id voter;
    int32_t term;
    struct raft_id candidate;
};

struct world_seen {
    int64_t base;
    int32_t epoch;
    uint32_t crc;
    int64_t end;
    int32_t previous_epoch;
    bool is_used;
};

struct world {
    struct heap heap;
    struct memory memory; /* of all nodes: buffers go from one to the other */
    struct rng rng;
    uint64_t now_us;
    uint64_t tie;
    uint32_t nodes_count;
    struct world_node nodes[WORLD_NODES];
    struct world_event *queue; /* a heap */
    uint32_t queue_count;
    uint32_t queue_capacity;

    /* The weather. */
    uint32_t loss;                      /* messages lost, of 1000 */
    uint32_t repeat;                    /* messages repeated, of 1000 */
    uint32_t late;                      /* messages very late, of 1000 */
    uint32_t full;                      /* links found full, of 1000 */
    bool cut[WORLD_NODES][WORLD_NODES]; /* from, to */
    uint32_t
        piece_us; /* links keep the order, and a piece of a snapshot takes so long; 0: not so */
    uint64_t link_free_us[WORLD_NODES][WORLD_NODES]; /* then: when the link has sent everything */
    bool proof;                                      /* links tell deaths */
    bool traces;                                     /* on stderr, what is received */
    bool checks_wire;                                /* messages go through the codec */

    /* What the judges know. */
    struct world_entries truth; /* committed: never changes */
    struct raft_id leaders[WORLD_TERMS];
    struct world_vote *votes;
    uint32_t votes_count;
    uint32_t votes_capacity;
    struct world_seen *seen; /* a hash table, linear probing */
    uint32_t seen_capacity;
    uint32_t seen_count;
    struct world_disk *ghosts; /* wiped disks */
    uint32_t ghosts_count;
    struct world_barrier barriers[16];
    uint32_t elections;
    uint32_t messages;
    uint32_t pieces; /* of snapshots that were sent */
    uint32_t reads_done;
    uint32_t snapshots_installed;
    uint32_t voter_changes;
    uint32_t cuts;
    uint64_t payload;

    const char *violation; /* the first; NULL */
    char detail[256];
};

/* A world of `seeded` nodes that controller.quorum.voters names and `others` that it does not; all
 * are down. */
void world_init(struct world *world, uint64_t seed, uint32_t seeded, uint32_t others);
void world_free(struct world *world);

uint32_t world_draw(struct world *world, uint32_t below);
bool world_chance(struct world *world, uint32_t of_1000);

/* ---- Nodes ---- */
void world_start(struct world_node *node);
/* The process ends; what was not durable is lost, or a part of it. */
void world_crash(struct world_node *node);
/* The disk is another one, empty. The node is down. */
void world_wipe(struct world_node *node);
/* The log and its snapshot are gone; the directory's id and its vote are not. The node is down. */
void world_empty_log(struct world_node *node);
void world_pause(struct world_node *node, uint64_t us);
/* The log's appends that are not durable fail: it is read again, or when its cut ends shorter. */
void world_lose_log(struct world_node *node);

/* ---- Time ---- */
/* The next event or timer, if it is due before `until_us`. */
bool world_step(struct world *world, uint64_t until_us);
void world_run(struct world *world, uint64_t us);
/* Until `is` holds, at most `us`. */
bool world_run_until(struct world *world, bool (*is)(struct world *world), uint64_t us);

/* ---- What one may do with a quorum ---- */
struct world_node *world_leader(struct world *world); /* established, of the highest term; NULL */
bool world_has_leader(struct world *world);
/* All nodes that are up have applied everything that is committed, and there is a leader. */
bool world_is_even(struct world *world);
int world_propose(struct world_node *node, uint32_t bytes);
void world_read(struct world_node *node);
void world_take_snapshot(struct world_node *node, bool trim);
int world_add_voter(struct world_node *leader, struct world_node *newcomer);
int world_remove_voter(struct world_node *leader, struct raft_id id);
struct raft_id world_id(const struct world_node *node);
void world_heal(struct world *world);

/* Says on stderr how the nodes are. */
void world_dump(struct world *world);

/* ---- Inside ---- */
void world_end_turn(struct world_node *node);
void world_push(struct world *world, struct world_event event, uint64_t delay_us);
void world_violated(struct world *world, const char *judge, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool world_send(struct world_node *node, int32_t to, const struct raft_message *message,
                struct buffer *buffer);
/* A message has come. */
void world_receive(struct world_node *node, struct world_event *event);
void disk_host(struct world_node *node);
/* Raft must not ask the log now, if it is being read, cut or replaced. */
void disk_check_ready(const struct world_node *node);
void disk_sync(struct world_node *node);
void disk_crash(struct world_node *node);
void disk_free(struct world_disk *disk);
void disk_boot(struct world_node *node);
void disk_event(struct world_node *node, struct world_event *event);
void disk_apply(struct world_node *node);
int64_t disk_end(const struct world_disk *disk);
int64_t disk_durable_end(const struct world_disk *disk);
int32_t disk_epoch_before(const struct world_disk *disk, int64_t offset);
/* The index of the entry that holds `offset`; the count when none does. */
uint32_t entries_find(const struct world_entries *entries, int64_t offset);
void entries_add(struct world_entries *entries, const struct world_entry *entry);
void entries_cut(struct world_entries *entries, uint32_t count);
void entries_free(struct world_entries *entries);

void snapshot_host(struct raft_host *host);
void snapshot_read(struct world_node *node, struct raft_read *read);
void snapshot_install(struct world_node *node);
void snapshot_installed(struct world_node *node);
struct span snapshot_voters(const struct world_snapshot *snapshot);

void judge_appended(struct world_node *node, const struct world_entry *entry);
void judge_cut(struct world_node *node, int64_t offset);
void judge_sent(struct world_node *node, const struct raft_message *message, int32_t to);
void judge_committed(struct world_node *node, int64_t offset);
void judge_applied(struct world_node *node, const struct world_entry *entry);
void judge_status(struct world_node *node);
void judge_voters(struct world_node *node);
void judge_read(struct world_barrier *barrier, int error);

#endif
