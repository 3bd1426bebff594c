/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition that this broker hosts: its log, its high watermark and who waits for either. Who
 * leads it, under which epoch and with which settings is asked of the metadata image each time, and
 * kept nowhere else.
 */
#ifndef CORE_PARTITION_H
#define CORE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/log/log.h"

struct broker;
struct hosted_topic;
struct meta_topic;

struct partition {
    struct broker *broker;
    struct hosted_topic *topic;
    int32_t index;
    struct log *log;
    struct log_observer observer;
    int64_t high_watermark;
    int32_t failed_epoch;  /* no append at or below it: an append under it was lost; -1: none */
    struct list offsets_waiters; /* struct partition_waiter, in order of arrival */
};

/* Waits for a partition's offsets to move: a parked produce or fetch, a group's commit. */
struct partition_waiter {
    struct list place;
    /* The high watermark, the written end or the start moved, or (error ≠ ERR_NONE) appends were
     * lost, the folder failed or the topic went. The waiter is still in its list and may leave it;
     * after an error it has been taken out. */
    void (*moved)(struct partition_waiter *waiter, int error);
};

/* A topic of which this broker hosts partitions, by its id. */
struct hosted_topic {
    struct map_node node; /* by id */
    struct uuid id;
    int32_t partitions_count;
    struct partition **partitions; /* NULL until first asked for */
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

/* True when the log is READY; otherwise `waiter` is woken once when it is, or has failed. */
bool partition_load(struct partition *partition, struct log_waiter *waiter);

/* The epoch under which this broker leads the partition, from the image. */
int32_t partition_leader_epoch(const struct partition *partition);

/* Compares a client's current_leader_epoch (-1: it does not say): ERR_NONE,
 * ERR_FENCED_LEADER_EPOCH or ERR_UNKNOWN_LEADER_EPOCH (KIP-320). */
int partition_check_epoch(const struct partition *partition, int32_t current_leader_epoch);

/* Appends a validated batch under the current epoch (core/log/log.h); ERR_NOT_LEADER_OR_FOLLOWER
 * while a failed append waits for a higher epoch. The log is READY. */
int partition_append(struct partition *partition, struct log_append *append);

/* Calls waiter->moved whenever offsets move, until partition_unwatch(). */
void partition_watch(struct partition *partition, struct partition_waiter *waiter);
void partition_unwatch(struct partition_waiter *waiter);

#endif
