/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/recording.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define FRAME_SIZE_BYTES 4
#define ARENA_BYTES_MAX  ((size_t)64 << 20)

static void *heap_take(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void heap_give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static void *take(struct recording *recording, size_t size)
{
    void *piece = arena_take(&recording->arena, size);
    CHECK(piece != NULL);
    return piece;
}

void recording_begin(struct recording *recording)
{
    memory_init(&recording->memory, (struct allocator){heap_take, heap_give, NULL});
    arena_init(&recording->arena, &recording->memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
    recording->last_correlation_id = 0;
    recording->length = 0;
    tape_begin(&recording->stage);
    story_begin(&recording->story, &recording->arena, 0);
}

void recording_end(struct recording *recording, const char *folder, const char *name)
{
    char *path = NULL;
    tape_end(&recording->stage);
    arena_reset(&recording->arena);
    CHECK(asprintf(&path, "%s/%s", folder, name) > 0);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(recording->bytes, recording->length, 1, file) != 1 ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    free(path);
}

/* Adds an action to the tape, and plays it. */
static void record(struct recording *recording, uint8_t action, size_t argument, size_t bytes,
                   struct span data)
{
    uint8_t *start = recording->bytes + recording->length;
    CHECK(data.length <= UINT16_MAX &&
          1 + bytes + data.length <= RECORDING_BYTES_MAX - recording->length);
    start[0] = action;
    for (size_t i = 0; i < bytes; i++)
        start[1 + i] = (uint8_t)(argument >> (8 * (bytes - 1 - i)));
    if (data.length > 0)
        memcpy(start + 1 + bytes, data.data, data.length);
    recording->length += 1 + bytes + data.length;
    tape_play(&recording->stage, span_of(start, 1 + bytes + data.length));
}

void recording_act(struct recording *recording, uint8_t action, uint16_t argument, size_t bytes)
{
    record(recording, action, argument, bytes, SPAN_NULL);
}

void recording_minutes(struct recording *recording, uint16_t minutes)
{
    recording_act(recording, TAPE_MINUTES, minutes, 1);
    for (uint8_t i = 0; i < TAPE_CONNECTIONS; i++)
        recording_act(recording, TAPE_CLOSE + i, 0, 0);
}

void recording_send(struct recording *recording, uint8_t connection, struct span bytes)
{
    record(recording, TAPE_SEND + connection, bytes.length, 2, bytes);
}

void *recording_request(struct recording *recording, int16_t api_key)
{
    const struct wire_schema *schema = wire_api_find(api_key)->request;
    void *request = take(recording, schema->size);
    wire_defaults(schema, request);
    for (unsigned i = 0; i < story_steps_count; i++) {
        const struct story_step *step = &story_steps[i];
        if (step->api_key == api_key && step->ask != NULL) {
            step->ask(&recording->story, request);
            break;
        }
    }
    return request;
}

/* The first frame that the connection received and that was not taken yet; null: none. */
static struct span take_frame(struct recording *recording, uint8_t connection)
{
    struct world *world = recording->stage.node.world;
    const uint64_t number = recording->stage.connections[connection];
    const struct span received = world_client_received(world, number);
    if (received.length < FRAME_SIZE_BYTES ||
        get_be32(received.data) > received.length - FRAME_SIZE_BYTES)
        return SPAN_NULL;
    const size_t size = get_be32(received.data);
    const struct span frame =
        arena_copy(&recording->arena, span_of(received.data + FRAME_SIZE_BYTES, size));
    world_client_take(world, number, FRAME_SIZE_BYTES + size);
    return frame;
}

void *recording_response(struct recording *recording, uint8_t connection, int16_t api_key,
                         int16_t version)
{
    const struct wire_api *api = wire_api_find(api_key);
    const int16_t header_version = wire_response_header_version(api, version);
    struct span frame;
    struct response_header header;
    size_t used = 0;
    do {
        frame = take_frame(recording, connection);
        if (span_is_null(frame))
            return NULL;
    } while (get_be32(frame.data) != (uint32_t)recording->correlation_ids[connection]);
    void *response = take(recording, api->response->size);
    CHECK(wire_decode_prefix(&wire_response_header, header_version, frame, &recording->arena,
                             &header, &used) == ERR_NONE);
    CHECK(wire_decode(api->response, version, span_of(frame.data + used, frame.length - used),
                      &recording->arena, response) == ERR_NONE);
    return response;
}

void *recording_call(struct recording *recording, uint8_t connection, int16_t api_key,
                     int16_t version, const void *request)
{
    const struct wire_api *api = wire_api_find(api_key);
    const int16_t header_version = wire_request_header_version(api, version);
    const struct request_header header = {
        .request_api_key = api_key,
        .request_api_version = version,
        .correlation_id = ++recording->last_correlation_id,
        .client_id = SPAN("seed"),
    };
    const size_t size = FRAME_SIZE_BYTES +
                        wire_size(&wire_request_header, header_version, &header) +
                        wire_size(api->request, version, request);
    struct wire_writer writer = {
        .data = take(recording, size), .capacity = size, .length = FRAME_SIZE_BYTES};
    CHECK(wire_encode(&wire_request_header, header_version, &header, &writer) == ERR_NONE);
    CHECK(wire_encode(api->request, version, request, &writer) == ERR_NONE);
    put_be32(writer.data, (uint32_t)(size - FRAME_SIZE_BYTES));
    recording->correlation_ids[connection] = header.correlation_id;
    recording_send(recording, connection, span_of(writer.data, size));
    return recording_response(recording, connection, api_key, version);
}
