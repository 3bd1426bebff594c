/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication: how the records of a partition come from the broker that leads it to those that
 * follow it, over the links between brokers (core/peer/peers.h). The leader pushes:
 *
 *       follower                                  leader
 *          │ follow: my end, my last epoch           │
 *          ├────────────────────────────────────────▶│
 *          │ place: go on there | cut | begin anew   │  (KIP-101, KIP-279: by leader epochs)
 *          │◀────────────────────────────────────────┤
 *          │ append: batches, high watermark, start  │
 *          │◀────────────────────────────────────────┤
 *          │ ack: written end, durable end, start    │
 *          ├────────────────────────────────────────▶│
 *          │ mark: high watermark, start             │
 *          │◀────────────────────────────────────────┤
 *
 * A stream is alive as long as the link is: an idle partition sends nothing and loses nothing. Who
 * leads and who is in sync is asked of the metadata image, whose changes begin and end every role;
 * what the leader finds out about its followers becomes true only as a record of the metadata log.
 */
#ifndef CORE_REPLICA_REPLICAS_H
#define CORE_REPLICA_REPLICAS_H

#include "core/log/log.h"
#include "core/meta/image.h"
#include "core/peer/message.h"

/* The largest batch that a message to another broker has room for. */
#define REPLICA_BATCH_BYTES_MAX (PEER_FRAME_BYTES_MAX - 1024)

struct broker;
struct partition;
struct peers;
struct replicas;

/* What the broker's cluster needs for it; `peers` outlives it. */
struct replicas *replicas_new(struct broker *broker, struct peers *peers);

/* Nothing is sent, received or appended any more: the logs are about to be closed. NULL is a no-op.
 */
void replicas_stop(struct replicas *replicas);

/* Frees it with all roles. The partitions are there still. */
void replicas_free(struct replicas *replicas);

/* The image is loaded, and the broker serves: takes up every role that the image has for it. */
void replicas_start(struct replicas *replicas);

/* What the links tell. replicas_receive() returns NULL, or what is wrong with a message. */
bool replicas_expect(int16_t type); /* true for a type that is replication's */
const char *replicas_receive(struct replicas *replicas, const struct peer_message *message);
void replicas_peer_up(struct replicas *replicas, int32_t node_id);
void replicas_peer_down(struct replicas *replicas, int32_t node_id);
void replicas_peer_drained(struct replicas *replicas, int32_t node_id);
void replicas_peer_silent(struct replicas *replicas, int32_t node_id);
void replicas_peer_heard(struct replicas *replicas, int32_t node_id);

/* The image changed: who leads the partition, under which epoch, or who is in sync. */
void replicas_partition_changed(struct replicas *replicas, const struct meta_topic *topic,
                                int32_t index);

/* A broker registered, was fenced or let in again. */
void replicas_broker_changed(struct replicas *replicas, int32_t broker_id);

/* ---- What partitions tell (core/partition.c). ---- */

/* The roles of a partition that has replicas elsewhere; at most one at a time. */
struct replica_leader;
struct replica_follower;

/* A batch was appended by the leader: it goes to all who follow. */
void replica_leader_appended(struct replica_leader *lead, const struct log_append *append);

/* The log's ends or its start moved. */
void replica_leader_advanced(struct replica_leader *lead);
void replica_follower_advanced(struct replica_follower *follow);

/* Appends were lost: what was sent of them counts no more. A leader waits for a higher epoch. */
void replica_leader_failed(struct replica_leader *lead);
void replica_follower_failed(struct replica_follower *follow);

/* The partition's data folder failed, or a reader met damage in its log: others have to go on
 * without this replica. A log that is READY is refused when they do. */
void replica_offline(struct partition *partition);

/* The leader's log is READY: where its epoch begins is known from now on. */
void replica_leader_ready(struct replica_leader *lead);

/* The offset at which the leader began under its epoch; -1 before its log is loaded. Below it the
 * high watermark may be older than what the leader before it had told (KIP-207). */
int64_t replica_leader_start(const struct replica_leader *lead);

/* The least durable log start of the leader and of all who are in sync, or may be already: what
 * lies below it is gone for good (DeleteRecords). -1: it cannot be told now. */
int64_t replica_leader_low_watermark(const struct replica_leader *lead);

/* ---- What is told of it (core/replica/status.c). ---- */

/* The streams to one other broker, together. */
struct replica_node_status {
    uint64_t unacknowledged_bytes; /* of batches that were sent */
    uint32_t partitions;           /* that are led here, and followed there */
    uint32_t catching_up;          /* of these: not sent what is appended as it is */
    bool is_throttled;             /* they have to wait now */
};
struct replica_node_status replicas_node_status(const struct replicas *replicas, int32_t node_id);

/* One follower of a partition that is led here. */
struct replica_follower_status {
    int32_t node_id;
    int64_t end_offset; /* that counts for the high watermark, as acknowledged last; -1: unknown */
    int64_t behind_us;  /* it has lacked a part of the log for so long; -1: for an unknown while */
};

/* The follower of that number, from 0; false when there are no more. */
bool replica_leader_follower(const struct replica_leader *lead, uint32_t number,
                             struct replica_follower_status *ret_status);

/* The partition goes: so does its role. */
void replica_forget(struct partition *partition);

#endif
