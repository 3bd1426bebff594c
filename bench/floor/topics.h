/* SPDX-License-Identifier: Apache-2.0 */
/* Topics, and the log of each partition: what lies where in its file. */
#ifndef BENCH_FLOOR_TOPICS_H
#define BENCH_FLOOR_TOPICS_H

#include "bench/floor/block.h"
#include "core/base/span.h"

#define TOPICS_MAX     64
#define TOPIC_NAME_MAX 249
#define PARTITIONS_MAX 1024 /* of all topics */
#define NO_BATCH       UINT32_MAX

/* A batch in the file. */
struct place {
    int64_t offset; /* of its first record */
    uint32_t position;
    uint32_t length;
};

struct partition {
    struct topic *topic;
    uint32_t number; /* among all; what followers know it by */
    int32_t index;   /* in its topic */
    struct block block;
    uint64_t position; /* where the next batch goes */
    int64_t end;       /* offset of the next record */
    int64_t visible;   /* what may be fetched ends here */
    /* The batches that can be fetched, a ring; `first` and `count` only grow. */
    struct place *places;
    uint64_t places_capacity; /* a power of two */
    uint64_t places_first;
    uint64_t places_next;
    /* This turn's batches, by their places in the turn (bench/floor/turn.h). */
    uint32_t turn_first;
    uint32_t turn_last;
};

struct topic {
    char name[TOPIC_NAME_MAX + 1];
    size_t name_length;
    struct partition *partitions;
    int32_t partitions_count;
};

struct topics {
    int folder;
    uint64_t block_bytes;
    bool durable;
    struct topic topics[TOPICS_MAX];
    uint32_t count;
    struct partition *all[PARTITIONS_MAX];
    uint32_t all_count;
};

/* Makes the folder and opens it. Returns 0 or an errno. */
int topics_open(struct topics *topics, const char *folder, uint64_t block_bytes, bool durable);

/* The name of a partition's file, by its number. */
void topics_name_file(uint32_t number, char *ret_name, size_t size);

/* Finds a topic; NULL when there is none. */
struct topic *topics_find(struct topics *topics, const uint8_t *name, size_t length);

/* Makes a topic. Returns ERR_NONE or the error for the client. */
int16_t topics_create(struct topics *topics, struct span name, int32_t partitions);

/* Gives a batch of at most the block's length its place and offsets: `ret_position` is where in the
 * file it is to be written. */
void partition_append(struct partition *partition, uint32_t length, uint32_t records,
                      uint64_t *ret_position);

/* The offset of the first record that is still in the file. */
int64_t partition_start(const struct partition *partition);

/* Where in the file the visible batches from `offset` (≥ the start, < partition->visible) on lie:
 * whole ones, at most `max` bytes of them but one at least. */
void partition_find(const struct partition *partition, int64_t offset, uint32_t max,
                    uint64_t *ret_position, uint32_t *ret_length);

#endif
