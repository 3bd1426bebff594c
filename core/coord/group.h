/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One consumer group of the classic protocol: who its members are, which generation they form, and
 * what they committed. Source: KIP-62 (rebalance timeout), KIP-134 (initial delay), KIP-345 (static
 * members), KIP-394 (member-id round), KIP-814 (skipped assignment), and the behaviour of Kafka 4.
 *
 *            a member joins             everyone joined, or time is up
 *     EMPTY ◀────────────────▶ PREPARING ──────────────────────▶ COMPLETING
 *       │   the last one goes    ▲  ▲                               │  │
 *       │                        │  └───────────────────────────────┘  │
 *       │                        │    a member joins, leaves or dies   │ the leader's assignment
 *       │                        │                                     │ is stored
 *       ▼                        └─────────────── STABLE ◀─────────────┘
 *     DEAD                          likewise
 *
 * DEAD (deleted, expired, or the coordinator moved) is reached from every state.
 *
 * Nothing here reads the world: deadlines are timers of struct io, answers are calls of `done`, and
 * what must survive goes out through struct group_host.
 */
#ifndef CORE_COORD_GROUP_H
#define CORE_COORD_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/map.h"
#include "core/base/span.h"
#include "core/base/timer.h"
#include "core/coord/offsets.h"
#include "core/coord/write.h"
#include "core/io.h"

/* A newcomer of JoinGroup 0–3 learns its id only from the answer, so it cannot send heartbeats
 * while it waits; after this long it is taken for gone (Kafka's value). */
#define GROUP_NEW_MEMBER_TIMEOUT_MS (5 * 60 * 1000)

/* Limits of what one member may bring along; a JoinGroup beyond them is refused
 * (INVALID_REQUEST). */
#define GROUP_PROTOCOLS_MAX      64
#define GROUP_METADATA_BYTES_MAX (1024 * 1024) /* of all its protocols together */

/* Ids that were given out and not used yet, a group; one more is refused
 * (GROUP_MAX_SIZE_REACHED). */
#define GROUP_PENDING_MAX 10000

/* The part of a member id in front of its UUID is the client's name, up to so many bytes. */
#define GROUP_MEMBER_NAME_BYTES_MAX 255

enum group_state {
    GROUP_EMPTY,
    GROUP_PREPARING_REBALANCE,
    GROUP_COMPLETING_REBALANCE,
    GROUP_STABLE,
    GROUP_DEAD,
};

/* The broker's settings, under Kafka's names in the comments. */
struct group_settings {
    int32_t min_session_timeout_ms;     /* group.min.session.timeout.ms */
    int32_t max_session_timeout_ms;     /* group.max.session.timeout.ms */
    int32_t initial_rebalance_delay_ms; /* group.initial.rebalance.delay.ms */
    uint32_t max_size;                  /* group.max.size */
    uint32_t offset_metadata_bytes_max; /* offset.metadata.max.bytes */
    int64_t offsets_retention_ms;       /* offsets.retention.minutes */
    int64_t retention_check_ms;         /* offsets.retention.check.interval.ms */
};

struct group;
struct group_member;

/* What a group needs from whoever keeps it. */
struct group_host {
    struct io *io;
    const struct group_settings *settings;
    /* Writes the group's metadata as it is now; `write` is done when that is safe. Errors, and
     * then `write` is not called: ERR_NOT_COORDINATOR, ERR_UNKNOWN_SERVER_ERROR (too large for
     * one batch). */
    int (*store)(struct group_host *host, struct group *group, struct coord_write *write);
    /* The group became EMPTY, so that its offsets and itself may expire. */
    void (*emptied)(struct group_host *host, struct group *group);
};

/* An assignor that a member supports, and what it says to the one that will run it. */
struct group_protocol {
    struct span name;
    struct span metadata;
};

/* What a JoinGroup led to; borrowed for the call of `done`. */
struct group_joined {
    int error;
    int32_t generation;        /* -1 with an error */
    struct span protocol_type; /* null with an error */
    struct span protocol_name; /* null with an error */
    struct span leader;        /* a member id; empty with an error */
    struct span member_id;
    bool skip_assignment;
    const struct group *members; /* the leader is told all members: NULL for everyone else */
};

/* One JoinGroup; it stays where it is until `done` was called or group_join_cancel() took it
 * back. */
struct group_join {
    struct span member_id;   /* empty: a newcomer */
    struct span instance_id; /* null: a dynamic member */
    struct span client_id;
    struct span client_host;
    struct span protocol_type;
    const struct group_protocol *protocols; /* the preferred one first */
    uint32_t protocols_count;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms; /* < 0: the session timeout stands for it */
    bool needs_member_id;     /* JoinGroup ≥ 4: a newcomer gets an id first, and joins with it */
    bool may_skip_assignment; /* JoinGroup ≥ 9 */
    /* Called once, maybe before group_join() returns; does not call back into the group. */
    void (*done)(struct group_join *join, const struct group_joined *joined);
    struct group_member *member; /* the group's own: who waits; NULL: nobody */
};

struct group_assignment {
    struct span member_id;
    struct span assignment;
};

/* What a SyncGroup led to; borrowed for the call of `done`. */
struct group_synced {
    int error;
    struct span protocol_type; /* null with an error */
    struct span protocol_name; /* null with an error */
    struct span assignment;    /* empty for a member that the leader did not list */
};

/* One SyncGroup; it stays where it is until `done` was called or group_sync_cancel() took it
 * back. */
struct group_sync {
    int32_t generation;
    struct span member_id;
    struct span instance_id;
    struct span protocol_type;                  /* null: not said */
    struct span protocol_name;                  /* null: not said */
    const struct group_assignment *assignments; /* from the leader only */
    uint32_t assignments_count;
    void (*done)(struct group_sync *sync, const struct group_synced *synced); /* as group_join's */
    struct group_member *member;                                              /* the group's own */
};

struct group_member {
    struct map_node node; /* by id, in the order of joining */
    struct group *group;
    struct span id;
    struct span instance_id; /* null: a dynamic member */
    struct span client_id;
    struct span client_host;
    size_t text_bytes; /* of the four above, in one block */
    struct group_protocol *protocols;
    uint32_t protocols_count;
    size_t protocols_bytes; /* of the array with all its texts, in one block */
    struct span assignment;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct timer session;
    bool is_new;        /* it never got an answer to a JoinGroup */
    bool knows_id;      /* it can come back under its id */
    bool awaiting_join; /* it joined the coming generation, even if its connection went since */
    bool awaiting_sync; /* it asked for its assignment, likewise */
    bool pending_sync;  /* the generation waits for its SyncGroup */
    struct group_join *join; /* where the answer goes; NULL: nowhere */
    struct group_sync *sync;
};

/* A member id that was given out (MEMBER_ID_REQUIRED) and has to be used within the session
 * timeout. */
struct group_pending {
    struct map_node node;
    struct group *group;
    struct span id;
    struct timer expiry;
};

struct group {
    struct map_node node; /* the keeper's, by id */
    struct group_host *host;
    struct span id;
    enum group_state state;
    enum group_state previous_state;
    int64_t state_ms; /* wall time of the last move; -1: unknown (from an old record) */
    int32_t generation;
    struct span protocol_type; /* null: a simple group, which only stores offsets */
    struct span protocol_name; /* null: none selected */
    struct group_member *leader;
    struct map members;
    struct map pending;
    uint32_t awaiting_join_count;
    uint32_t pending_sync_count;
    struct timer rebalance;       /* ends PREPARING */
    struct timer sync_expiry;     /* removes those who do not sync */
    bool new_member_added;        /* during the initial delay, which it extends */
    int32_t initial_delay_ms;     /* of the current stretch of the initial delay */
    int32_t initial_remaining_ms; /* that it may still be extended by */
    int32_t storing_generation;   /* whose assignment is being stored; -1: none */
    bool in_log;                  /* it has a record, so it needs a tombstone */
    uint32_t references;          /* writes under way that lead back to the group */
    bool removed;                 /* freed with the last reference */
    struct offsets offsets;
    struct timer expiry; /* the keeper's: when an offset or the group may expire */
};

/* The name of a state, as DescribeGroups and ListGroups give it. */
struct span group_state_name(enum group_state state);

/* An EMPTY group of generation 0. `id` is copied. */
struct group *group_new(struct group_host *host, struct span id);

/* Moves to DEAD, answers everyone who waits with `error` and frees the group, at once or when
 * the last write that refers to it is done. */
void group_remove(struct group *group, int error);

/* One reference less; for writes that took one by group->references++. */
void group_release(struct group *group);

/* Joins, or joins again. The group's keeper has checked the group id, and the session timeout by
 * group_check_session(). Errors in the answer: ERR_INCONSISTENT_GROUP_PROTOCOL,
 * ERR_UNKNOWN_MEMBER_ID, ERR_FENCED_INSTANCE_ID, ERR_MEMBER_ID_REQUIRED,
 * ERR_GROUP_MAX_SIZE_REACHED, ERR_INVALID_REQUEST, ERR_REBALANCE_IN_PROGRESS (the same member
 * asked again), ERR_COORDINATOR_NOT_AVAILABLE. */
void group_join(struct group *group, struct group_join *join);

/* The connection of a parked JoinGroup went: nobody is answered. A newcomer that was never told
 * its id cannot come back and leaves the group. */
void group_join_cancel(struct group_join *join);

/* ERR_NONE, or ERR_INVALID_SESSION_TIMEOUT outside of the broker's bounds. */
int group_check_session(const struct group_settings *settings, int32_t session_timeout_ms);

/* Asks for the assignment; the leader brings all of them. Errors in the answer:
 * ERR_UNKNOWN_MEMBER_ID, ERR_FENCED_INSTANCE_ID, ERR_ILLEGAL_GENERATION,
 * ERR_INCONSISTENT_GROUP_PROTOCOL, ERR_REBALANCE_IN_PROGRESS, ERR_COORDINATOR_NOT_AVAILABLE,
 * ERR_UNKNOWN_SERVER_ERROR. */
void group_sync(struct group *group, struct group_sync *sync);
void group_sync_cancel(struct group_sync *sync);

/* ERR_NONE, ERR_REBALANCE_IN_PROGRESS (join again), ERR_UNKNOWN_MEMBER_ID, ERR_FENCED_INSTANCE_ID,
 * ERR_ILLEGAL_GENERATION. */
int group_heartbeat(struct group *group, struct span member_id, struct span instance_id,
                    int32_t generation);

/* Takes one member out: by its id, by its instance id alone (member_id empty), or an id that was
 * only given out. ERR_NONE, ERR_UNKNOWN_MEMBER_ID, ERR_FENCED_INSTANCE_ID. After the last one of
 * a request the caller calls group_left(). */
int group_leave(struct group *group, struct span member_id, struct span instance_id);

/* Rebalances those who are left. */
void group_left(struct group *group);

/* May this member commit offsets now? `generation` < 0: someone outside of the membership. A
 * member's commit counts as a heartbeat. ERR_NONE, ERR_UNKNOWN_MEMBER_ID,
 * ERR_FENCED_INSTANCE_ID, ERR_ILLEGAL_GENERATION, ERR_REBALANCE_IN_PROGRESS. */
int group_check_commit(struct group *group, struct span member_id, struct span instance_id,
                       int32_t generation);

/* May the group be deleted? ERR_NONE or ERR_NON_EMPTY_GROUP. */
int group_check_delete(const struct group *group);

/* Rebuilding a group from its record: the group first (which forgets what it was), then its
 * members, then group_restored(),
 * which makes it STABLE (EMPTY without members). The texts are copied; `leader` is a member id
 * or null. */
void group_restore(struct group *group, int32_t generation, struct span protocol_type,
                   struct span protocol_name, int64_t state_ms);
void group_restore_member(struct group *group, const struct group_join *join,
                          struct span assignment);
void group_restored(struct group *group, struct span leader);

/* After loading: sessions run from now on, and a group above group.max.size rebalances. */
void group_resume(struct group *group);

/* The member after `member`, or the first for NULL; NULL after the last. */
const struct group_member *group_next_member(const struct group *group,
                                             const struct group_member *member);

/* What `member` says to the assignor that the group selected; empty when it does not know it. */
struct span group_member_metadata(const struct group_member *member);

/* True for a group that only stores offsets: it never had a member. */
bool group_is_simple(const struct group *group);

#endif
