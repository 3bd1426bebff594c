/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What whoever watches over brokers asks of one: counts, taken at one moment, that change nothing.
 * Beside each is its name in Kafka (an MBean's domain, type and name).
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/broker.h"
#include "core/meta/leaderless.h"

struct broker_metrics {
    /* The cluster, as this node's metadata has it: kafka.controller, KafkaController. */
    bool is_active_controller;                     /* ActiveControllerCount */
    uint32_t active_brokers;                       /* ActiveBrokerCount */
    uint32_t fenced_brokers;                       /* FencedBrokerCount */
    uint32_t topics;                               /* GlobalTopicCount */
    uint32_t partitions;                           /* GlobalPartitionCount */
    uint32_t preferred_imbalance;                  /* PreferredReplicaImbalanceCount */
    uint32_t offline_partitions[LEADERLESS_WAITS]; /* OfflinePartitionsCount, all together */
    /* Elections since this process had taken in what it found, while it was the active controller:
     * ControllerStats, UncleanLeaderElectionsPerSec. */
    uint64_t unclean_elections;

    /* The partitions that this node has a replica of: kafka.server, ReplicaManager. */
    uint32_t replicas;         /* PartitionCount */
    uint32_t leaders;          /* LeaderCount; of these: */
    uint32_t under_replicated; /* UnderReplicatedPartitions */
    uint32_t under_min_isr;    /* UnderMinIsrPartitionCount */
    uint32_t at_min_isr;       /* AtMinIsrPartitionCount */

    /* The quorum of controllers: kafka.server, raft-metrics. */
    int32_t current_leader; /* -1: unknown */
    int32_t current_epoch;
    int64_t high_watermark;
    int64_t log_end;
    int64_t last_applied; /* broker-metadata-metrics, last-applied-record-offset; -1: nothing */

    uint32_t offline_folders; /* kafka.log, LogManager, OfflineLogDirectoryCount */
    uint32_t connections;     /* of clients: socket-server-metrics, connection-count */
    uint64_t memory_used_bytes[MEMORY_BUDGETS];
    uint64_t memory_limit_bytes[MEMORY_BUDGETS]; /* 0: no limit */
};

/* Counts; what that costs is in proportion to the partitions of the cluster. */
void broker_metrics(const struct broker *broker, struct broker_metrics *ret_metrics);

#endif
