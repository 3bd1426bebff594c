/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling a torn tail from damage (PAR, FAST 2018: what cannot have been acknowledged may be cut,
 * what may have been must not). A power loss takes whole sectors of what no sync had covered, which
 * then read as zeros, or the end of the file. So damaged bytes among which no sector is zero, with
 * good batches behind them, were good once, and may have been promised to somebody.
 */
#include "core/log/recover.h"

#define SECTOR_BYTES 512

/* Bytes that are checksummed in the search for good batches before we rather ask the operator: of
 * those that look as a batch begins, records may be full. */
#define CHECKSUM_BYTES_MAX ((uint64_t)1024 * 1024 * 1024)

/* At most `most` bytes are looked at. */
static size_t zeros_at(struct span bytes, size_t at, size_t most)
{
    size_t count = 0;
    while (count < most && at + count < bytes.length && bytes.data[at + count] == 0)
        count++;
    return count;
}

/* The zeros at the end of a sector, where a batch should begin, are not what the batch begins with:
 * its base offset, and a length that is never zero. */
static bool is_no_prefix(size_t zeros, int64_t next_offset)
{
    uint8_t expected[BATCH_PREFIX_BYTES] = {0};
    put_be64(expected, (uint64_t)next_offset);
    expected[BATCH_PREFIX_BYTES - 1] = 1;
    for (size_t i = 0; i < zeros && i < sizeof(expected); i++) {
        if (expected[i] != 0)
            return true;
    }
    return false;
}

/* The end of a sector, in which the batch begins, shows zeros instead of its first bytes. */
bool damage_is_lost_begin(struct span batch, uint64_t position, int64_t next_offset)
{
    const size_t length = SECTOR_BYTES - (size_t)(position % SECTOR_BYTES);
    return length < SECTOR_BYTES && zeros_at(batch, 0, length) == length &&
           is_no_prefix(length, next_offset);
}

/* Zeros alone, up to where a good batch begins, are a write whose sync failed: its page may be
 * dropped before the next write to the same sector. A single one is what most batches end in. */
static bool is_lost_end(struct span rest, size_t at, size_t end)
{
    return end - at > 1 && zeros_at(rest, at, end - at) == end - at;
}

/* A sector that begins before `end` in `rest`, which lies at `position` of its file, shows zeros
 * instead of what was written. The last one is shared with a good batch, which may begin with
 * zeros. */
static bool has_lost_sector(struct span rest, size_t end, uint64_t position, int64_t next_offset)
{
    if (damage_is_lost_begin(rest, position, next_offset) || is_lost_end(rest, 0, end))
        return true;
    size_t at = (SECTOR_BYTES - (size_t)(position % SECTOR_BYTES)) % SECTOR_BYTES;
    for (; at < end; at += SECTOR_BYTES) {
        if (zeros_at(rest, at, SECTOR_BYTES) == SECTOR_BYTES || is_lost_end(rest, at, end))
            return true;
    }
    return false;
}

/* A batch with an offset of the same segment may begin here, and end within `rest`. */
static bool is_candidate(struct span rest, int64_t next_offset)
{
    const int64_t base_offset = (int64_t)get_be64(rest.data + BATCH_AT_BASE_OFFSET);
    return rest.data[BATCH_AT_MAGIC] == BATCH_MAGIC && base_offset > next_offset &&
           base_offset - next_offset <= INT32_MAX && base_offset <= LOG_OFFSET_MAX &&
           get_be32(rest.data + BATCH_AT_LENGTH) <= rest.length - BATCH_PREFIX_BYTES;
}

/* Good batches begin here, one offset after another, and go on to the end, or (unless `to_end`) to
 * where that is torn. Counts what it may have checksummed. */
static bool is_chain(struct span rest, int64_t next_offset, bool to_end, uint64_t *checksum_bytes)
{
    size_t at = 0;
    while (at < rest.length) {
        struct span batch;
        struct batch_info info;
        const struct span window = span_of(rest.data + at, rest.length - at);
        const enum batch_found found =
            batch_next(window, window.length, BATCH_CHECK_CRC, &batch, &info);
        if (found == BATCH_TORN)
            return at > 0 && !to_end;
        *checksum_bytes += get_be32(window.data + BATCH_AT_LENGTH);
        if (found != BATCH_FOUND || info.base_offset > LOG_OFFSET_MAX ||
            (at == 0 ? info.base_offset < next_offset : info.base_offset != next_offset))
            return false;
        next_offset = batch_last_offset(&info) + 1;
        at += batch.length;
    }
    return true;
}

/* Records may hold whole batches, made by a client who wants them to be taken for ours. Where the
 * file's end cuts a batch off, they count only if they go on to that very end. */
bool damage_is_torn(struct span rest, uint64_t position, int64_t next_offset, bool cut_off)
{
    uint64_t checksum_bytes = 0;
    for (size_t at = 1; at + BATCH_HEADER_BYTES <= rest.length; at++) {
        const struct span from = span_of(rest.data + at, rest.length - at);
        if (!is_candidate(from, next_offset))
            continue;
        if (is_chain(from, next_offset + 1, cut_off, &checksum_bytes))
            return has_lost_sector(rest, at, position, next_offset);
        if (checksum_bytes > CHECKSUM_BYTES_MAX)
            return false;
    }
    return true;
}
