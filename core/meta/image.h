/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata image: the one truth about brokers, topics, partitions, configurations and producer
 * ids. It changes only by image_apply(), record by record, in the order of the metadata WAL;
 * whoever asks who leads, who is in sync or how a topic is set up asks here, and keeps no copy.
 */
#ifndef CORE_META_IMAGE_H
#define CORE_META_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/span.h"
#include "core/conf/topic_conf.h"
#include "core/meta/record.h"

/* The types of resource in a config record, Kafka's numbers. */
#define META_RESOURCE_TOPIC  2
#define META_RESOURCE_BROKER 4

/* Names of brokers there, for what is set for all of them: what the file of the controller says
 * (core/meta/agreement.h); and what an operator has set, which comes before that. */
#define META_BROKERS_BY_FILE     SPAN("")
#define META_BROKERS_BY_OPERATOR SPAN("<default>")

/* Limits of one cluster; a record beyond one is refused, as is the proposal that would write it. */
#define META_TOPIC_NAME_MAX    249
#define META_REPLICAS_MAX      128    /* a byte counts them */
#define META_PARTITIONS_MAX    250000 /* in all: an answer about each of them fits a request */
#define META_BROKERS_MAX       1000
#define META_ENDPOINTS_MAX     32
#define META_DIRECTORIES_MAX   64
#define META_ENDPOINT_TEXT_MAX 255 /* bytes of a listener's name, a host, a rack */
#define META_CONFIGS_MAX       256 /* of one topic, or of the cluster */
#define META_CONFIG_KEY_MAX    249
#define META_CONFIG_VALUE_MAX  32767

/* Replica lists up to this many members in all need no memory of their own. */
#define META_REPLICAS_INLINE 2

/*
 * In-sync replicas hold everything committed. While there are fewer than min.insync.replicas
 * nothing more is committed, so that those that left since are as good: the eligible leader
 * replicas (KIP-966). Where neither is left, the last of them is the last known leader.
 */
struct meta_partition {
    int32_t leader; /* META_NO_LEADER: none */
    int32_t leader_epoch;
    int32_t partition_epoch; /* raised by every change */
    uint8_t replicas_count;
    uint8_t isr_count; /* 0 only without a leader */
    uint8_t elr_count;
    bool has_last_known_leader : 1; /* nobody is in sync or eligible */
    bool is_recovering : 1; /* its leader was elected uncleanly, and the ISR is the same since */
    union { /* replicas in order of preference, the in-sync, the eligible, the last known leader */
        int32_t few[META_REPLICAS_INLINE];
        int32_t *many;
    };
};

/* Settings by key, sorted. */
struct meta_configs {
    uint32_t count;
    uint32_t capacity;
    struct topic_override *items;
};

struct meta_topic {
    struct map_node by_name; /* the name with '_' for every '.' */
    struct map_node by_id;
    struct uuid id;
    struct span name;
    int32_t partitions_count;
    uint32_t partitions_capacity;
    struct meta_partition *partitions;
    struct meta_configs configs; /* the topic's own settings */
    bool was_cached; /* since it has partitions its writes are cached, or were at some time */
};

struct meta_endpoint {
    struct span listener; /* its name, as in `listeners` */
    struct span host;
    uint16_t port;
    int16_t security_protocol;
};

struct meta_broker {
    int32_t id;
    int64_t epoch; /* the offset of its registration */
    struct uuid incarnation;
    struct span rack; /* may be null */
    bool fenced;
    bool is_shutting_down; /* it asked to give its leaderships away, and leads nothing new */
    uint32_t endpoints_count;
    struct meta_endpoint *endpoints;
    uint32_t directories_count;
    struct uuid *directories; /* the ids of its data folders */
    size_t block_bytes;       /* of endpoints, directories and texts, in one block */
};

enum image_change_kind {
    IMAGE_TOPIC_ADDED,   /* no configuration and no partitions yet: they follow in the same batch */
    IMAGE_TOPIC_REMOVED, /* already out of the image; freed after the call */
    IMAGE_CONFIG_CHANGED,
    IMAGE_PARTITION_ADDED,
    IMAGE_PARTITION_CHANGED,
    IMAGE_BROKER_REGISTERED, /* a new process; partitions were told of before */
    IMAGE_BROKER_CHANGED, /* fenced or not, shutting down or not; partitions were told of before */
    IMAGE_BROKER_REMOVED, /* already out of the image; freed after the call */
};

struct image_change {
    enum image_change_kind kind;
    const struct meta_topic *topic;   /* NULL for brokers, and settings of the cluster */
    int32_t partition;                /* PARTITION_ADDED, PARTITION_CHANGED */
    const struct meta_broker *broker; /* BROKER_… */
    bool is_unclean; /* PARTITION_CHANGED: its leader was elected, and may lack what others have */
};

/* Told about each record after it was applied. May look at the image and make proposals. */
struct image_observer {
    struct list place;
    void (*changed)(struct image_observer *observer, const struct image_change *change);
};

struct image {
    struct memory *memory;
    struct map topics_by_name;
    struct map topics_by_id;
    int32_t partitions_count;    /* of all topics */
    struct meta_broker *brokers; /* sorted by id */
    uint32_t brokers_count;
    uint32_t brokers_capacity;
    struct meta_configs configs;     /* of the cluster, on which all nodes agree: what counts … */
    struct meta_configs by_file;     /* … of what the controller's file says … */
    struct meta_configs by_operator; /* … and of what was set, which comes first */
    int64_t next_producer_id;
    int64_t end_offset; /* of what was applied: the next record's offset */
    int32_t epoch;      /* the leader epoch of the last record's batch; -1: none */
    struct list observers;
};

/* An empty image. `seed` keeps peers from choosing names that collide in its maps. */
void image_init(struct image *image, struct memory *memory, uint64_t seed);
void image_free(struct image *image);

/* `observer` is told about everything applied from now on, until list_remove(&observer->place). */
void image_observe(struct image *image, struct image_observer *observer);

/* Takes one record in. A record that cannot follow what was applied before it (a partition of a
 * topic that nobody created, an epoch that goes back) gives ERR_INVALID_RECORD and changes nothing.
 */
int image_apply(struct image *image, const struct meta_record *record);

/* What every node could read: ERR_NONE when `batch`, whose CRC was checked, holds uncompressed
 * metadata records alone and each can be decoded, or the error of the first that cannot. Resets
 * `arena`. */
int meta_batch_check(struct span batch, struct arena *arena);

/* Applies every record of one record batch and moves end_offset and epoch behind it; the batch's
 * CRC was checked. ERR_NONE or what made the record at *ret_offset unreadable, see
 * meta_record_decode() and image_apply(); control batches hold nothing for the image. */
int image_apply_batch(struct image *image, struct span batch, struct arena *arena,
                      int64_t *ret_offset);

/* Makes `image` what `fresh`, built from a snapshot, is; `fresh` is empty afterwards. Observers are
 * told what is different, as if records had said it: of topics that went, then of all that there
 * are. */
void image_replace(struct image *image, struct image *fresh);

/* Metric names make '.' and '_' the same, so that no two topics differ by these alone. The name as
 * it counts for that: `name` itself, or a copy in `out` of META_TOPIC_NAME_MAX bytes; null when it
 * is longer than any topic's. */
struct span image_fold_name(struct span name, uint8_t *out);

/* The topic whose name is the same to the letter, or collides with `name`; NULL: none. */
const struct meta_topic *image_topic_alike(const struct image *image, struct span name);

/* Look-ups; NULL when there is none. What they return stays until the next image_apply(). */
const struct meta_topic *image_topic(const struct image *image, struct span name);
const struct meta_topic *image_topic_by_id(const struct image *image, struct uuid id);
const struct meta_partition *image_partition(const struct meta_topic *topic, int32_t partition);
const struct meta_broker *image_broker(const struct image *image, int32_t id);

/* The value of a key among some settings; null when it is not there. */
struct span meta_config(const struct meta_configs *configs, struct span key);

/* The value that the topic itself sets for a key; null when it leaves it to the defaults. */
struct span image_topic_config(const struct meta_topic *topic, struct span key);

/* The broker's endpoint for clients of the listener with this name; NULL when it has none. */
const struct meta_endpoint *image_endpoint(const struct meta_broker *broker, struct span listener);

/* All topics in the order of their creation: the first, and the one after `topic`; NULL at the end.
 */
const struct meta_topic *image_first_topic(const struct image *image);
const struct meta_topic *image_next_topic(const struct meta_topic *topic);

/* False when a change can raise the partition's epochs no more; when that is so for any partition
 * that the broker is a replica of. */
bool meta_epochs_can_rise(const struct meta_partition *partition);
bool image_epochs_can_rise(const struct image *image, int32_t broker_id);

const int32_t *meta_replicas(const struct meta_partition *partition);
const int32_t *meta_isr(const struct meta_partition *partition);
const int32_t *meta_elr(const struct meta_partition *partition);
int32_t meta_last_known_leader(const struct meta_partition *partition); /* or META_NO_LEADER */
bool meta_is_member(const int32_t *list, uint32_t count, int32_t broker_id);

/* What counts for a topic on every node alike: its own settings, or else the cluster's. */
void image_topic_rules(const struct image *image, const struct meta_topic *topic,
                       struct topic_conf_agreed *ret_rules);

/* broker.session.timeout.ms, as the cluster has agreed on it. */
uint64_t image_session_timeout_ms(const struct image *image);

/* How many replicas have to be in sync for anything to be committed, where the topic's
 * min.insync.replicas is this: never more than there are (KIP-966). */
uint32_t meta_isr_least(uint32_t min_insync_replicas, uint32_t replicas_count);

/* True for a broker that may be given leaderships and replicas: neither fenced nor shutting down.
 * How many there are. */
bool meta_broker_is_live(const struct meta_broker *broker);
uint32_t image_live_brokers(const struct image *image);

/* Writes the records that give an equal image when they are applied to an empty one. `write` gets
 * each; anything but ERR_NONE ends the walk with that error. */
int image_save(const struct image *image, void *context,
               int (*write)(void *context, const struct meta_record *record));

/* A digest of all that image_save() writes: equal images have equal digests. */
uint64_t image_digest(const struct image *image);

#endif
