/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/produce.h"

#include "core/records/builder.h"

struct span batch_of(struct client *client, int32_t count, struct span value)
{
    const int64_t now_ms = world_wall_ms(client_world(client));
    size_t size = BATCH_HEADER_BYTES;
    for (int32_t i = 0; i < count; i++)
        size += batch_record_size(i, 0, SPAN_NULL, value);
    uint8_t *bytes = arena_take(client_arena(client), size);
    struct batch_builder builder;
    batch_builder_start(&builder, bytes, size, now_ms, false);
    for (int32_t i = 0; i < count; i++)
        batch_builder_add(&builder, now_ms, SPAN_NULL, value);
    return span_of(bytes, batch_builder_finish(&builder));
}

struct produce_request *produce_of(struct client *client, struct span topic, int16_t acks,
                                   struct span batch)
{
    struct arena *arena = client_arena(client);
    struct produce_request *request = client_request(client, API_PRODUCE);
    request->acks = acks;
    request->timeout_ms = 30000;
    request->topic_data = arena_array(arena, 1, sizeof(*request->topic_data));
    request->topic_data_count = 1;
    request->topic_data[0].name = topic;
    request->topic_data[0].partition_data =
        arena_array(arena, 1, sizeof(*request->topic_data[0].partition_data));
    request->topic_data[0].partition_data_count = 1;
    request->topic_data[0].partition_data[0].records = batch;
    return request;
}

const struct produce_response_response_partition_response *
produce(struct client *client, struct span topic, int16_t acks, struct span batch)
{
    const struct produce_response *response =
        client_call(client, API_PRODUCE, PRODUCE_VERSION, produce_of(client, topic, acks, batch));
    return response == NULL ? NULL : &response->responses[0].partition_responses[0];
}
