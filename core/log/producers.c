/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/producers.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/wire/error.h"

#define SNAPSHOT_VERSION 1

/* The snapshot file: version, checksum of all that follows, count, entries. */
enum {
    SNAPSHOT_AT_CRC = 2,
    SNAPSHOT_AT_COUNT = 6,
    SNAPSHOT_HEAD_BYTES = 10,
};

/* One entry. */
enum {
    ENTRY_AT_EPOCH = 8,
    ENTRY_AT_LAST_SEQUENCE = 10,
    ENTRY_AT_LAST_OFFSET = 14,
    ENTRY_AT_OFFSET_DELTA = 22,
    ENTRY_AT_TIMESTAMP = 26,
    ENTRY_AT_COORDINATOR_EPOCH = 34,
    ENTRY_AT_TXN_FIRST_OFFSET = 38,
    ENTRY_BYTES = 46,
};

/* No coordinator has ended, and no transaction begun, as long as there are none. */
#define NO_COORDINATOR_EPOCH (-1)
#define NO_TXN_FIRST_OFFSET  (-1)

struct producer {
    struct map_node by_id;
    struct list by_age;
    int64_t id;
    int64_t timestamp_ms; /* of the last batch */
    int64_t noted_ms;     /* when it was noted */
    int16_t epoch;
    uint8_t batches_count;
    struct producer_batch batches[PRODUCER_BATCHES_MAX]; /* oldest first */
};

void producers_init(struct producers *producers, struct memory *memory, uint64_t seed)
{
    producers->memory = memory;
    map_init(&producers->by_id, memory, seed);
    list_init(&producers->by_age);
}

static void producer_forget(struct producers *producers, struct producer *producer)
{
    map_remove(&producers->by_id, &producer->by_id);
    list_remove(&producer->by_age);
    memory_give(producers->memory, MEMORY_STATE, producer, sizeof(*producer));
}

void producers_clear(struct producers *producers)
{
    while (!list_empty(&producers->by_age))
        producer_forget(producers, container_of(producers->by_age.next, struct producer, by_age));
    map_clear(&producers->by_id);
}

uint32_t producers_count(const struct producers *producers)
{
    return map_count(&producers->by_id);
}

static struct producer *producer_find(const struct producers *producers, int64_t id)
{
    struct map_node *node = map_find(&producers->by_id, span_of(&id, sizeof(id)));

    return node == NULL ? NULL : container_of(node, struct producer, by_id);
}

/* A producer that is not there yet, as the youngest. */
static struct producer *producer_add(struct producers *producers, int64_t id, int16_t epoch)
{
    if (producers_count(producers) >= PRODUCERS_MAX)
        producer_forget(producers, container_of(producers->by_age.next, struct producer, by_age));
    struct producer *producer = memory_new(producers->memory, struct producer);
    producer->id = id;
    producer->epoch = epoch;
    producer->timestamp_ms = BATCH_NO_TIMESTAMP;
    map_add(&producers->by_id, &producer->by_id, span_of(&producer->id, sizeof(producer->id)));
    list_append(&producers->by_age, &producer->by_age);
    return producer;
}

static int32_t sequence_after(int32_t sequence)
{
    return sequence == INT32_MAX ? 0 : sequence + 1;
}

static int32_t sequence_first(const struct producer_batch *batch)
{
    /* Past INT32_MAX they begin at 0 again. */
    const uint32_t first = (uint32_t)batch->last_sequence - (uint32_t)batch->offset_delta;
    return (int32_t)(first & INT32_MAX);
}

/* What the producer's next batch begins with. */
static int32_t sequence_expected(const struct producer *producer)
{
    return producer->batches_count == 0
               ? 0
               : sequence_after(producer->batches[producer->batches_count - 1].last_sequence);
}

static bool is_same_batch(const struct producer_batch *batch, const struct batch_info *info)
{
    return batch->last_sequence == batch_last_sequence(info) &&
           batch->offset_delta == info->last_offset_delta;
}

int producers_check(const struct producers *producers, const struct batch_info *info,
                    struct producer_batch *ret_original)
{
    const struct producer *producer = producer_find(producers, info->producer_id);

    if (producer == NULL)
        return ERR_NONE;
    if (info->producer_epoch < producer->epoch)
        return ERR_INVALID_PRODUCER_EPOCH;
    if (info->producer_epoch > producer->epoch)
        return info->base_sequence == 0 ? ERR_NONE : ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    for (uint32_t i = 0; i < producer->batches_count; i++) {
        if (is_same_batch(&producer->batches[i], info)) {
            *ret_original = producer->batches[i];
            return ERR_DUPLICATE_SEQUENCE_NUMBER;
        }
    }
    return info->base_sequence == sequence_expected(producer) ? ERR_NONE
                                                              : ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

static void producer_note(struct producer *producer, struct producer_batch batch)
{
    if (producer->batches_count == PRODUCER_BATCHES_MAX) {
        producer->batches_count--;
        memmove(producer->batches, producer->batches + 1,
                producer->batches_count * sizeof(producer->batches[0]));
    }
    producer->batches[producer->batches_count++] = batch;
}

void producers_update(struct producers *producers, const struct batch_info *info, int64_t now_ms)
{
    if (!batch_has_producer(info))
        return;
    struct producer *producer = producer_find(producers, info->producer_id);
    if (producer == NULL)
        producer = producer_add(producers, info->producer_id, info->producer_epoch);
    list_remove(&producer->by_age);
    list_append(&producers->by_age, &producer->by_age);
    if (producer->epoch != info->producer_epoch) {
        producer->epoch = info->producer_epoch;
        producer->batches_count = 0;
    }
    producer->timestamp_ms = info->max_timestamp_ms;
    producer->noted_ms = now_ms;
    /* A transaction's marker has no sequence. */
    if (batch_is_control(info))
        return;
    /* Whoever wrote this had forgotten what came before. */
    if (info->base_sequence != sequence_expected(producer))
        producer->batches_count = 0;
    producer_note(producer, (struct producer_batch){
                                .last_sequence = batch_last_sequence(info),
                                .offset_delta = info->last_offset_delta,
                                .last_offset = batch_last_offset(info),
                                .timestamp_ms = info->max_timestamp_ms,
                            });
}

int64_t producers_expire(struct producers *producers, int64_t now_ms, int64_t expiration_ms)
{
    int64_t next_ms = INT64_MAX;
    struct list *node;
    struct list *next;

    list_each(&producers->by_age, node, next)
    {
        struct producer *producer = container_of(node, struct producer, by_age);
        int64_t expires_ms;
        if (__builtin_add_overflow(producer->noted_ms, expiration_ms, &expires_ms))
            expires_ms = INT64_MAX;
        if (expires_ms <= now_ms)
            producer_forget(producers, producer);
        else if (expires_ms < next_ms)
            next_ms = expires_ms;
    }
    return next_ms;
}

/* Of a producer without batches its epoch is kept. */
static uint32_t entries_count(const struct producers *producers)
{
    uint32_t count = 0;
    for (struct list *node = producers->by_age.next; node != &producers->by_age;
         node = node->next) {
        const struct producer *producer = container_of(node, struct producer, by_age);
        count += producer->batches_count == 0 ? 1 : producer->batches_count;
    }
    return count;
}

size_t producers_snapshot_size(const struct producers *producers)
{
    return SNAPSHOT_HEAD_BYTES + (size_t)entries_count(producers) * ENTRY_BYTES;
}

static void entry_write(uint8_t *at, const struct producer *producer,
                        const struct producer_batch *batch)
{
    put_be64(at, (uint64_t)producer->id);
    put_be16(at + ENTRY_AT_EPOCH, (uint16_t)producer->epoch);
    put_be32(at + ENTRY_AT_LAST_SEQUENCE, (uint32_t)batch->last_sequence);
    put_be64(at + ENTRY_AT_LAST_OFFSET, (uint64_t)batch->last_offset);
    put_be32(at + ENTRY_AT_OFFSET_DELTA, (uint32_t)batch->offset_delta);
    put_be64(at + ENTRY_AT_TIMESTAMP, (uint64_t)batch->timestamp_ms);
    put_be32(at + ENTRY_AT_COORDINATOR_EPOCH, (uint32_t)NO_COORDINATOR_EPOCH);
    put_be64(at + ENTRY_AT_TXN_FIRST_OFFSET, (uint64_t)NO_TXN_FIRST_OFFSET);
}

/* Its batches, oldest first: a reader that keeps one batch of each keeps the newest. Returns where
 * the next producer's go. */
static uint8_t *entries_write(uint8_t *at, const struct producer *producer)
{
    const struct producer_batch none = {
        .last_sequence = BATCH_NO_SEQUENCE,
        .last_offset = -1,
        .timestamp_ms = producer->timestamp_ms,
    };
    if (producer->batches_count == 0) {
        entry_write(at, producer, &none);
        return at + ENTRY_BYTES;
    }
    for (uint32_t i = 0; i < producer->batches_count; i++) {
        entry_write(at, producer, &producer->batches[i]);
        at += ENTRY_BYTES;
    }
    /* A transaction's marker may have come since. */
    put_be64(at - ENTRY_BYTES + ENTRY_AT_TIMESTAMP, (uint64_t)producer->timestamp_ms);
    return at;
}

void producers_snapshot_write(const struct producers *producers, uint8_t *out)
{
    const size_t size = producers_snapshot_size(producers);
    uint8_t *at = out + SNAPSHOT_HEAD_BYTES;

    put_be16(out, SNAPSHOT_VERSION);
    put_be32(out + SNAPSHOT_AT_COUNT, entries_count(producers));
    for (struct list *node = producers->by_age.next; node != &producers->by_age; node = node->next)
        at = entries_write(at, container_of(node, struct producer, by_age));
    CHECK(at == out + size);
    put_be32(out + SNAPSHOT_AT_CRC, crc32c(0, out + SNAPSHOT_AT_COUNT, size - SNAPSHOT_AT_COUNT));
}

/* The batch is the one behind the producer's last. */
static bool batch_follows(const struct producer *producer, int16_t epoch,
                          const struct producer_batch *batch)
{
    return producer->epoch == epoch && producer->batches_count > 0 &&
           batch->last_offset - batch->offset_delta >
               producer->batches[producer->batches_count - 1].last_offset &&
           sequence_first(batch) == sequence_expected(producer);
}

static int entry_read(struct producers *producers, const uint8_t *at, int64_t now_ms)
{
    const int64_t id = (int64_t)get_be64(at);
    const int16_t epoch = (int16_t)get_be16(at + ENTRY_AT_EPOCH);
    const struct producer_batch batch = {
        .last_sequence = (int32_t)get_be32(at + ENTRY_AT_LAST_SEQUENCE),
        .last_offset = (int64_t)get_be64(at + ENTRY_AT_LAST_OFFSET),
        .offset_delta = (int32_t)get_be32(at + ENTRY_AT_OFFSET_DELTA),
        .timestamp_ms = (int64_t)get_be64(at + ENTRY_AT_TIMESTAMP),
    };

    struct producer *producer = producer_find(producers, id);
    const bool has_batch = batch.last_sequence != BATCH_NO_SEQUENCE;

    if (id < 0 || epoch < 0)
        return ERR_MALFORMED;
    if (has_batch && (batch.last_sequence < 0 || batch.offset_delta < 0 ||
                      batch.last_offset < batch.offset_delta))
        return ERR_MALFORMED;
    if (producer != NULL && !(has_batch && batch_follows(producer, epoch, &batch)))
        return ERR_MALFORMED;
    if (producer == NULL)
        producer = producer_add(producers, id, epoch);
    producer->timestamp_ms = batch.timestamp_ms;
    producer->noted_ms = now_ms;
    if (has_batch)
        producer_note(producer, batch);
    return ERR_NONE;
}

int producers_snapshot_read(struct producers *producers, struct span bytes, int64_t now_ms)
{
    if (bytes.length < SNAPSHOT_HEAD_BYTES || get_be16(bytes.data) != SNAPSHOT_VERSION)
        return ERR_MALFORMED;
    const uint32_t count = get_be32(bytes.data + SNAPSHOT_AT_COUNT);
    if (bytes.length != SNAPSHOT_HEAD_BYTES + (uint64_t)count * ENTRY_BYTES ||
        get_be32(bytes.data + SNAPSHOT_AT_CRC) !=
            crc32c(0, bytes.data + SNAPSHOT_AT_COUNT, bytes.length - SNAPSHOT_AT_COUNT))
        return ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        if (entry_read(producers, bytes.data + SNAPSHOT_HEAD_BYTES + (size_t)i * ENTRY_BYTES,
                       now_ms) != ERR_NONE) {
            producers_clear(producers);
            return ERR_MALFORMED;
        }
    }
    return ERR_NONE;
}
