/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster's metadata without a disk: what is proposed is applied at once, batch by batch. */
#ifndef TESTS_CORE_META_CLUSTER_H
#define TESTS_CORE_META_CLUSTER_H

#include "core/base/rng.h"
#include "core/meta/image.h"
#include "core/meta/topics.h"
#include "core/meta/writer.h"
#include "tests/core/conf/settings.h"

#define CLUSTER_BATCHES_MAX 4096

struct cluster {
    struct settings settings; /* whose memory everything comes from */
    struct rng rng;
    struct arena arena;    /* of messages */
    struct arena decoding; /* of records, emptied after each */
    struct image image;
    struct meta_writer writer; /* what the next cluster_commit() makes a batch of */
    struct topics_context context;
    int32_t epoch;                               /* of the batches */
    struct buffer *batches[CLUSTER_BATCHES_MAX]; /* the log */
    uint32_t batches_count;
    int64_t incarnations;
};

/* A cluster of brokers 1 … `brokers`, with these settings ("key=value" lines). */
void cluster_start(struct cluster *cluster, uint64_t seed, int32_t brokers, const char *settings);

/* Gives the memory back and asserts that none is left. */
void cluster_end(struct cluster *cluster);

/* Applies what was written since the last time, and keeps it in the log. */
void cluster_commit(struct cluster *cluster);

/* Registers a new process of a broker, in no rack, or in this one. */
void cluster_register(struct cluster *cluster, int32_t broker);
void cluster_register_in(struct cluster *cluster, int32_t broker, const char *rack);

/* Fences a broker, lets it in again. */
void cluster_fence(struct cluster *cluster, int32_t broker);
void cluster_unfence(struct cluster *cluster, int32_t broker);

/* Creates a topic; says how that went. */
int cluster_create(struct cluster *cluster, const char *name, int32_t partitions, int32_t replicas);

/* Removes a topic that is there. */
void cluster_remove(struct cluster *cluster, const char *name);

const struct meta_topic *cluster_topic(const struct cluster *cluster, const char *name);
const struct meta_partition *cluster_partition(const struct cluster *cluster, const char *name,
                                               int32_t partition);

/* Applies one batch of the log to another image. */
int cluster_replay(struct cluster *cluster, uint32_t batch, struct image *image);

#endif
