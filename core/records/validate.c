/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/validate.h"

#include "core/records/record.h"
#include "core/wire/error.h"

/* The first version of Produce in which clients may send zstd (KIP-110). */
#define PRODUCE_VERSION_ZSTD 7

/* What of a batch's length is there in any version of batches; less than that is noise. */
#define BATCH_LENGTH_MIN_ANY_VERSION 14

/* The times that the topic takes: a record without time is always taken. */
struct time_window {
    int64_t least_ms;
    int64_t most_ms;
};

static int refuse(struct batch_fault *ret_fault, int error, const char *message)
{
    *ret_fault = (struct batch_fault){.message = message};
    return error;
}

static int refuse_record(struct batch_fault *ret_fault, int error, int32_t index,
                         const char *message)
{
    *ret_fault = (struct batch_fault){.message = message, .records_count = 1};
    ret_fault->records[0].index = index;
    ret_fault->records[0].message = message;
    return error;
}

/* Exactly one whole batch of version 2, in a codec that this version of the request has. */
static int check_frame(const uint8_t *bytes, size_t length, const struct batch_rules *rules,
                       struct batch_fault *ret_fault)
{
    if (length < BATCH_PREFIX_BYTES)
        return refuse(ret_fault, ERR_INVALID_RECORD, "there is no whole record batch");
    const uint32_t rest = get_be32(bytes + BATCH_AT_LENGTH);
    if (rest < BATCH_LENGTH_MIN_ANY_VERSION || rest > INT32_MAX)
        return refuse(ret_fault, ERR_CORRUPT_MESSAGE, "the record batch has an impossible length");
    if (rest > length - BATCH_PREFIX_BYTES)
        return refuse(ret_fault, ERR_INVALID_RECORD, "there is no whole record batch");
    if (bytes[BATCH_AT_MAGIC] != BATCH_MAGIC)
        return refuse(
            ret_fault, ERR_INVALID_RECORD,
            "only record batches of version 2 are taken (clients of Kafka 0.11 and later)");
    if (rest < BATCH_HEADER_BYTES - BATCH_PREFIX_BYTES)
        return refuse(ret_fault, ERR_CORRUPT_MESSAGE, "the record batch is too short");
    const unsigned codec = get_be16(bytes + BATCH_AT_ATTRIBUTES) & BATCH_CODEC_MASK;
    if (codec >= CODECS)
        return refuse(ret_fault, ERR_UNSUPPORTED_COMPRESSION_TYPE, "the compression is not known");
    if (codec == CODEC_ZSTD && rules->produce_version < PRODUCE_VERSION_ZSTD)
        return refuse(ret_fault, ERR_UNSUPPORTED_COMPRESSION_TYPE,
                      "zstd needs version 7 or later of the produce request");
    if (rest < length - BATCH_PREFIX_BYTES)
        return refuse(ret_fault, ERR_INVALID_RECORD,
                      "a produce request has exactly one record batch for a partition");
    return ERR_NONE;
}

static int check_header(const struct batch_info *info, const struct batch_rules *rules,
                        struct batch_fault *ret_fault)
{
    if (info->record_count <= 0 || info->last_offset_delta != info->record_count - 1)
        return refuse(ret_fault, ERR_INVALID_RECORD,
                      "the record batch's count and last offset do not agree");
    if (batch_is_control(info))
        return refuse(ret_fault, ERR_INVALID_RECORD, "clients may not write control records");
    if (batch_has_producer(info) && (info->base_sequence < 0 || info->producer_epoch < 0))
        return refuse(ret_fault, ERR_INVALID_RECORD,
                      "a record batch with a producer id needs an epoch and a sequence");
    if (batch_is_transactional(info))
        return refuse(ret_fault, ERR_INVALID_TXN_STATE,
                      "the partition is not part of a transaction");
    if ((info->attributes & BATCH_LOG_APPEND_TIME) != 0 && !rules->log_append_time)
        return refuse(ret_fault, ERR_INVALID_TIMESTAMP,
                      "producers may not set the time of appending");
    return ERR_NONE;
}

static struct time_window time_window(const struct batch_rules *rules)
{
    struct time_window window = {INT64_MIN, INT64_MAX};

    if (rules->log_append_time)
        return window;
    if (__builtin_sub_overflow(rules->wall_ms, rules->timestamp_before_max_ms, &window.least_ms))
        window.least_ms = INT64_MIN;
    if (__builtin_add_overflow(rules->wall_ms, rules->timestamp_after_max_ms, &window.most_ms))
        window.most_ms = INT64_MAX;
    return window;
}

static bool is_outside(const struct time_window *window, int64_t timestamp_ms)
{
    return timestamp_ms != BATCH_NO_TIMESTAMP &&
           (timestamp_ms < window->least_ms || timestamp_ms > window->most_ms);
}

/* Names the records that break a rule; ERR_NONE when it turns out that none does. */
static int name_faults(const struct batch_info *info, struct span records,
                       const struct batch_rules *rules, const struct time_window *window,
                       struct batch_fault *ret_fault)
{
    struct batch_fault fault = {.message = NULL};
    struct record_cursor cursor;
    struct record record;
    int error = ERR_NONE;

    record_cursor_init(&cursor, info, records);
    while (fault.records_count < BATCH_FAULT_RECORDS_MAX && record_next(&cursor, &record)) {
        const bool keyless = rules->compacted && span_is_null(record.key);
        if (!keyless && !is_outside(window, record.timestamp_ms))
            continue;
        if (error == ERR_NONE) {
            error = keyless ? ERR_INVALID_RECORD : ERR_INVALID_TIMESTAMP;
            fault.message = keyless ? "records without key were refused"
                                    : "records were refused for their time";
        }
        fault.records[fault.records_count].index = info->record_count - cursor.left - 1;
        fault.records[fault.records_count].message =
            keyless ? "a compacted topic takes no record without key"
                    : "the record's time is outside of what the topic allows";
        fault.records_count++;
    }
    if (error != ERR_NONE)
        *ret_fault = fault;
    return error;
}

/* Looks at every record, and finds their latest time. */
static int check_records(const struct batch_info *info, struct span records,
                         const struct batch_rules *rules, int64_t *ret_max_timestamp_ms,
                         struct batch_fault *ret_fault)
{
    const struct time_window window = time_window(rules);
    struct record_survey survey;
    int64_t least_ms;
    int64_t most_ms;
    int32_t index;

    if (record_survey(records, info->record_count, &survey, &index) != ERR_NONE)
        return refuse_record(ret_fault, ERR_INVALID_RECORD, index, "the record is damaged");
    if (__builtin_add_overflow(info->base_timestamp_ms, survey.delta_min, &least_ms) ||
        __builtin_add_overflow(info->base_timestamp_ms, survey.delta_max, &most_ms))
        return refuse(ret_fault, ERR_INVALID_TIMESTAMP, "a record's time is not a number");
    /* A least time of -1 is taken, and may hide one that is not. */
    if ((rules->compacted && survey.keyless) || is_outside(&window, least_ms) ||
        is_outside(&window, most_ms) || least_ms == BATCH_NO_TIMESTAMP) {
        const int error = name_faults(info, records, rules, &window, ret_fault);
        if (error != ERR_NONE)
            return error;
    }
    *ret_max_timestamp_ms = most_ms < BATCH_NO_TIMESTAMP ? BATCH_NO_TIMESTAMP : most_ms;
    return ERR_NONE;
}

/* Looks at the records, decompressed if need be, unless the header has to do. */
static int check_contents(uint8_t *bytes, const struct batch_rules *rules, struct batch_info *info,
                          struct batch_fault *ret_fault)
{
    struct span records = batch_records(span_of(bytes, info->size_bytes));
    int64_t max_timestamp_ms;

    if (batch_codec(info) != CODEC_NONE) {
        const struct time_window window = time_window(rules);
        if (is_outside(&window, info->max_timestamp_ms))
            return refuse(ret_fault, ERR_INVALID_TIMESTAMP,
                          "the record batch's latest time is outside of what the topic allows");
        if (!rules->compacted)
            return ERR_NONE;
        const int error =
            rules->codecs->decompress(rules->codecs->context, batch_codec(info), records,
                                      RECORDS_DECOMPRESSED_BYTES_MAX, rules->arena, &records);
        if (error != ERR_NONE)
            return refuse(ret_fault, error, "the record batch cannot be decompressed");
    }
    const int error = check_records(info, records, rules, &max_timestamp_ms, ret_fault);
    if (error == ERR_NONE && !rules->log_append_time &&
        max_timestamp_ms != info->max_timestamp_ms) {
        batch_set_max_timestamp(bytes, info->size_bytes, max_timestamp_ms);
        batch_info_read(bytes, info);
    }
    return error;
}

int batch_validate(uint8_t *bytes, size_t length, const struct batch_rules *rules,
                   struct batch_info *ret_info, struct batch_fault *ret_fault)
{
    struct batch_info info;

    int error = check_frame(bytes, length, rules, ret_fault);
    if (error != ERR_NONE)
        return error;
    batch_info_read(bytes, &info);
    if (info.base_offset != 0)
        return refuse(ret_fault, ERR_INVALID_RECORD,
                      "a record batch from a client has the base offset 0");
    if (length > rules->max_message_bytes)
        return refuse(ret_fault, ERR_MESSAGE_TOO_LARGE,
                      "the record batch is larger than max.message.bytes");
    if (batch_checksum(bytes, length) != info.crc)
        return refuse(ret_fault, ERR_CORRUPT_MESSAGE, "the record batch has a wrong checksum");
    error = check_header(&info, rules, ret_fault);
    if (error == ERR_NONE)
        error = check_contents(bytes, rules, &info, ret_fault);
    if (error != ERR_NONE)
        return error;
    *ret_info = info;
    return ERR_NONE;
}
