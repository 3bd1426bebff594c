/* SPDX-License-Identifier: Apache-2.0 */
/* A producer: what it knows, and the batches that it has made (sim/client_producer.c). */
#ifndef SIM_PRODUCER_H
#define SIM_PRODUCER_H

#include "sim/contacts.h"

#define PRODUCER_PARTITIONS_MAX 64
#define PRODUCER_PARTS_MAX      3  /* batches in a request */
#define PRODUCER_WAITING_MAX    64 /* batches that are not acknowledged */

enum producer_state { PRODUCER_LEARNING, PRODUCER_NAMING, PRODUCER_PRODUCING };

struct batch {
    struct list place; /* producer->batches, in the order of their numbers */
    uint32_t partition;
    uint32_t records;
    int32_t sequence;
    uint64_t number; /* of the first record */
    uint32_t tries;
    bool in_flight;
    uint8_t *bytes;
    size_t length;
};

/* What one request carries. */
struct attempt {
    struct batch *parts[PRODUCER_PARTS_MAX];
    uint32_t count;
};

struct producer {
    struct client client;
    struct contacts contacts;
    enum producer_state state;
    bool asked; /* the request of the state is under way, at home */
    bool in_cluster;
    bool settling;
    struct task task;         /* the next action */
    struct task leaders_task; /* in a cluster: asks who leads what nobody is known to lead */
    struct list batches;
    uint32_t batches_count;
    uint64_t made; /* records */
    uint32_t partitions;
    struct uuid topic_id;
    int16_t version;
    uint32_t in_flight;      /* requests */
    uint32_t in_flight_most; /* on a connection */
    int64_t producer_id;
    int16_t producer_epoch;
    uint32_t session;
    int32_t sequences[PRODUCER_PARTITIONS_MAX];
    uint64_t numbers[PRODUCER_PARTITIONS_MAX];
    uint32_t leaders[PRODUCER_PARTITIONS_MAX]; /* nodes; 0: not known */
    int32_t leader_epochs[PRODUCER_PARTITIONS_MAX];
};

/* Makes a batch for a partition that chance gives; it waits to be sent. */
void producer_batch_make(struct producer *producer);
void producer_batch_free(struct producer *producer, struct batch *batch);

/* Under a new producer id sequences start at 0, and so does what waits. */
void producer_rename(struct producer *producer);

/* True when a batch waits for this leader; 0: for that there is one. */
bool producer_waits_for(const struct producer *producer, uint32_t leader);

/* True when nothing that was made before it for its partition waits. */
bool producer_is_oldest(const struct producer *producer, const struct batch *batch);

#endif
