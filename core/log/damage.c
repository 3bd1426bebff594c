/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling a torn tail from damage (PAR, FAST 2018: what cannot have been acknowledged may be cut,
 * what may have been must not). A power loss takes whole sectors of what no sync had covered, which
 * then read as zeros, or the end of the file. So damaged bytes among which no sector is zero, with
 * good batches behind them, were good once, and may have been promised to somebody.
 */
#include "core/log/recover.h"

#define SECTOR_BYTES 512

/* Places that may look like a batch before we rather ask the operator. */
#define CANDIDATES_MAX 4096

/* A whole sector of zeros within `bytes`, which begin at `position` of their file; a sector that
 * the bytes share with others counts by the part that is theirs. */
static bool has_lost_sector(struct span bytes, uint64_t position)
{
    size_t at = 0;
    while (at < bytes.length) {
        size_t end = at + SECTOR_BYTES - (size_t)((position + at) % SECTOR_BYTES);
        if (end > bytes.length)
            end = bytes.length;
        size_t zeros = at;
        while (zeros < end && bytes.data[zeros] == 0)
            zeros++;
        /* A few zero bytes at either end of a batch prove nothing. */
        if (zeros == end && end - at >= SECTOR_BYTES / 8)
            return true;
        at = end;
    }
    return false;
}

/* Good batches begin here, and go on to the end or to where that is torn. */
static bool is_chain(struct span rest, int64_t next_offset)
{
    size_t at = 0;
    while (at < rest.length) {
        struct span batch;
        struct batch_info info;
        const struct span window = span_of(rest.data + at, rest.length - at);
        const enum batch_found found =
            batch_next(window, window.length, BATCH_CHECK_CRC, &batch, &info);
        if (found == BATCH_TORN)
            return at > 0;
        if (found != BATCH_FOUND || info.base_offset < next_offset ||
            info.base_offset > LOG_OFFSET_MAX)
            return false;
        next_offset = batch_last_offset(&info) + 1;
        at += batch.length;
    }
    return true;
}

bool damage_is_torn(struct span rest, uint64_t position, int64_t next_offset)
{
    uint32_t candidates = 0;
    for (size_t at = 1; at + BATCH_HEADER_BYTES <= rest.length; at++) {
        if (rest.data[at + BATCH_AT_MAGIC] != BATCH_MAGIC)
            continue;
        const int64_t base_offset = (int64_t)get_be64(rest.data + at + BATCH_AT_BASE_OFFSET);
        if (base_offset <= next_offset || base_offset > LOG_OFFSET_MAX)
            continue;
        if (++candidates > CANDIDATES_MAX)
            return false;
        if (is_chain(span_of(rest.data + at, rest.length - at), next_offset + 1))
            return has_lost_sector(span_of(rest.data, at), position);
    }
    return true;
}
