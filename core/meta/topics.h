/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be done to topics: each function judges a request by the image and writes the records
 * that carry it out (see core/meta/controller.h, whose `prepare` calls these).
 */
#ifndef CORE_META_TOPICS_H
#define CORE_META_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/map.h"
#include "core/base/rng.h"
#include "core/conf/conf.h"
#include "core/conf/topic_conf.h"
#include "core/meta/image.h"
#include "core/meta/writer.h"

/* New partitions of one proposal, so that one request cannot hold up all others. */
#define TOPICS_PARTITIONS_PER_PROPOSAL_MAX 10000

/* The topic whose records this is; no topic of clients may have its name. */
#define TOPICS_METADATA_NAME "__cluster_metadata"

/* ERR_NONE; or ERR_INVALID_TOPIC_EXCEPTION with what is wrong with the name (*ret_why, a literal):
 * empty, ".", "..", longer than META_TOPIC_NAME_MAX, or with anything but [a-zA-Z0-9._-]. */
int topic_check_name(struct span name, const char **ret_why);

/* True for the topics that the broker itself writes to. */
bool topic_is_internal(struct span name);

/* What the proposals below need, and what one proposal has done so far. */
struct topics_context {
    const struct image *image;
    const struct conf *conf;
    struct rng *rng;     /* for topic ids */
    struct arena *arena; /* for messages, and while it works */
    struct meta_writer *writer;
    int32_t partitions_created; /* see TOPICS_PARTITIONS_PER_PROPOSAL_MAX */
    struct map touched;         /* names: the image shows none of what this proposal has written */
};

/* Begins and ends a proposal: between the two each topic may be touched once, because its records
 * are judged by the image, which changes only when all of them are durable. */
void topics_begin(struct topics_context *context, const struct image *image,
                  const struct conf *conf, struct rng *rng, struct arena *arena,
                  struct meta_writer *writer);
void topics_end(struct topics_context *context);

/* Notes that this proposal touches a topic, which those below do themselves. ERR_INVALID_REQUEST
 * when it has touched this one, or one of a colliding name, before. */
int topics_touch(struct topics_context *context, struct span name, struct span *ret_message);

/* The brokers that shall hold one partition, the preferred leader first. */
struct topic_assignment {
    int32_t partition;
    const int32_t *brokers;
    int32_t brokers_count;
};

struct topic_creation {
    /* In */
    struct span name;
    int32_t partitions;         /* -1: the default, or as many as are assigned */
    int32_t replication_factor; /* -1: the default, or as many as are assigned */
    const struct topic_assignment *assignments;
    int32_t assignments_count; /* 0: any brokers will do */
    const struct topic_override *configs;
    int32_t configs_count;
    /* Out: the numbers above made definite, and */
    struct uuid topic_id;
    struct span message; /* why not; null */
};

/* Writes the records of a new topic. Errors, which leave nothing written: those of
 * topic_check_name(), ERR_TOPIC_ALREADY_EXISTS, ERR_INVALID_PARTITIONS,
 * ERR_INVALID_REPLICATION_FACTOR, ERR_INVALID_REPLICA_ASSIGNMENT, ERR_INVALID_CONFIG,
 * ERR_INVALID_REQUEST, ERR_POLICY_VIOLATION (a limit). */
int topics_create(struct topics_context *context, struct topic_creation *creation);

/* The topic of committed offsets as the node's settings want it; `configs` has room for its own. */
#define TOPICS_OFFSETS_CONFIGS 2
void topics_offsets_creation(const struct conf *conf, struct topic_override *configs,
                             struct topic_creation *ret_creation);

/* Writes the record that removes a topic; its partitions and configuration go with it. */
int topics_remove(struct topics_context *context, const struct meta_topic *topic,
                  struct span *ret_message);

/* Writes the records that give a topic `count` partitions in all. `assignments`, NULL for any
 * brokers, has one element for each new partition. *ret_message says why not. */
int topics_grow(struct topics_context *context, const struct meta_topic *topic, int32_t count,
                const struct topic_assignment *assignments, int32_t assignments_count,
                struct span *ret_message);

/* Of a topic, or of all brokers. */
struct topic_alteration {
    struct span key;
    struct span value;
    int8_t operation; /* enum conf_operation, not checked yet */
};

/* Writes the records that change a topic's configuration, or (NULL) what is set for all brokers:
 * all alterations, or none with ERR_INVALID_CONFIG or ERR_INVALID_REQUEST. Unchanged values need no
 * record. */
int topics_alter(struct topics_context *context, const struct meta_topic *topic,
                 const struct topic_alteration *alterations, int32_t alterations_count,
                 struct span *ret_message);

/* The numbers are those of ElectLeaders. */
enum topics_election { TOPICS_ELECT_PREFERRED = 0, TOPICS_ELECT_ANY = 1 };

/* Writes the record that has a partition of `topic` (NULL: none) led by its preferred leader, or,
 * where nobody leads, by any replica that is live, which may lose what was committed. At most once
 * a proposal for one partition. ERR_UNKNOWN_TOPIC_OR_PARTITION, ERR_ELECTION_NOT_NEEDED,
 * ERR_PREFERRED_LEADER_NOT_AVAILABLE, ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE, ERR_POLICY_VIOLATION (the
 * proposal is full); *ret_message, which may be null, says why not. Source: KIP-183, KIP-460. */
int topics_elect(struct topics_context *context, const struct meta_topic *topic, int32_t partition,
                 enum topics_election election, struct span *ret_message);

/* True for a partition that an election is due for. */
typedef bool (*topics_election_is_due)(const struct image *image, const struct meta_topic *topic,
                                       int32_t partition);

/* The same for all partitions for which one is due, for `most` of them at most; *ret_full: there
 * are more. ERR_POLICY_VIOLATION: the proposal is full. */
int topics_elect_due(struct topics_context *context, topics_election_is_due is_due,
                     enum topics_election election, uint32_t most, bool *ret_full);

/* Writes the record that raises a partition's leader epoch under the same leader, after an append
 * under the present one was lost. ERR_UNKNOWN_TOPIC_OR_PARTITION; ERR_FENCED_LEADER_EPOCH when the
 * epoch is not `epoch` any more. */
int topics_raise_epoch(const struct image *image, struct meta_writer *writer, struct uuid topic_id,
                       int32_t partition, int32_t epoch);

#endif
