/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consumer groups of this broker: a shard for each partition of __consumer_offsets that it
 * leads.
 *
 * A group belongs to the partition that its id hashes to. Shards are loaded when this broker comes
 * to lead the partition, and dropped when it leads it no more or when an append was lost; clients
 * that come meanwhile are told to come again.
 */
#ifndef CORE_COORD_COORDINATOR_H
#define CORE_COORD_COORDINATOR_H

#include <stdint.h>

#include "core/coord/group.h"
#include "core/coord/shard.h"

struct broker;
struct coordinator;

#define COORDINATOR_TOPIC "__consumer_offsets"

/* Groups of one shard; one more is refused (GROUP_MAX_SIZE_REACHED, POLICY_VIOLATION). */
#define COORDINATOR_SHARD_GROUPS_MAX 100000

/* Observes the image from now on, and loads the shards that it names already. */
struct coordinator *coordinator_new(struct broker *broker);

/* Answers everyone who waits with ERR_NOT_COORDINATOR and forgets everything; nothing is answered
 * afterwards. NULL is a no-op. */
void coordinator_free(struct coordinator *coordinator);

/* How many shards were forgotten so far, and loaded anew if somebody asked; 0 for NULL. */
uint64_t coordinator_dropped(const struct coordinator *coordinator);

/* The partition of `partitions_count` that a group belongs to: as Kafka, by Java's hash of the
 * id. */
int32_t coordinator_partition(struct span group_id, int32_t partitions_count);

/* The shard that keeps the groups of this id, when it is ACTIVE. ERR_COORDINATOR_NOT_AVAILABLE (the
 * topic is not there yet), ERR_NOT_COORDINATOR (also while this broker has no lease: see
 * core/lease.h), ERR_COORDINATOR_LOAD_IN_PROGRESS. */
int coordinator_shard(struct coordinator *coordinator, struct span group_id,
                      struct shard **ret_shard);

/* The same with the group, which is NULL when there is none. */
int coordinator_group(struct coordinator *coordinator, struct span group_id,
                      struct shard **ret_shard, struct group **ret_group);

/* The group of this id, made when there is none; also ERR_GROUP_MAX_SIZE_REACHED. */
int coordinator_open(struct coordinator *coordinator, struct span group_id,
                     struct shard **ret_shard, struct group **ret_group);

/* The ACTIVE shards one after the other: that after `shard`, or the first for NULL. */
struct shard *coordinator_next(struct coordinator *coordinator, struct shard *shard);

/* True while a shard that this broker leads is not ACTIVE yet. */
bool coordinator_is_loading(const struct coordinator *coordinator);

/* The broker's settings for groups. */
const struct group_settings *coordinator_settings(const struct coordinator *coordinator);

#endif
