/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/topics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/records/batch.h"
#include "core/wire/error.h"

int topics_open(struct topics *topics, const char *folder, uint64_t block_bytes, bool durable)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return errno;
    *topics = (struct topics){.block_bytes = block_bytes, .durable = durable};
    topics->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return topics->folder < 0 ? errno : 0;
}

void topics_name_file(uint32_t number, char *ret_name, size_t size)
{
    snprintf(ret_name, size, "%u.log", number);
}

struct topic *topics_find(struct topics *topics, const uint8_t *name, size_t length)
{
    for (uint32_t i = 0; i < topics->count; i++) {
        struct topic *topic = &topics->topics[i];
        if (topic->name_length == length && memcmp(topic->name, name, length) == 0)
            return topic;
    }
    return NULL;
}

/* Returns 0 or an errno. */
static int open_partition(struct topics *topics, struct topic *topic, int32_t index)
{
    struct partition *partition = &topic->partitions[index];
    char name[32];
    uint64_t capacity = 1;
    while (capacity < topics->block_bytes / BATCH_HEADER_BYTES)
        capacity *= 2;
    *partition = (struct partition){.topic = topic,
                                    .index = index,
                                    .number = topics->all_count,
                                    .places_capacity = capacity,
                                    .turn_first = NO_BATCH};
    /* Touched as it is used, and no more than that. */
    partition->places = malloc(capacity * sizeof(partition->places[0]));
    if (partition->places == NULL)
        return ENOMEM;
    topics_name_file(partition->number, name, sizeof(name));
    const int error =
        block_open(&partition->block, topics->folder, name, topics->block_bytes, topics->durable);
    topics->all[topics->all_count++] = partition;
    return error;
}

int16_t topics_create(struct topics *topics, struct span name, int32_t partitions)
{
    if (name.length == 0 || name.length > TOPIC_NAME_MAX || topics->count == TOPICS_MAX)
        return ERR_INVALID_TOPIC_EXCEPTION;
    if (topics_find(topics, name.data, name.length) != NULL)
        return ERR_TOPIC_ALREADY_EXISTS;
    partitions = partitions < 1 ? 1 : partitions;
    if ((uint32_t)partitions > PARTITIONS_MAX - topics->all_count)
        return ERR_INVALID_PARTITIONS;
    struct topic *topic = &topics->topics[topics->count++];
    memcpy(topic->name, name.data, name.length);
    topic->name_length = name.length;
    topic->partitions = calloc((size_t)partitions, sizeof(topic->partitions[0]));
    for (int32_t i = 0; topic->partitions != NULL && i < partitions; i++) {
        const int error = open_partition(topics, topic, i);
        if (error != 0) {
            fprintf(stderr, "floor: %s-%d: %s\n", topic->name, i, strerror(error));
            return ERR_KAFKA_STORAGE_ERROR;
        }
        topic->partitions_count++;
    }
    return ERR_NONE;
}

static struct place *place_at(const struct partition *partition, uint64_t number)
{
    return &partition->places[number & (partition->places_capacity - 1)];
}

/* Forgets batches of the last time around, from the oldest on, that begin before `position`. */
static void forget(struct partition *partition, uint64_t from, uint64_t until)
{
    while (partition->places_first < partition->places_next) {
        const struct place *oldest = place_at(partition, partition->places_first);
        if (oldest->position < from || oldest->position >= until)
            break;
        partition->places_first++;
    }
}

void partition_append(struct partition *partition, uint32_t length, uint32_t records,
                      uint64_t *ret_position)
{
    if (partition->position + length > partition->block.bytes) {
        forget(partition, partition->position, UINT64_MAX);
        partition->position = 0;
        if (partition->block.durable)
            partition->places_first = partition->places_next;
    }
    forget(partition, partition->position, partition->position + length);
    *place_at(partition, partition->places_next++) = (struct place){
        .offset = partition->end, .position = (uint32_t)partition->position, .length = length};
    *ret_position = partition->position;
    partition->position += length;
    partition->end += records;
}

int64_t partition_start(const struct partition *partition)
{
    return partition->places_first == partition->places_next
               ? partition->end
               : place_at(partition, partition->places_first)->offset;
}

void partition_find(const struct partition *partition, int64_t offset, uint32_t max,
                    uint64_t *ret_position, uint32_t *ret_length)
{
    uint64_t low = partition->places_first;
    uint64_t high = partition->places_next;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (place_at(partition, middle)->offset <= offset)
            low = middle;
        else
            high = middle;
    }
    const struct place *first = place_at(partition, low);
    /* The last batch that is whole within the limit; behind the file's end come lower positions. */
    high = partition->places_next;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        const struct place *place = place_at(partition, middle);
        if (place->offset < partition->visible && place->position > first->position &&
            place->position + place->length - first->position <= max)
            low = middle;
        else
            high = middle;
    }
    const struct place *last = place_at(partition, low);
    *ret_position = first->position;
    *ret_length = last->position + last->length - first->position;
}
