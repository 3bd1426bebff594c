/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition that this broker hosts: its log, its high watermark and who waits for either. Who
 * leads it, under which epoch and with which settings is asked of the metadata image each time,
 * and kept nowhere else.
 */
#ifndef CORE_PARTITION_H
#define CORE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/hosted_topics.h"
#include "core/lease.h"
#include "core/log/log.h"
#include "core/meta/controller.h"

struct broker;
struct replica_follower;
struct replica_leader;

struct partition {
    struct broker *broker;
    struct hosted_topic *topic;
    int32_t index;
    struct log *log;
    struct log_observer observer;
    int64_t high_watermark;
    int32_t spent_epoch;        /* no append is under it or below; -1: none */
    int32_t raised_epoch;       /* the one above which a higher one is asked for */
    struct meta_proposal raise; /* asks for a higher epoch */
    struct timer raise_timer;   /* until it asks again, when none was granted */
    bool raising;
    struct replica_leader *leading;     /* others follow this broker (core/replica/); or NULL */
    struct replica_follower *following; /* it follows another one; or NULL */
    struct log_waiter cut_waiter;
    struct list offline_place;        /* while others have to be told that its data folder failed */
    bool is_cut;                      /* the log's end is being cut off: nothing may be appended */
    struct list loads;                /* struct log_waiter, for the end of that */
    struct lease_waiter lease_waiter; /* while acknowledgements wait for the lease */
    struct list acks[3];  /* struct partition_ack by enum ack_kind, in order of offsets */
    struct list watchers; /* struct partition_watcher */
};

/* What an append, or a deletion, waits for before it is answered. */
enum ack_kind {
    ACK_WRITTEN,   /* acks=1: the operating system has it */
    ACK_COMMITTED, /* acks=all: the high watermark is beyond it */
    ACK_DELETED,   /* DeleteRecords: the low watermark is beyond it */
};

/* One of them, which waits for its acknowledgement. */
struct partition_ack {
    struct list place;
    int64_t end_offset; /* one beyond its last record */
    /* ERR_NONE, or ERR_KAFKA_STORAGE_ERROR or ERR_UNKNOWN_TOPIC_OR_PARTITION when it was lost, or
     * ERR_NOT_LEADER_OR_FOLLOWER: another broker knows what becomes of it. Out of the list by now.
     */
    void (*done)(struct partition_ack *ack, int error);
};

/* Looks at a partition: a parked fetch. */
struct partition_watcher {
    struct list place;
    /* The high watermark or the start moved, or the partition failed or went: look again.
     * Called once: out of the list by now. */
    void (*moved)(struct partition_watcher *watcher);
};

/* The partition `index` of the topic with this name, or id: ERR_NONE, or
 * ERR_UNKNOWN_TOPIC_OR_PARTITION, ERR_UNKNOWN_TOPIC_ID, ERR_NOT_LEADER_OR_FOLLOWER. Its log may
 * still have to be loaded: see partition_load(). */
int partition_by_name(struct broker *broker, struct span topic, int32_t index,
                      struct partition **ret_partition);
int partition_by_id(struct broker *broker, struct uuid topic, int32_t index,
                    struct partition **ret_partition);

/* The same for a topic of the image. */
int partition_of(struct broker *broker, const struct meta_topic *topic, int32_t index,
                 struct partition **ret_partition);

/* True when a data folder held the partition at start, or does since. */
bool partition_is_on_disk(struct broker *broker, const struct meta_topic *topic, int32_t index);

/* True when the log is READY; otherwise `waiter` is woken once when it is, or has failed. */
bool partition_load(struct partition *partition, struct log_waiter *waiter);

/* The epoch under which this broker leads the partition, from the image. */
int32_t partition_leader_epoch(const struct partition *partition);

/* Compares a client's current_leader_epoch (-1: it does not say): ERR_NONE,
 * ERR_FENCED_LEADER_EPOCH or ERR_UNKNOWN_LEADER_EPOCH (KIP-320). */
int partition_check_epoch(const struct partition *partition, int32_t current_leader_epoch);

/* A read of its log ended with an error. Damage lets another replica lead, if one can. Returns what
 * clients are told: ERR_KAFKA_STORAGE_ERROR for damage, on which they ask for the leader again. */
int partition_read_failed(struct partition *partition, int error);

/* Appends a validated batch under the current epoch (core/log/log.h); ERR_NOT_LEADER_OR_FOLLOWER
 * while a failed append waits for a higher epoch, ERR_MESSAGE_TOO_LARGE for one that cannot be sent
 * to the other replicas. The log is READY. */
int partition_append(struct partition *partition, struct log_append *append);

/* Calls ack->done, in this step or a later one, when everything below ack->end_offset is written,
 * committed or deleted. */
void partition_await(struct partition *partition, enum ack_kind kind, struct partition_ack *ack);

/* Everything below it is deleted, durably, on every replica that is in sync; -1 when that cannot be
 * told now. */
int64_t partition_low_watermark(const struct partition *partition);

/* Calls watcher->moved in a later step when there is something new to see. */
void partition_watch(struct partition *partition, struct partition_watcher *watcher);

/* ---- For core/replica. ---- */

/* The partition, hosted from now on if it was not; the hosted one, or NULL. */
struct partition *partition_host(struct broker *broker, const struct meta_topic *topic,
                                 int32_t index);
struct partition *partition_hosted(const struct broker *broker, struct uuid topic, int32_t index);

/* Everything below `high_watermark`, which is higher than before and no more than the written end,
 * is committed: acknowledges, and lets look. */
void partition_raise_watermark(struct partition *partition, int64_t high_watermark);

/* partition_low_watermark() may be higher than before: acknowledges. */
void partition_low_watermark_moved(struct partition *partition);

/* Another broker leads now, or none: whoever waits is told. */
void partition_resign(struct partition *partition);

/* Cuts the log at `offset`, or empties it and lets it begin there (core/log/log.h). The log is
 * READY, and partition_load() waits until it is so again. */
void partition_cut(struct partition *partition, int64_t offset);
void partition_begin_anew(struct partition *partition, int64_t offset);

/* Told by the image: a topic's configuration changed, or the topic went. */
void partition_reconfigure(struct broker *broker, const struct meta_topic *topic);
void partition_remove_topic(struct broker *broker, const struct meta_topic *topic);

/* Frees all hosted topics without touching the disk. */
void partition_free_all(struct broker *broker);

#endif
