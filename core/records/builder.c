/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/builder.h"

#include <string.h>

#include "core/base/check.h"
#include "core/records/varint.h"

/* The bytes of one varint length and what it counts; null has the length -1. */
static size_t bytes_size(struct span bytes)
{
    return varlong_size(span_is_null(bytes) ? -1 : (int64_t)bytes.length) + bytes.length;
}

/* A record without the length in front: attributes, time, offset, key, value, no headers. */
static size_t record_body_size(int32_t index, int64_t timestamp_delta_ms, struct span key,
                               struct span value)
{
    return 1 + varlong_size(timestamp_delta_ms) + varlong_size(index) + bytes_size(key) +
           bytes_size(value) + varlong_size(0);
}

size_t batch_record_size(int32_t index, int64_t timestamp_delta_ms, struct span key,
                         struct span value)
{
    const size_t body_size = record_body_size(index, timestamp_delta_ms, key, value);

    return varlong_size((int64_t)body_size) + body_size;
}

static uint8_t *write_bytes(uint8_t *at, struct span bytes)
{
    at = varlong_write(at, span_is_null(bytes) ? -1 : (int64_t)bytes.length);
    if (bytes.length > 0)
        memcpy(at, bytes.data, bytes.length);
    return at + bytes.length;
}

void batch_builder_start(struct batch_builder *builder, uint8_t *out, size_t capacity,
                         int64_t base_timestamp_ms, bool control)
{
    CHECK(capacity >= BATCH_HEADER_BYTES);
    *builder = (struct batch_builder){
        .out = out,
        .capacity = capacity,
        .length = BATCH_HEADER_BYTES,
        .base_timestamp_ms = base_timestamp_ms,
        .max_timestamp_ms = base_timestamp_ms,
    };
    batch_patch(out, 0, -1);
    out[BATCH_AT_MAGIC] = BATCH_MAGIC;
    put_be16(out + BATCH_AT_ATTRIBUTES, control ? BATCH_CONTROL : 0);
    put_be64(out + BATCH_AT_BASE_TIMESTAMP, (uint64_t)base_timestamp_ms);
    put_be64(out + BATCH_AT_PRODUCER_ID, (uint64_t)BATCH_NO_PRODUCER_ID);
    put_be16(out + BATCH_AT_PRODUCER_EPOCH, (uint16_t)BATCH_NO_PRODUCER_EPOCH);
    put_be32(out + BATCH_AT_BASE_SEQUENCE, (uint32_t)BATCH_NO_SEQUENCE);
}

void batch_builder_add(struct batch_builder *builder, int64_t timestamp_ms, struct span key,
                       struct span value)
{
    const int32_t index = builder->record_count;
    const int64_t timestamp_delta_ms = timestamp_ms - builder->base_timestamp_ms;
    const size_t body_size = record_body_size(index, timestamp_delta_ms, key, value);
    const size_t size = varlong_size((int64_t)body_size) + body_size;

    CHECK(size <= builder->capacity - builder->length);
    uint8_t *at = varlong_write(builder->out + builder->length, (int64_t)body_size);
    *at++ = 0;
    at = varlong_write(at, timestamp_delta_ms);
    at = varlong_write(at, index);
    at = write_bytes(at, key);
    at = write_bytes(at, value);
    at = varlong_write(at, 0);
    builder->length += size;
    CHECK(at == builder->out + builder->length);
    builder->record_count++;
    if (timestamp_ms > builder->max_timestamp_ms)
        builder->max_timestamp_ms = timestamp_ms;
}

size_t batch_builder_finish(struct batch_builder *builder)
{
    uint8_t *out = builder->out;

    CHECK(builder->record_count > 0 && builder->length <= INT32_MAX);
    put_be32(out + BATCH_AT_LENGTH, (uint32_t)(builder->length - BATCH_PREFIX_BYTES));
    put_be32(out + BATCH_AT_LAST_OFFSET_DELTA, (uint32_t)builder->record_count - 1);
    put_be32(out + BATCH_AT_RECORD_COUNT, (uint32_t)builder->record_count);
    batch_set_max_timestamp(out, builder->length, builder->max_timestamp_ms);
    return builder->length;
}
