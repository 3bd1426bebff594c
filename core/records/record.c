/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/record.h"

#include "core/records/varint.h"
#include "core/wire/error.h"

/* One record as its bytes have it. */
struct raw_record {
    int64_t timestamp_delta;
    int32_t offset_delta;
    struct span key;
    struct span value;
    struct span headers;
    int32_t headers_count;
};

/* Reads a length and as many bytes; a length of -1 is null. Returns what follows, or NULL. */
static const uint8_t *read_bytes(const uint8_t *at, const uint8_t *end, struct span *ret_bytes)
{
    int32_t length;

    at = varint_read(at, end, &length);
    if (at == NULL || length < -1 || length > end - at)
        return NULL;
    if (length < 0) {
        *ret_bytes = SPAN_NULL;
        return at;
    }
    *ret_bytes = span_of(at, (size_t)length);
    return at + length;
}

/* Passes over one header: a key, which is never null, and a value. */
static const uint8_t *read_header(const uint8_t *at, const uint8_t *end, struct span *ret_key,
                                  struct span *ret_value)
{
    struct span key;

    at = read_bytes(at, end, &key);
    if (at == NULL || span_is_null(key))
        return NULL;
    *ret_key = key;
    return read_bytes(at, end, ret_value);
}

/* Passes over `count` headers, which have to fill all up to `end`. */
static bool headers_are_whole(const uint8_t *at, const uint8_t *end, int32_t count)
{
    struct span key;
    struct span value;

    for (; count > 0; count--) {
        at = read_header(at, end, &key, &value);
        if (at == NULL)
            return false;
    }
    return at == end;
}

/* Reads one record; returns what follows it, or NULL when there is none. */
static const uint8_t *read_record(const uint8_t *at, const uint8_t *end,
                                  struct raw_record *ret_record)
{
    int32_t length;

    at = varint_read(at, end, &length);
    /* One byte of attributes, all unused. */
    if (at == NULL || length < 1 || length > end - at)
        return NULL;
    end = at + length;
    at = varlong_read(at + 1, end, &ret_record->timestamp_delta);
    if (at == NULL)
        return NULL;
    at = varint_read(at, end, &ret_record->offset_delta);
    if (at == NULL)
        return NULL;
    at = read_bytes(at, end, &ret_record->key);
    if (at == NULL)
        return NULL;
    at = read_bytes(at, end, &ret_record->value);
    if (at == NULL)
        return NULL;
    at = varint_read(at, end, &ret_record->headers_count);
    if (at == NULL || ret_record->headers_count < 0)
        return NULL;
    ret_record->headers = span_of(at, (size_t)(end - at));
    if (ret_record->headers_count == 0)
        return at == end ? end : NULL;
    return headers_are_whole(at, end, ret_record->headers_count) ? end : NULL;
}

/* What skip_plain_record() may read without asking for the end each time. */
#define PLAIN_HEAD_BYTES 16

/* Reads the zig-zag form of an integer of one or two bytes; NULL for a longer one. */
static inline const uint8_t *read_short(const uint8_t *at, uint32_t *ret_raw)
{
    if (at[0] < 0x80) {
        *ret_raw = at[0];
        return at + 1;
    }
    *ret_raw = (at[0] & 0x7fu) | (uint32_t)at[1] << 7;
    return at[1] < 0x80 ? at + 2 : NULL;
}

/* Passes over a record as nearly all are: no length of 8 KiB or more, its time within eight seconds
 * of the batch's, no headers; the offset delta has to be `index`. Returns what follows it, or NULL
 * when it has to be read with more care. */
__attribute__((always_inline)) static inline const uint8_t *
skip_plain_record(const uint8_t *at, const uint8_t *end, int32_t index, int64_t *ret_delta,
                  bool *ret_keyless)
{
    uint32_t length;
    uint32_t delta;
    uint32_t offset_delta;
    uint32_t key;
    uint32_t value;

    /* Negative numbers are odd in zig-zag form; only a null key's and value's -1 passes. */
    if (end - at < PLAIN_HEAD_BYTES || (at = read_short(at, &length)) == NULL ||
        (length & 1) != 0 || length / 2 > end - at)
        return NULL;
    const uint8_t *next = at + length / 2;
    if ((at = read_short(at + 1, &delta)) == NULL || (at = read_short(at, &offset_delta)) == NULL ||
        offset_delta != 2 * (uint32_t)index || (at = read_short(at, &key)) == NULL)
        return NULL;
    const bool keyless = key == 1;
    /* At least the value's length and the number of headers follow the key. */
    if (!keyless && ((key & 1) != 0 || key / 2 > next - at))
        return NULL;
    at += key / 2;
    if (next - at < 2 || (at = read_short(at, &value)) == NULL ||
        ((value & 1) != 0 && value != 1) || value / 2 != next - at - 1 || next[-1] != 0)
        return NULL;
    *ret_delta = varint_from_zigzag(delta);
    *ret_keyless |= keyless;
    return next;
}

int record_survey(struct span records, int32_t count, struct record_survey *ret_survey,
                  int32_t *ret_index)
{
    struct record_survey survey = {.delta_min = INT64_MAX, .delta_max = INT64_MIN};
    const uint8_t *at = records.data;
    const uint8_t *end = records.data + records.length;

    for (int32_t i = 0; i < count; i++) {
        int64_t delta;
        const uint8_t *next = skip_plain_record(at, end, i, &delta, &survey.keyless);
        if (next == NULL) {
            struct raw_record record;
            next = read_record(at, end, &record);
            if (next == NULL || record.offset_delta != i) {
                *ret_index = i;
                return ERR_INVALID_RECORD;
            }
            delta = record.timestamp_delta;
            survey.keyless |= span_is_null(record.key);
        }
        at = next;
        if (delta < survey.delta_min)
            survey.delta_min = delta;
        if (delta > survey.delta_max)
            survey.delta_max = delta;
    }
    if (at != end) {
        *ret_index = count - 1;
        return ERR_INVALID_RECORD;
    }
    *ret_survey = survey;
    return ERR_NONE;
}

void record_cursor_init(struct record_cursor *cursor, const struct batch_info *info,
                        struct span records)
{
    *cursor = (struct record_cursor){
        .at = records.data,
        .end = records.data + records.length,
        .base_offset = info->base_offset,
        .last_offset_delta = info->last_offset_delta,
        .base_timestamp_ms = info->base_timestamp_ms,
        .append_time_ms = info->max_timestamp_ms,
        .has_append_time = (info->attributes & BATCH_LOG_APPEND_TIME) != 0,
        .left = info->record_count,
        .error = ERR_NONE,
    };
}

int record_cursor_open(struct span batch, const struct codecs *codecs, size_t limit_bytes,
                       struct arena *arena, struct record_cursor *ret_cursor)
{
    struct span records = batch_records(batch);
    struct batch_info info;

    batch_info_read(batch.data, &info);
    if (batch_codec(&info) != CODEC_NONE) {
        const int error = codecs->decompress(codecs->context, batch_codec(&info), records,
                                             limit_bytes, arena, &records);
        if (error != ERR_NONE)
            return error;
    }
    record_cursor_init(ret_cursor, &info, records);
    return ERR_NONE;
}

bool record_next(struct record_cursor *cursor, struct record *ret_record)
{
    struct raw_record raw;

    if (cursor->left == 0) {
        if (cursor->at != cursor->end)
            cursor->error = ERR_CORRUPT_MESSAGE;
        return false;
    }
    const uint8_t *next = read_record(cursor->at, cursor->end, &raw);
    if (next == NULL || raw.offset_delta < 0 || raw.offset_delta > cursor->last_offset_delta) {
        cursor->error = ERR_CORRUPT_MESSAGE;
        return false;
    }
    cursor->at = next;
    cursor->left--;
    *ret_record = (struct record){
        .offset = cursor->base_offset + raw.offset_delta,
        /* Whatever stands there; a sum beyond 64 bits wraps as it does in Java. */
        .timestamp_ms = cursor->has_append_time ? cursor->append_time_ms
                                                : (int64_t)((uint64_t)cursor->base_timestamp_ms +
                                                            (uint64_t)raw.timestamp_delta),
        .key = raw.key,
        .value = raw.value,
        .headers = raw.headers,
        .headers_count = raw.headers_count,
    };
    return true;
}

bool record_header_next(struct span *headers, struct span *ret_key, struct span *ret_value)
{
    const uint8_t *end = headers->data + headers->length;
    const uint8_t *at =
        headers->length == 0 ? NULL : read_header(headers->data, end, ret_key, ret_value);

    if (at == NULL)
        return false;
    *headers = span_of(at, (size_t)(end - at));
    return true;
}
