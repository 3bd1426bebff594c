/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/replica share. */
#ifndef CORE_REPLICA_INTERNAL_H
#define CORE_REPLICA_INTERNAL_H

#include "core/base/arena.h"
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/partition.h"
#include "core/peer/peers.h"
#include "core/replica/replicas.h"
#include "core/wire/messages.h"

/* Types of frames, behind the quorum's (core/meta/quorum_link.c). */
enum replica_type {
    REPLICA_TYPE_FIRST = PEER_MESSAGE_FIRST + 64,
    REPLICA_TYPE_FOLLOW = REPLICA_TYPE_FIRST,
    REPLICA_TYPE_PLACE,
    REPLICA_TYPE_APPEND,
    REPLICA_TYPE_MARK,
    REPLICA_TYPE_ACK,
    REPLICA_TYPE_LAST = REPLICA_TYPE_ACK,
};

/* replica_place.verdict */
#define PLACE_GO_ON 0
#define PLACE_CUT   1
#define PLACE_BEGIN 2
#define PLACE_ASK   3

/* Of batches in one message, and of those on their way to one follower, of one partition and of
 * all; a batch larger than that goes alone. */
#define APPEND_BYTES_MAX      ((uint32_t)1024 * 1024)
#define STREAM_IN_FLIGHT_MAX  ((uint64_t)4 * 1024 * 1024)
#define NODE_IN_FLIGHT_MAX    ((uint64_t)32 * 1024 * 1024)
#define IN_FLIGHT_MARKS       16
#define PARTITIONS_IN_MESSAGE 1000

/* Batches just appended, in memory until everyone who keeps up has been sent them. */
#define TAIL_BATCHES_MAX 256
#define TAIL_BYTES_MAX   ((uint32_t)1024 * 1024)

/* Of the buffers that those of all partitions hold, each of which may be far larger than the batch
 * in it; but never more than this part of what clients' requests may take up. */
#define TAILS_HELD_MAX  ((uint64_t)64 * 1024 * 1024)
#define TAILS_HELD_PART 4

/* A leader that knows of the epoch later than its follower does is asked again. */
#define ASK_AGAIN_US     ((uint64_t)50 * 1000)
#define ASK_AGAIN_MAX_US ((uint64_t)1000 * 1000)

/* After the log could not be read, or there was no memory for it. */
#define CATCH_UP_AGAIN_US ((uint64_t)100 * 1000)

/* After a proposal for the ISR was lost. */
#define ISR_AGAIN_US ((uint64_t)50 * 1000)

struct replica_stream;

struct tail_batch {
    struct buffer *buffer;
    uint8_t *data;
    uint32_t length;
    int64_t base_offset;
    int64_t end_offset;
};

/* A ring. */
struct replica_tail {
    struct tail_batch *batches;
    uint32_t capacity; /* a power of two */
    uint32_t first;
    uint32_t count;
    uint64_t bytes;
    uint64_t held_bytes; /* of their buffers */
};

/* What a stream reads from the log, because it is not in the tail any more: one at a time for each
 * node, so that those who lag do not hold up those who keep up. */
struct replica_catch_up {
    struct replica_stream *stream; /* NULL: nothing is read */
    struct log_scan scan;
    struct buffer *buffer;
    uint32_t length;
    int64_t end_offset; /* of what is in the buffer */
};

/* Another broker. */
struct replica_node {
    struct replicas *replicas;
    struct list place;
    int32_t id;
    bool is_up;        /* the link can be sent on */
    bool is_full;      /* … but has no room until it is drained */
    bool is_timed_out; /* nothing was heard of it for replica.socket.timeout.ms */
    struct timer silence_timer;
    /* That follow a leader there: */
    struct list followed; /* all, struct replica_follower.place */
    struct list to_ask;   /* .ask_place */
    struct list to_ack;   /* .ack_place */
    uint64_t ask_again_us;
    struct timer ask_timer;
    /* That are followed from there: */
    struct list streams;  /* all, struct replica_stream.place */
    struct list to_place; /* .answer_place: follow was asked, the answer is to be sent */
    struct list to_mark;  /* .mark_place */
    struct list lagging;  /* .catch_place: their next batch is not in the tail */
    struct replica_catch_up catch_up;
    struct timer retry_timer;
    uint64_t in_flight_bytes;
};

struct replicas {
    struct broker *broker;
    struct peers *peers;
    struct io *io;
    bool is_stopped;
    struct list nodes;
    struct list leads; /* all, struct replica_leader.place */
    struct list tails; /* .tail_place: those that have one, from the one added to longest ago */
    uint64_t tails_held_bytes;
    struct list to_pump;   /* .pump_place: there is something to send */
    struct turn_task task; /* sends all that was gathered */
    struct arena arena;    /* of one message */
    struct list behind;    /* struct replica_stream.behind_place: in sync, not caught up */
    struct timer behind_timer;
    struct list isr_wanted; /* struct replica_leader.isr_place */
    struct meta_proposal isr_proposal;
    bool is_isr_proposed;
    struct timer isr_timer;
    uint64_t throttled_until_us; /* nothing is read for those who catch up */
    struct timer throttle_timer;
    struct list offline; /* struct partition.offline_place */
    struct meta_proposal offline_proposal;
    bool is_offline_proposed;
    struct timer offline_timer;
};

struct in_flight {
    int64_t end_offset;
    uint64_t bytes;
};

/*
 *             a follow that fits          the log failed, the epoch ended
 *     SILENT ────────────────────▶ SENDING ──────────────────────────────▶ (freed with the lead)
 *        ▲                            │
 *        └──── it has to cut first ───┘
 */
struct replica_stream {
    struct replica_leader *lead;
    struct replica_node *node;
    struct list place;
    struct list answer_place;
    struct list mark_place;
    struct list catch_place;
    struct list behind_place;
    bool is_sending;
    int64_t began_at; /* is_sending: where its log ended when it began */
    int64_t next;     /* … and what it is sent next */
    /* What it asked last; has_asked until it was answered. */
    bool has_asked;
    int32_t asked_epoch;
    int64_t asked_broker_epoch;
    int64_t asked_end;
    int32_t asked_last_epoch;
    struct replica_place_partition answer;
    /* The batch that holds where it wanted to begin, or where the log does: it begins with that. */
    int64_t straddle_base;
    int64_t straddle_end; /* 0: there is none that is known */
    /* What it acknowledged; -1: nothing. */
    int64_t broker_epoch; /* of the process that does */
    int64_t written_end;
    int64_t durable_end;
    int64_t log_start;        /* INT64_MAX: it does not say */
    int64_t marked_watermark; /* what it was told */
    int64_t marked_start;
    /* It held all that the log held at caught_up_us; all that it held at noted_us once it has
     * noted_end. */
    uint64_t caught_up_us;
    uint64_t noted_us;
    int64_t noted_end;
    /* The image's end when the ISR was proposed with it; -1: it was not. It counts from then on. */
    int64_t proposed_at;
    struct in_flight in_flight[IN_FLIGHT_MARKS];
    uint32_t in_flight_first;
    uint32_t in_flight_count;
    uint64_t in_flight_bytes;
};

struct replica_leader {
    struct replicas *replicas;
    struct partition *partition;
    struct list place;
    struct list pump_place;
    struct list isr_place;
    int32_t epoch;
    int64_t start_offset; /* the log's end when this epoch began; -1: it is not loaded */
    bool has_failed;      /* it waits for a higher epoch */
    struct log_waiter waiter;
    struct replica_tail tail;
    struct list tail_place;
    uint32_t streams_count;
    struct replica_stream streams[];
};

/*
 *     LOADING ──(the log is READY)──▶ ASKING ──(place: go on)──▶ FOLLOWING
 *        ▲                              │ │                          │
 *        └──(place: cut, begin anew)────┘ └◀────(a gap)──────────────┤
 *        ▲                                                           │
 *        └────────────────(an append was lost)───────────────────────┘
 */
enum follow_state { FOLLOW_LOADING, FOLLOW_ASKING, FOLLOW_FOLLOWING };

struct replica_follower {
    struct replicas *replicas;
    struct partition *partition;
    struct replica_node *node;
    struct list place;
    struct list ask_place;
    struct list ack_place;
    enum follow_state state;
    int32_t epoch;
    int64_t asked_end;
    int64_t leader_watermark;
    int64_t leader_start;
    int64_t start_asked;  /* that the log was asked to begin at last */
    int64_t told_written; /* what the leader was told; -1: nothing */
    int64_t told_durable;
    int64_t told_start;
    bool has_lost;            /* an append, and has not been loaded since */
    int64_t lost_end;         /* of what was left of the log at the last loss; -1: there was none */
    struct log_waiter waiter; /* for the log to be loaded */
    struct log_waiter start_waiter;
};

/* ---- replicas.c ---- */

struct replica_node *node_find(const struct replicas *replicas, int32_t id); /* NULL: none */
struct replica_node *replicas_node(struct replicas *replicas, int32_t id);   /* made when needed */
int64_t replicas_broker_epoch(const struct replicas *replicas, int32_t id); /* -1: not registered */

/* Whoever has no answer of the node asks again after a while. */
void node_ask_later(struct replica_node *node);

/* Something is to be sent at the end of this turn. */
void replicas_wake(struct replicas *replicas);

/* Every stream to the node has something to send, as far as it knows. */
void replicas_wake_streams(struct replica_node *node);

/* The hosted partition that a message names; NULL. */
struct partition *replicas_find(struct replicas *replicas, struct uuid topic_id, int32_t index);

/* The partition as the image has it; NULL when its topic went. */
const struct meta_partition *replica_meta(const struct partition *partition);

/* ---- lead.c ---- */

void lead_begin(struct replicas *replicas, struct partition *partition,
                const struct meta_partition *meta);
void lead_end(struct replica_leader *lead);
void lead_changed(struct replica_leader *lead); /* who is in sync, or live */
void lead_watermark(struct replica_leader *lead);
uint32_t lead_isr_least(const struct replica_leader *lead, const struct meta_partition *meta);
void lead_wake(struct replica_leader *lead); /* its streams have something to send */
void lead_pump(struct replica_leader *lead); /* … and do it now */
struct replica_stream *lead_stream(struct replica_leader *lead, int32_t node_id);
const char *lead_asked(struct replicas *replicas, const struct peer_message *message);
const char *lead_acknowledged(struct replicas *replicas, const struct peer_message *message);

/* ---- stream.c ---- */

void replica_stream_init(struct replica_stream *stream, struct replica_leader *lead,
                         struct replica_node *node);
void replica_stream_free(struct replica_stream *stream);
void replica_stream_start(struct replica_stream *stream, int64_t offset);
void replica_stream_stop(struct replica_stream *stream);
void replica_stream_ask_to_ask(struct replica_stream *stream); /* its follower is to ask */
void replica_stream_resend(struct replica_stream *stream);     /* what was on its way is lost */
void replica_stream_pump(struct replica_stream *stream);

/* True when a log that ends at `offset` can be sent what comes next: the log here holds that, or
 * begins inside of the batch that does. */
bool replica_stream_can_begin(const struct replica_stream *stream, int64_t offset);
void replica_stream_answered(struct replica_stream *stream, int64_t end_offset);
int64_t replica_stream_safe_end(const struct replica_stream *stream);
void replica_stream_watermark_moved(struct replica_stream *stream);
void catch_up_next(struct replica_node *node);
void catch_up_stop(struct replica_stream *stream);

bool catch_up_is_throttled(const struct replicas *replicas); /* who catches up has to wait */

/* ---- tail.c ---- */

void tail_add(struct replica_tail *tail, struct memory *memory, const struct log_append *append);
const struct tail_batch *tail_find(const struct replica_tail *tail, int64_t offset);
void tail_drop(struct replica_tail *tail, int64_t offset); /* what ends at or before it */
void tail_free(struct replica_tail *tail, struct memory *memory);

/* ---- follow.c ---- */

void follow_begin(struct replicas *replicas, struct partition *partition,
                  const struct meta_partition *meta);
void follow_end(struct replica_follower *follow);
void follow_ask(struct replica_follower *follow);
void follow_link_is_new(struct replica_follower *follow); /* what was said to the leader is lost */
const char *follow_placed(struct replicas *replicas, const struct peer_message *message);
const char *follow_appended(struct replicas *replicas, const struct peer_message *message);
const char *follow_marked(struct replicas *replicas, const struct peer_message *message);

/* ---- outbox.c ---- */

/* Sends what is gathered for a node, but for batches. */
void outbox_send_asks(struct replica_node *node);
void outbox_send_acks(struct replica_node *node);
void outbox_send_places(struct replica_node *node);
void outbox_send_marks(struct replica_node *node);

/* ---- offline.c ---- */

void offline_init(struct replicas *replicas);
void offline_free(struct replicas *replicas);

/* ---- isr.c ---- */

void isr_init(struct replicas *replicas);
void isr_free(struct replicas *replicas);

/* Proposes what should be different about the partition's ISR, if anything. */
void isr_look(struct replica_leader *lead);

/* The stream's follower has, or has not, all that the log has. */
void isr_fell_behind(struct replica_stream *stream);
void isr_noted(struct replica_stream *stream);

#endif
