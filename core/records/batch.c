/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/batch.h"

#include "core/base/check.h"
#include "core/base/crc32c.h"

void batch_info_read(const uint8_t *bytes, struct batch_info *ret_info)
{
    *ret_info = (struct batch_info){
        .base_offset = (int64_t)get_be64(bytes + BATCH_AT_BASE_OFFSET),
        .size_bytes = get_be32(bytes + BATCH_AT_LENGTH) + BATCH_PREFIX_BYTES,
        .leader_epoch = (int32_t)get_be32(bytes + BATCH_AT_LEADER_EPOCH),
        .magic = (int8_t)bytes[BATCH_AT_MAGIC],
        .crc = get_be32(bytes + BATCH_AT_CRC),
        .attributes = get_be16(bytes + BATCH_AT_ATTRIBUTES),
        .last_offset_delta = (int32_t)get_be32(bytes + BATCH_AT_LAST_OFFSET_DELTA),
        .base_timestamp_ms = (int64_t)get_be64(bytes + BATCH_AT_BASE_TIMESTAMP),
        .max_timestamp_ms = (int64_t)get_be64(bytes + BATCH_AT_MAX_TIMESTAMP),
        .producer_id = (int64_t)get_be64(bytes + BATCH_AT_PRODUCER_ID),
        .producer_epoch = (int16_t)get_be16(bytes + BATCH_AT_PRODUCER_EPOCH),
        .base_sequence = (int32_t)get_be32(bytes + BATCH_AT_BASE_SEQUENCE),
        .record_count = (int32_t)get_be32(bytes + BATCH_AT_RECORD_COUNT),
    };
}

int32_t batch_last_sequence(const struct batch_info *info)
{
    if (info->base_sequence == BATCH_NO_SEQUENCE)
        return BATCH_NO_SEQUENCE;
    return (int32_t)(((uint32_t)info->base_sequence + (uint32_t)info->last_offset_delta) &
                     INT32_MAX);
}

uint32_t batch_checksum(const uint8_t *bytes, size_t length)
{
    CHECK(length >= BATCH_HEADER_BYTES);
    return crc32c(0, bytes + BATCH_AT_ATTRIBUTES, length - BATCH_AT_ATTRIBUTES);
}

void batch_set_max_timestamp(uint8_t *bytes, size_t length, int64_t max_timestamp_ms)
{
    put_be64(bytes + BATCH_AT_MAX_TIMESTAMP, (uint64_t)max_timestamp_ms);
    put_be32(bytes + BATCH_AT_CRC, batch_checksum(bytes, length));
}

void batch_set_log_append_time(uint8_t *bytes, size_t length, int64_t now_ms)
{
    const uint16_t attributes = get_be16(bytes + BATCH_AT_ATTRIBUTES);

    put_be16(bytes + BATCH_AT_ATTRIBUTES, attributes | BATCH_LOG_APPEND_TIME);
    batch_set_max_timestamp(bytes, length, now_ms);
}

/* Whether a header can belong to a batch in a log. Compaction keeps offsets and drops records, so
 * that there may be fewer records than offsets, or none. */
static bool batch_header_is_sane(const struct batch_info *info)
{
    return info->magic == BATCH_MAGIC && info->base_offset >= 0 && info->last_offset_delta >= 0 &&
           info->base_offset <= INT64_MAX - info->last_offset_delta && info->record_count >= 0 &&
           info->record_count - 1 <= info->last_offset_delta &&
           (info->attributes & BATCH_CODEC_MASK) < CODECS;
}

/* Space that was made but never written, or whose pages power loss took, reads as zeros. */
static bool is_zero(struct span bytes)
{
    for (size_t i = 0; i < bytes.length; i++)
        if (bytes.data[i] != 0)
            return false;
    return true;
}

enum batch_found batch_next(struct span window, uint64_t remaining_bytes, enum batch_check check,
                            struct span *ret_batch, struct batch_info *ret_info)
{
    struct batch_info info;

    CHECK(window.length <= remaining_bytes);
    if (remaining_bytes == 0)
        return BATCH_END;
    if (window.length < BATCH_HEADER_BYTES) {
        if (remaining_bytes < BATCH_HEADER_BYTES)
            return BATCH_TORN;
        *ret_batch = span_of(window.data, BATCH_HEADER_BYTES);
        return BATCH_NEEDS_MORE;
    }
    batch_info_read(window.data, &info);
    const uint32_t length = get_be32(window.data + BATCH_AT_LENGTH);
    if (length > INT32_MAX || length < BATCH_HEADER_BYTES - BATCH_PREFIX_BYTES ||
        !batch_header_is_sane(&info))
        return is_zero(span_of(window.data, BATCH_HEADER_BYTES)) ? BATCH_TORN : BATCH_CORRUPT;
    if (info.size_bytes > remaining_bytes)
        return BATCH_TORN;
    const struct span batch = span_of(window.data, info.size_bytes);
    if (check == BATCH_CHECK_CRC) {
        if (info.size_bytes > window.length) {
            *ret_batch = batch;
            return BATCH_NEEDS_MORE;
        }
        if (batch_checksum(batch.data, batch.length) != info.crc)
            return BATCH_CORRUPT;
    }
    *ret_batch = batch;
    if (ret_info != NULL)
        *ret_info = info;
    return BATCH_FOUND;
}
