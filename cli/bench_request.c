/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_request.h"

#include <stdlib.h>
#include <time.h>

#include "core/base/rng.h"
#include "core/records/builder.h"
#include "core/records/record.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Replies come in the order of requests, so that one number does for all, and a frame can be sent
 * again as it is. */
#define CORRELATION_ID 1

/* Makes room; what the frame held is lost. Returns 0 or -1. */
static int reserve(struct bench_frame *frame, size_t length)
{
    if (length > frame->capacity) {
        free(frame->data);
        frame->data = malloc(length);
        frame->capacity = frame->data == NULL ? 0 : length;
    }
    frame->length = length;
    return frame->data == NULL ? -1 : 0;
}

/* The request's bytes; where its records belong is left out, and noted. Returns 0 or -1. */
static int encode(struct bench_frame *frame, int16_t key, int16_t version, const void *body)
{
    const struct wire_api *api = wire_api_find(key);
    const int16_t header_version = wire_request_header_version(api, version);
    const struct request_header header = {.request_api_key = key,
                                          .request_api_version = version,
                                          .correlation_id = CORRELATION_ID,
                                          .client_id = SPAN("chronik-bench")};
    const size_t head = 4 + wire_size(&wire_request_header, header_version, &header);
    const size_t length = head + wire_size(api->request, version, body);
    if (reserve(frame, length) != 0)
        return -1;
    put_be32(frame->data, (uint32_t)(length - 4));
    struct wire_split split = {0};
    struct wire_writer writer = {.data = frame->data,
                                 .capacity = length,
                                 .length = 4,
                                 .splits = &split,
                                 .splits_capacity = 1};
    wire_encode(&wire_request_header, header_version, &header, &writer);
    wire_encode(api->request, version, body, &writer);
    if (writer.splits_count == 1) {
        frame->batch_at = split.position;
        frame->batch_length = split.length;
        memmove(frame->data + split.position + split.length, frame->data + split.position,
                writer.length - split.position);
    }
    return 0;
}

uint32_t bench_batch_records(const struct bench_plan *plan)
{
    return plan->batch_bytes < plan->record_bytes ? 1 : plan->batch_bytes / plan->record_bytes;
}

static size_t batch_bytes(const struct bench_plan *plan)
{
    size_t length = BATCH_HEADER_BYTES;
    for (uint32_t i = 0; i < bench_batch_records(plan); i++)
        length += batch_record_size((int32_t)i, 0, SPAN_NULL,
                                    span_of(&plan->record_bytes, plan->record_bytes));
    return length;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Fills the frame's batch. Returns 0 or -1. */
static int fill_batch(struct bench_frame *frame, const struct bench_plan *plan)
{
    const int64_t now_ms = wall_ms();
    struct batch_builder builder;
    struct rng rng;
    uint8_t *value = malloc(plan->record_bytes + sizeof(uint64_t));
    if (value == NULL)
        return -1;
    rng_init(&rng, (uint64_t)now_ms);
    batch_builder_start(&builder, frame->data + frame->batch_at, frame->batch_length, now_ms,
                        false);
    for (uint32_t i = 0; i < bench_batch_records(plan); i++) {
        for (uint32_t at = 0; at < plan->record_bytes; at += sizeof(uint64_t))
            put_be64(value + at, rng_next(&rng));
        batch_builder_add(&builder, now_ms, SPAN_NULL, span_of(value, plan->record_bytes));
    }
    batch_builder_finish(&builder);
    free(value);
    return 0;
}

int bench_frame_produce(struct bench_frame *frame, const struct bench_plan *plan,
                        const struct bench_place *place)
{
    struct produce_request_topic_data_partition_data partition = {
        .index = place->partition, .records = span_of(NULL, batch_bytes(plan))};
    struct produce_request_topic_data topic = wire_default_produce_request_topic_data;
    struct produce_request request;
    wire_defaults(&wire_produce_request, &request);
    topic.name = span_text(place->topic);
    topic.topic_id = place->topic_id;
    topic.partition_data = &partition;
    topic.partition_data_count = 1;
    request.acks = plan->acks;
    request.timeout_ms = plan->timeout_ms;
    request.topic_data = &topic;
    request.topic_data_count = 1;
    return encode(frame, API_PRODUCE, place->version, &request) == 0 ? fill_batch(frame, plan) : -1;
}

int bench_frame_fetch(struct bench_frame *frame, const struct bench_plan *plan,
                      const struct bench_place *place, int64_t offset, int32_t wait_ms)
{
    struct fetch_request_topic_partition partition = wire_default_fetch_request_topic_partition;
    struct fetch_request_topic topic = wire_default_fetch_request_topic;
    struct fetch_request request = wire_default_fetch_request;
    partition.partition = place->partition;
    partition.fetch_offset = offset;
    partition.partition_max_bytes = (int32_t)plan->fetch_bytes;
    topic.topic = span_text(place->topic);
    topic.topic_id = place->topic_id;
    topic.partitions = &partition;
    topic.partitions_count = 1;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    request.topics = &topic;
    request.topics_count = 1;
    return encode(frame, API_FETCH, place->version, &request);
}

/* Where the value of a batch's first record begins, in bytes from the batch's beginning. */
static size_t stamp_at(const struct bench_frame *frame)
{
    struct batch_info info;
    struct record_cursor cursor;
    struct record record;
    const struct span batch = span_of(frame->data + frame->batch_at, frame->batch_length);
    batch_info_read(batch.data, &info);
    record_cursor_init(&cursor, &info, batch_records(batch));
    return record_next(&cursor, &record) ? (size_t)(record.value.data - batch.data) : 0;
}

void bench_frame_stamp(struct bench_frame *frame, uint64_t run, uint64_t time_ns)
{
    uint8_t *batch = frame->data + frame->batch_at;
    const size_t at = stamp_at(frame);
    put_be64(batch + at, run);
    put_be64(batch + at + 8, time_ns);
    put_be32(batch + BATCH_AT_CRC, batch_checksum(batch, frame->batch_length));
}

int bench_stamp_read(struct span batch, uint64_t run, uint64_t *ret_time_ns)
{
    struct batch_info info;
    struct record_cursor cursor;
    struct record record;
    batch_info_read(batch.data, &info);
    if ((info.attributes & BATCH_CODEC_MASK) != 0 || batch_is_control(&info))
        return -1;
    record_cursor_init(&cursor, &info, batch_records(batch));
    if (!record_next(&cursor, &record) || record.value.length < BENCH_STAMP_BYTES ||
        get_be64(record.value.data) != run)
        return -1;
    *ret_time_ns = get_be64(record.value.data + 8);
    return 0;
}

void bench_frame_free(struct bench_frame *frame)
{
    free(frame->data);
    *frame = (struct bench_frame){0};
}

/* Decodes header and body. Returns 0 or -1. */
static int decode(int16_t key, int16_t version, struct span bytes, struct arena *arena,
                  void *response)
{
    const struct wire_api *api = wire_api_find(key);
    struct response_header header = {0};
    size_t used = 0;
    if (wire_decode_prefix(&wire_response_header, wire_response_header_version(api, version), bytes,
                           arena, &header, &used) != ERR_NONE ||
        header.correlation_id != CORRELATION_ID)
        return -1;
    return wire_decode(api->response, version, span_of(bytes.data + used, bytes.length - used),
                       arena, response) == ERR_NONE
               ? 0
               : -1;
}

int bench_reply_produce(const struct bench_place *place, struct span bytes, struct arena *arena,
                        struct bench_reply *ret_reply)
{
    struct produce_response response;
    if (decode(API_PRODUCE, place->version, bytes, arena, &response) != 0 ||
        response.responses_count != 1 || response.responses[0].partition_responses_count != 1)
        return -1;
    *ret_reply = (struct bench_reply){
        .error = response.responses[0].partition_responses[0].error_code,
    };
    return 0;
}

int bench_reply_fetch(const struct bench_place *place, struct span bytes, struct arena *arena,
                      struct bench_reply *ret_reply)
{
    struct fetch_response response;
    if (decode(API_FETCH, place->version, bytes, arena, &response) != 0)
        return -1;
    *ret_reply = (struct bench_reply){.error = response.error_code};
    if (response.error_code != ERR_NONE)
        return 0;
    if (response.responses_count != 1 || response.responses[0].partitions_count != 1)
        return -1;
    ret_reply->error = response.responses[0].partitions[0].error_code;
    ret_reply->records = response.responses[0].partitions[0].records;
    return 0;
}
