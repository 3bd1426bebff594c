/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small files beside a partition's segments, from arbitrary bytes: whatever is taken is written
 * back as it was. The first byte chooses the file.
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

enum file { CHECKPOINT, METADATA, EPOCHS, INDEX, PRODUCERS, PRODUCERS_MENDED, FILES };

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

static void metadata(struct span text)
{
    uint8_t out[PARTITION_METADATA_BYTES];
    struct uuid id;

    if (partition_metadata_read(text, &id) != ERR_NONE)
        return;
    partition_metadata_write(id, out);
    CHECK(span_equal(text, span_of(out, sizeof(out))));
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
    if (producers_snapshot_read(&producers, bytes) == ERR_NONE) {
        CHECK(producers_snapshot_size(&producers) == bytes.length);
        producers_snapshot_write(&producers, out);
        producers_clear(&producers);
        CHECK(producers_snapshot_read(&producers, span_of(out, bytes.length)) == ERR_NONE);
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
    else
        producer_file(bytes, &memory, out);
    for (int budget = 0; budget < MEMORY_BUDGETS; budget++)
        CHECK(memory.used_bytes[budget] == 0);
    free(out);
    free(copy);
    return 0;
}
