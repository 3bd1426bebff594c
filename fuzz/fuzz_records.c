/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends for one partition: validated, and whatever passes is walked. Then the same
 * bytes as a segment's: found batch by batch and walked. The first byte chooses the rules; with
 * MEND the length and checksum are made right first, since chance would never find them.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/codec.h"
#include "core/base/check.h"
#include "core/records/record.h"
#include "core/records/validate.h"
#include "core/wire/error.h"
#include "fuzz/fuzz.h"

#define COMPACTED       0x01
#define LOG_APPEND_TIME 0x02
#define OLD_PRODUCE     0x04
#define TIME_LIMITS     0x08
#define MEND            0x10

#define WALL_MS     INT64_C(1700000000000)
#define HOUR_MS     INT64_C(3600000)
#define LIMIT_BYTES (1u << 20)
#define RECORDS_MAX (1 << 20)

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

static void mend(uint8_t *bytes, size_t length)
{
    if (length < BATCH_HEADER_BYTES)
        return;
    put_be32(bytes + BATCH_AT_LENGTH, (uint32_t)(length - BATCH_PREFIX_BYTES));
    put_be32(bytes + BATCH_AT_CRC, batch_checksum(bytes, length));
}

/* Walks the records of a batch and their headers; returns how many there are. */
static int32_t walk(struct span batch, const struct codecs *codecs, struct arena *arena,
                    bool need_keys, bool strict, int *ret_error)
{
    struct record_cursor cursor;
    struct record record;
    int32_t count = 0;

    *ret_error = record_cursor_open(batch, codecs, LIMIT_BYTES, arena, &cursor);
    if (*ret_error != ERR_NONE)
        return 0;
    const int64_t base_offset = cursor.base_offset;
    while (record_next(&cursor, &record)) {
        struct span key;
        struct span value;
        int32_t headers = 0;
        while (record_header_next(&record.headers, &key, &value))
            headers++;
        CHECK(headers == record.headers_count && record.headers.length == 0);
        CHECK(!need_keys || !span_is_null(record.key));
        CHECK(!strict || record.offset == base_offset + count);
        count++;
    }
    *ret_error = cursor.error;
    return count;
}

/* What the validation let pass is a whole batch whose records all come out. */
static void check_accepted(struct span batch, const struct batch_info *info,
                           const struct batch_rules *rules)
{
    struct batch_info found;
    struct span same;
    int error;

    CHECK(batch_next(batch, batch.length, BATCH_CHECK_CRC, &same, &found) == BATCH_FOUND);
    CHECK(same.length == batch.length && found.crc == info->crc &&
          found.max_timestamp_ms == info->max_timestamp_ms &&
          found.record_count == info->record_count);
    CHECK(info->record_count > 0 && !batch_is_control(info) && info->base_offset == 0);
    const bool opened = batch_codec(info) == CODEC_NONE || rules->compacted;
    const int32_t count =
        walk(batch, rules->codecs, rules->arena, rules->compacted && opened, opened, &error);
    if (opened)
        CHECK((error == ERR_NONE && count == info->record_count) || error == ERR_MESSAGE_TOO_LARGE);
}

static void check_refused(const struct batch_fault *fault)
{
    CHECK(fault->message != NULL && fault->records_count <= BATCH_FAULT_RECORDS_MAX);
    for (uint32_t i = 0; i < fault->records_count; i++) {
        CHECK(fault->records[i].index >= 0 && fault->records[i].message != NULL);
        CHECK(i == 0 || fault->records[i].index > fault->records[i - 1].index);
    }
}

static void scan(struct span file, const struct codecs *codecs, struct arena *arena)
{
    struct span batch;
    int error;

    while (batch_next(file, file.length, BATCH_CHECK_HEADER, &batch, NULL) == BATCH_FOUND) {
        struct span checked;
        const enum batch_found found =
            batch_next(file, file.length, BATCH_CHECK_CRC, &checked, NULL);
        CHECK(found == BATCH_FOUND || found == BATCH_CORRUPT);
        CHECK(batch.length >= BATCH_HEADER_BYTES && batch.length <= file.length);
        CHECK(walk(batch, codecs, arena, false, false, &error) <= RECORDS_MAX);
        arena_reset(arena);
        file = span_of(file.data + batch.length, file.length - batch.length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Loading anew for every input would take most of the time. */
    static struct codec_libraries libraries;
    struct memory memory;
    struct arena arena;
    struct batch_info info;
    struct batch_fault fault = {.message = NULL};

    if (size == 0)
        return 0;
    const uint8_t flags = data[0];
    const size_t length = size - 1;
    uint8_t *bytes = malloc(length > 0 ? length : 1);
    CHECK(bytes != NULL);
    memcpy(bytes, data + 1, length);
    if ((flags & MEND) != 0)
        mend(bytes, length);
    memory_init(&memory, (struct allocator){.allocate = take, .release = give});
    arena_init(&arena, &memory, MEMORY_REQUEST, 4 * LIMIT_BYTES);
    const struct codecs codecs = codec_libraries_lend(&libraries);
    const struct batch_rules rules = {
        .max_message_bytes = LIMIT_BYTES,
        .produce_version = (flags & OLD_PRODUCE) != 0 ? 3 : 13,
        .compacted = (flags & COMPACTED) != 0,
        .log_append_time = (flags & LOG_APPEND_TIME) != 0,
        .wall_ms = WALL_MS,
        .timestamp_before_max_ms = (flags & TIME_LIMITS) != 0 ? HOUR_MS : INT64_MAX,
        .timestamp_after_max_ms = (flags & TIME_LIMITS) != 0 ? HOUR_MS : INT64_MAX,
        .codecs = &codecs,
        .arena = &arena,
    };
    if (batch_validate(bytes, length, &rules, &info, &fault) == ERR_NONE)
        check_accepted(span_of(bytes, length), &info, &rules);
    else
        check_refused(&fault);
    arena_reset(&arena);
    scan(span_of(bytes, length), &codecs, &arena);
    free(bytes);
    return 0;
}
