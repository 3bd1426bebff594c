/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small files beside a partition's segments, from arbitrary bytes: whatever is taken is written
 * back as it was; and what an index and the producers make of arbitrary batches. The first byte
 * chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/log/checkpoint.h"
#include "core/log/epochs.h"
#include "core/log/index.h"
#include "core/log/producers.h"
#include "core/wire/error.h"
#include "fuzz/fuzz.h"

#define ARENA_BYTES   (1u << 20)
#define SEGMENT_BYTES (1u << 20)
#define ITEM_BYTES    8

enum file {
    CHECKPOINT,
    METADATA,
    EPOCHS,
    INDEX,
    PRODUCERS,
    PRODUCERS_MENDED,
    INDEX_BUILT,
    PRODUCERS_MET,
    FILES
};

static void *take(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static void checkpoint(struct span text, struct memory *memory, uint8_t *out)
{
    struct checkpoint_entry *entries;
    struct text_writer writer;
    struct arena arena;
    uint32_t count;

    arena_init(&arena, memory, MEMORY_READ, ARENA_BYTES);
    if (checkpoint_read(text, &arena, &entries, &count) == ERR_NONE) {
        checkpoint_write_head(&writer, out, text.length, count);
        for (uint32_t i = 0; i < count; i++)
            checkpoint_write_entry(&writer, entries[i].topic, entries[i].partition,
                                   entries[i].offset);
        CHECK(writer.length == text.length && memcmp(out, text.data, writer.length) == 0);
    }
    arena_reset(&arena);
}

/* Kafka's own have no line feed at the end. */
static void metadata(struct span text)
{
    uint8_t out[PARTITION_METADATA_BYTES];
    struct uuid id;

    if (partition_metadata_read(text, &id) != ERR_NONE)
        return;
    partition_metadata_write(id, out);
    CHECK(text.length >= sizeof(out) - 1 && span_equal(text, span_of(out, text.length)));
}

/* From both ends, up to the one in the middle; then an older one takes all places. */
static void cut_epochs(struct epochs *epochs)
{
    if (epochs->count == 0)
        return;
    const struct epoch_start middle = epochs->entries[epochs->count / 2];
    epochs_truncate_end(epochs, middle.offset + 1);
    epochs_truncate_start(epochs, middle.offset);
    CHECK(epochs->count == 1 && epochs_at(epochs, middle.offset) == middle.epoch);
    CHECK(!epochs_truncate_start(epochs, middle.offset));
    CHECK(!epochs_truncate_end(epochs, middle.offset + 1));
    if (middle.epoch < INT32_MAX)
        epochs_assign(epochs, middle.epoch + 1, 0);
    CHECK(epochs->count == 1);
}

static void epoch_file(struct span text, struct memory *memory, uint8_t *out)
{
    struct epochs epochs;
    int32_t epoch;
    int64_t end;

    epochs_init(&epochs, memory);
    if (epochs_decode(&epochs, text) == ERR_NONE) {
        CHECK(epochs_encode(&epochs, out, text.length) == text.length);
        CHECK(memcmp(out, text.data, text.length) == 0);
        for (uint32_t i = 0; i < epochs.count; i++) {
            epochs_end(&epochs, epochs.entries[i].epoch, INT64_MAX, &epoch, &end);
            CHECK(epoch == epochs.entries[i].epoch && end > epochs.entries[i].offset);
            CHECK(epochs_at(&epochs, epochs.entries[i].offset) == epoch);
        }
        cut_epochs(&epochs);
    } else {
        CHECK(epochs.count == 0);
    }
    epochs_free(&epochs);
}

/* Cut in two by the second byte: the offsets' file and the times'. */
static void index_files(struct span bytes, struct memory *memory)
{
    struct index index;

    if (bytes.length == 0)
        return;
    const size_t cut = bytes.data[0] < bytes.length ? bytes.data[0] : bytes.length - 1;
    const struct span offsets = span_of(bytes.data + 1, cut);
    const struct span times = span_of(bytes.data + 1 + cut, bytes.length - 1 - cut);
    index_init(&index, memory, 0);
    if (index_load(&index, offsets, times, SEGMENT_BYTES) == ERR_NONE) {
        const struct span kept = index_offset_bytes(&index);
        CHECK(kept.length <= offsets.length);
        CHECK(kept.length == 0 || memcmp(kept.data, offsets.data, kept.length) == 0);
        for (int64_t at = 0; at <= INT32_MAX; at += 1 << 24) {
            CHECK(index_position(&index, at) < SEGMENT_BYTES);
            CHECK(index_offset_by_time(&index, at) >= 0);
        }
        index_truncate(&index, 1 << 20);
        CHECK(index_position(&index, INT64_MAX) < SEGMENT_BYTES);
    } else {
        CHECK(index.offsets.count == 0 && index.times.count == 0);
    }
    index_free(&index);
}

/* What is not kept (transactions) is lost the first time: the second copy is that of the first. */
static void producer_file(struct span bytes, struct memory *memory, uint8_t *out)
{
    struct producers producers;

    producers_init(&producers, memory, 1);
    if (producers_snapshot_read(&producers, bytes, 0) == ERR_NONE) {
        CHECK(producers_snapshot_size(&producers) == bytes.length);
        producers_snapshot_write(&producers, out);
        producers_clear(&producers);
        CHECK(producers_snapshot_read(&producers, span_of(out, bytes.length), 0) == ERR_NONE);
        uint8_t *again = malloc(bytes.length);
        CHECK(again != NULL);
        producers_snapshot_write(&producers, again);
        CHECK(memcmp(out, again, bytes.length) == 0);
        free(again);
    } else {
        CHECK(producers_count(&producers) == 0);
    }
    producers_clear(&producers);
}

/* A batch from ITEM_BYTES. */
static struct batch_info batch_from(const uint8_t *at, int64_t base_offset)
{
    return (struct batch_info){
        .base_offset = base_offset,
        .size_bytes = BATCH_HEADER_BYTES + at[0],
        .last_offset_delta = at[1],
        .max_timestamp_ms = get_be16(at + 2),
        .producer_id = at[4] % 8 - 1,
        .producer_epoch = at[5] % 4,
        .base_sequence = at[6] == 0xff ? INT32_MAX - at[7] : at[7],
        .attributes = at[6] == 0xfe ? BATCH_CONTROL : 0,
    };
}

/* Batches that were appended are found in the index, and in one that is read from its files. */
static void build_index(struct span bytes, struct memory *memory)
{
    const struct index_settings settings = {.interval_bytes = 100, .limit_bytes = 200};
    struct index index;
    struct index again;
    int64_t offset = 0;
    uint32_t position = 0;

    index_init(&index, memory, 0);
    index_init(&again, memory, 0);
    for (; bytes.length >= ITEM_BYTES;
         bytes = span_of(bytes.data + ITEM_BYTES, bytes.length - ITEM_BYTES)) {
        const struct batch_info info = batch_from(bytes.data, offset);
        index_append(&index, &settings, &info, position);
        CHECK(index_position(&index, batch_last_offset(&info)) <= position);
        offset = batch_last_offset(&info) + 1;
        position += info.size_bytes;
    }
    index_finish(&index);
    CHECK(index_load(&again, index_offset_bytes(&index), index_time_bytes(&index), position + 1) ==
          ERR_NONE);
    for (int64_t at = 0; at < offset; at += 64)
        CHECK(index_position(&again, at) == index_position(&index, at));
    index_free(&index);
    index_free(&again);
}

/* What is appended is a duplicate from then on; in the end all producers expire. */
static void meet_producers(struct span bytes, struct memory *memory)
{
    struct producers producers;
    struct producer_batch original;
    int64_t offset = 0;

    producers_init(&producers, memory, 1);
    for (; bytes.length >= ITEM_BYTES;
         bytes = span_of(bytes.data + ITEM_BYTES, bytes.length - ITEM_BYTES)) {
        const struct batch_info info = batch_from(bytes.data, offset);
        const int error = producers_check(&producers, &info, &original);
        if (error != ERR_NONE)
            continue;
        producers_update(&producers, &info, info.max_timestamp_ms);
        if (batch_has_producer(&info) && !batch_is_control(&info))
            CHECK(producers_check(&producers, &info, &original) == ERR_DUPLICATE_SEQUENCE_NUMBER);
        offset = batch_last_offset(&info) + 1;
    }
    producers_expire(&producers, UINT16_MAX / 2, 1);
    CHECK(producers_expire(&producers, UINT16_MAX + 1, 1) == INT64_MAX);
    CHECK(producers_count(&producers) == 0);
    producers_clear(&producers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory;

    if (size == 0)
        return 0;
    const size_t length = size - 1;
    uint8_t *copy = malloc(length + 1);
    uint8_t *out = malloc(length + 1);
    CHECK(copy != NULL && out != NULL);
    memcpy(copy, data + 1, length);
    memory_init(&memory, (struct allocator){.allocate = take, .release = give});
    const struct span bytes = span_of(copy, length);
    const enum file file = (enum file)(data[0] % FILES);
    if (file == PRODUCERS_MENDED && length >= 10)
        put_be32(copy + 2, crc32c(0, copy + 6, length - 6));
    if (file == CHECKPOINT)
        checkpoint(bytes, &memory, out);
    else if (file == METADATA)
        metadata(bytes);
    else if (file == EPOCHS)
        epoch_file(bytes, &memory, out);
    else if (file == INDEX)
        index_files(bytes, &memory);
    else if (file == INDEX_BUILT)
        build_index(bytes, &memory);
    else if (file == PRODUCERS_MET)
        meet_producers(bytes, &memory);
    else
        producer_file(bytes, &memory, out);
    for (int budget = 0; budget < MEMORY_BUDGETS; budget++)
        CHECK(memory.used_bytes[budget] == 0);
    free(out);
    free(copy);
    return 0;
}
