/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record batches, version 2 (KIP-98, KIP-82): the unit that producers send, logs keep and consumers
 * get, in the same bytes everywhere. Only the base offset and the leader epoch, which the checksum
 * leaves out, change on the way; and the time, where a topic wants the time of appending.
 */
#ifndef CORE_RECORDS_BATCH_H
#define CORE_RECORDS_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/endian.h"
#include "core/base/span.h"
#include "core/records/codec.h"

/* Where the fields of a batch are. */
enum {
    BATCH_AT_BASE_OFFSET = 0,
    BATCH_AT_LENGTH = 8, /* of all that follows it */
    BATCH_AT_LEADER_EPOCH = 12,
    BATCH_AT_MAGIC = 16,
    BATCH_AT_CRC = 17,
    BATCH_AT_ATTRIBUTES = 21, /* the checksum covers all from here */
    BATCH_AT_LAST_OFFSET_DELTA = 23,
    BATCH_AT_BASE_TIMESTAMP = 27,
    BATCH_AT_MAX_TIMESTAMP = 35,
    BATCH_AT_PRODUCER_ID = 43,
    BATCH_AT_PRODUCER_EPOCH = 51,
    BATCH_AT_BASE_SEQUENCE = 53,
    BATCH_AT_RECORD_COUNT = 57,
    BATCH_HEADER_BYTES = 61,
};

/* The bytes that tell how long a batch is: base offset and length. */
#define BATCH_PREFIX_BYTES 12

#define BATCH_MAGIC 2

/* Bits of the attributes. */
#define BATCH_CODEC_MASK      0x07
#define BATCH_LOG_APPEND_TIME 0x08
#define BATCH_TRANSACTIONAL   0x10
#define BATCH_CONTROL         0x20

/* A timestamp, producer id, producer epoch or sequence that is not there. */
#define BATCH_NO_TIMESTAMP      (-1)
#define BATCH_NO_PRODUCER_ID    (-1)
#define BATCH_NO_PRODUCER_EPOCH (-1)
#define BATCH_NO_SEQUENCE       (-1)

/* What a batch's header says. */
struct batch_info {
    int64_t base_offset;
    uint32_t size_bytes; /* of the whole batch */
    int32_t leader_epoch;
    int8_t magic;
    uint32_t crc;
    uint16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t record_count;
};

/* Reads the header at `bytes`, BATCH_HEADER_BYTES of them; judges nothing. */
void batch_info_read(const uint8_t *bytes, struct batch_info *ret_info);

static inline int64_t batch_last_offset(const struct batch_info *info)
{
    return info->base_offset + info->last_offset_delta;
}

/* One of the codecs that exist, in a batch that batch_next() or batch_validate() has let pass. */
static inline enum codec batch_codec(const struct batch_info *info)
{
    return (enum codec)(info->attributes & BATCH_CODEC_MASK);
}

static inline bool batch_is_control(const struct batch_info *info)
{
    return (info->attributes & BATCH_CONTROL) != 0;
}

static inline bool batch_is_transactional(const struct batch_info *info)
{
    return (info->attributes & BATCH_TRANSACTIONAL) != 0;
}

static inline bool batch_has_producer(const struct batch_info *info)
{
    return info->producer_id > BATCH_NO_PRODUCER_ID;
}

/* What follows the header of a whole batch: its records, compressed or not. */
static inline struct span batch_records(struct span batch)
{
    return span_of(batch.data + BATCH_HEADER_BYTES, batch.length - BATCH_HEADER_BYTES);
}

/* The sequence of the last record: sequences go from 2^31 − 1 back to 0. */
int32_t batch_last_sequence(const struct batch_info *info);

/* Puts a batch at its place in a log: both fields lie outside the checksum. */
static inline void batch_patch(uint8_t *bytes, int64_t base_offset, int32_t leader_epoch)
{
    put_be64(bytes + BATCH_AT_BASE_OFFSET, (uint64_t)base_offset);
    put_be32(bytes + BATCH_AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

/* Makes `now_ms` the time of all records of the batch of `length` bytes, and sums it anew. */
void batch_set_log_append_time(uint8_t *bytes, size_t length, int64_t now_ms);

/* Gives the batch of `length` bytes another latest create time, and sums it anew. */
void batch_set_max_timestamp(uint8_t *bytes, size_t length, int64_t max_timestamp_ms);

/* The checksum that the batch of `length` bytes should carry. */
uint32_t batch_checksum(const uint8_t *bytes, size_t length);

/* What batch_next() found. */
enum batch_found {
    BATCH_FOUND,
    BATCH_END,        /* nothing is left */
    BATCH_NEEDS_MORE, /* the window ends inside the batch; the file does not */
    BATCH_TORN,       /* the file ends inside the batch, or was never written here (zeros) */
    BATCH_CORRUPT,    /* these bytes never were a batch of ours, or are not any more */
};

enum batch_check {
    BATCH_CHECK_HEADER,
    BATCH_CHECK_CRC, /* the header and the checksum */
};

/* Looks at the batch that begins at `window`, which shows the first bytes of the `remaining_bytes`
 * that the file has from there (≥ window.length). BATCH_FOUND: `ret_batch` gets the batch's own
 * bytes, `ret_info` (may be NULL) its header. With BATCH_CHECK_HEADER a batch is found as soon as
 * its header is in the window; `ret_batch` may then reach beyond it, but never beyond the file.
 * BATCH_NEEDS_MORE: `ret_batch` gets the length that a window needs. Else outputs stay untouched.
 */
enum batch_found batch_next(struct span window, uint64_t remaining_bytes, enum batch_check check,
                            struct span *ret_batch, struct batch_info *ret_info);

#endif
