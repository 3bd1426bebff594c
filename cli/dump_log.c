/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of a log, and snapshots of metadata: record batches one after the other. */
#include "cli/dump.h"

#include <string.h>

#include "core/base/endian.h"
#include "core/wire/error.h"

/* What one batch may hold when it is decompressed. */
#define RECORDS_BYTES_MAX ((size_t)1 << 30)

static const char *const codec_names[CODECS] = {"none", "gzip", "snappy", "lz4", "zstd"};

static void print_batch(struct dump *dump, uint64_t position, const struct batch_info *info)
{
    dump_begin(dump, "batch", 0);
    dump_number(dump, "offset", info->base_offset);
    dump_number(dump, "last_offset", batch_last_offset(info));
    dump_number(dump, "position", (int64_t)position);
    dump_number(dump, "bytes", info->size_bytes);
    dump_number(dump, "records", info->record_count);
    dump_number(dump, "leader_epoch", info->leader_epoch);
    dump_time(dump, "base_time", info->base_timestamp_ms);
    dump_time(dump, "max_time", info->max_timestamp_ms);
    dump_text(dump, "codec", span_text(codec_names[batch_codec(info)]));
    if ((info->attributes & BATCH_LOG_APPEND_TIME) != 0)
        dump_flag(dump, "log_append_time");
    if (batch_has_producer(info)) {
        dump_number(dump, "producer_id", info->producer_id);
        dump_number(dump, "producer_epoch", info->producer_epoch);
        dump_number(dump, "base_sequence", info->base_sequence);
    }
    if (batch_is_transactional(info))
        dump_flag(dump, "transactional");
    if (batch_is_control(info))
        dump_flag(dump, "control");
    dump_end(dump);
}

static void print_records(struct dump *dump, enum dump_content content, uint64_t position,
                          struct span batch, const struct batch_info *info)
{
    struct record_cursor cursor;
    struct record record;
    int error = record_cursor_open(batch, &dump->codecs, RECORDS_BYTES_MAX, &dump->arena, &cursor);
    if (error == ERR_UNSUPPORTED_COMPRESSION_TYPE) {
        dump_wrong(dump, position,
                   "the library for %s is not installed, so that its records are "
                   "not shown",
                   codec_names[batch_codec(info)]);
        return;
    }
    if (error == ERR_NONE) {
        while (record_next(&cursor, &record))
            dump_record(dump, content, info, &record);
        error = cursor.error;
    }
    if (error != ERR_NONE)
        dump_wrong(dump, position, "the records of the batch at offset %lld cannot be read: %s",
                   (long long)info->base_offset, error_text(error));
}

/* Says why batch_next() found no batch at the beginning of `window`. */
static void say_corrupt(struct dump *dump, uint64_t position, struct span window)
{
    struct batch_info info;
    batch_info_read(window.data, &info);
    const uint32_t length = get_be32(window.data + BATCH_AT_LENGTH);
    if (info.magic != BATCH_MAGIC && info.magic >= 0 && info.magic < BATCH_MAGIC)
        dump_wrong(dump, position, "messages of format %d (before Kafka 0.11) are not known",
                   info.magic);
    else if (length >= BATCH_HEADER_BYTES - BATCH_PREFIX_BYTES && length <= INT32_MAX &&
             info.magic == BATCH_MAGIC && info.size_bytes <= window.length &&
             batch_checksum(window.data, info.size_bytes) != info.crc)
        dump_wrong(dump, position,
                   "the batch of offset %lld is damaged: its checksum is %08x, its "
                   "bytes give %08x",
                   (long long)info.base_offset, info.crc,
                   batch_checksum(window.data, info.size_bytes));
    else
        dump_wrong(dump, position, "these bytes are not a record batch");
}

/* Says how the file ends when it does not end with a batch. */
static void say_torn(struct dump *dump, struct dump_window *window, uint64_t position)
{
    const uint64_t left = dump->size_bytes - position;
    uint64_t zeros = 0;
    while (zeros < left && dump_show(dump, window, position + zeros, 1) == 0) {
        const size_t from = (size_t)(position + zeros - window->position);
        size_t at = from;
        while (at < window->length && window->bytes[at] == 0)
            at++;
        zeros += at - from;
        if (at < window->length || at == from)
            break;
    }
    if (zeros == left)
        dump_wrong(dump, position, "nothing but zeros follows, %llu in all",
                   (unsigned long long)left);
    else
        dump_wrong(dump, position, "the file ends inside of a batch, of which it has %llu bytes",
                   (unsigned long long)left);
}

/* Offsets and epochs never go back. */
static void check_order(struct dump *dump, uint64_t position, const struct batch_info *info,
                        int64_t next_offset, int32_t epoch)
{
    if (info->base_offset < next_offset)
        dump_wrong(dump, position, "the batch begins at offset %lld, after %lld was reached",
                   (long long)info->base_offset, (long long)next_offset);
    if (info->leader_epoch < epoch)
        dump_wrong(dump, position, "the batch of offset %lld has leader epoch %d, after %d",
                   (long long)info->base_offset, info->leader_epoch, epoch);
}

void dump_log(struct dump *dump, enum dump_content content, int64_t base_offset)
{
    struct dump_window window = {.position = 0};
    struct span batch = {.length = BATCH_HEADER_BYTES};
    struct batch_info info;
    int64_t next_offset = base_offset;
    int32_t epoch = INT32_MIN;
    uint64_t position = 0;
    for (;;) {
        if (dump_show(dump, &window, position, batch.length) != 0)
            break;
        const size_t step = (size_t)(position - window.position);
        size_t length = window.length - step;
        /* The file may grow or shrink while it is read. */
        const uint64_t remaining = position < dump->size_bytes ? dump->size_bytes - position : 0;
        length = length < remaining ? length : (size_t)remaining;
        const struct span shown = span_of(window.bytes + step, length);
        const size_t needed = batch.length;
        const enum batch_found found = batch_next(shown, remaining, BATCH_CHECK_CRC, &batch, &info);
        if (found == BATCH_NEEDS_MORE && batch.length > needed)
            continue;
        if (found != BATCH_FOUND) {
            if (found == BATCH_CORRUPT)
                say_corrupt(dump, position, shown);
            else if (found != BATCH_END)
                say_torn(dump, &window, position);
            break;
        }
        check_order(dump, position, &info, next_offset, epoch);
        print_batch(dump, position, &info);
        if (dump->records)
            print_records(dump, content, position, batch, &info);
        arena_reset(&dump->arena);
        next_offset = batch_last_offset(&info) + 1;
        epoch = info.leader_epoch;
        position += batch.length;
        batch.length = BATCH_HEADER_BYTES;
    }
    dump_window_free(&window);
}
