/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/client.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/wire/error.h"

#define FRAME_SIZE_BYTES   4
#define CLIENT_SENT_MAX    4096
#define CLIENT_ARENA_BYTES ((size_t)256 * 1024 * 1024)

struct sent {
    const struct wire_api *api;
    int16_t version;
    int32_t correlation_id;
};

struct client {
    struct world *world;
    uint64_t connection;
    struct memory memory;
    struct arena arena;
    struct sent sent[CLIENT_SENT_MAX]; /* not answered yet, a ring */
    uint32_t first;
    uint32_t count;
    int32_t correlation_id;
    struct span last;
};

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

struct client *client_new(struct world *world)
{
    return client_new_on(world, 0);
}

struct client *client_new_on(struct world *world, uint32_t listener)
{
    struct client *client = calloc(1, sizeof(*client));
    CHECK(client != NULL);
    client->world = world;
    memory_init(&client->memory, (struct allocator){heap_take, heap_give, NULL});
    arena_init(&client->arena, &client->memory, MEMORY_STATE, CLIENT_ARENA_BYTES);
    client->connection = world_connect(world, listener);
    world_run(world);
    return client;
}

void client_free(struct client *client)
{
    arena_reset(&client->arena);
    free(client);
}

struct world *client_world(const struct client *client)
{
    return client->world;
}

uint64_t client_connection(const struct client *client)
{
    return client->connection;
}

struct arena *client_arena(struct client *client)
{
    return &client->arena;
}

void *client_request(struct client *client, int16_t api_key)
{
    const struct wire_api *api = wire_api_find(api_key);
    void *request = arena_take(&client->arena, api->request->size);
    CHECK(request != NULL);
    wire_defaults(api->request, request);
    return request;
}

void client_send_raw(struct client *client, struct span bytes)
{
    uint8_t *frame = arena_take(&client->arena, FRAME_SIZE_BYTES + bytes.length);
    CHECK(frame != NULL);
    put_be32(frame, (uint32_t)bytes.length);
    memcpy(frame + FRAME_SIZE_BYTES, bytes.data, bytes.length);
    world_client_send(client->world, client->connection,
                      span_of(frame, FRAME_SIZE_BYTES + bytes.length));
}

int32_t client_send(struct client *client, int16_t api_key, int16_t version, const void *request)
{
    const struct wire_api *api = wire_api_find(api_key);
    const int16_t header_version = wire_request_header_version(api, version);
    const struct request_header header = {
        .request_api_key = api_key,
        .request_api_version = version,
        .correlation_id = ++client->correlation_id,
        .client_id = SPAN("story"),
    };
    const size_t size = wire_size(&wire_request_header, header_version, &header) +
                        wire_size(api->request, version, request);
    struct wire_writer writer = {.data = arena_take(&client->arena, size), .capacity = size};
    CHECK(writer.data != NULL);
    CHECK(wire_encode(&wire_request_header, header_version, &header, &writer) == ERR_NONE);
    CHECK(wire_encode(api->request, version, request, &writer) == ERR_NONE);
    CHECK(client->count < CLIENT_SENT_MAX);
    client->sent[(client->first + client->count++) % CLIENT_SENT_MAX] =
        (struct sent){api, version, header.correlation_id};
    client_send_raw(client, span_of(writer.data, writer.length));
    return header.correlation_id;
}

void *client_take(struct client *client)
{
    const struct span received = world_client_received(client->world, client->connection);
    if (received.length < FRAME_SIZE_BYTES)
        return NULL;
    const uint32_t size = get_be32(received.data);
    if (received.length - FRAME_SIZE_BYTES < size)
        return NULL;
    CHECK(client->count > 0);
    const struct sent sent = client->sent[client->first];
    client->first = (client->first + 1) % CLIENT_SENT_MAX;
    client->count--;
    const struct span frame =
        arena_copy(&client->arena, span_of(received.data + FRAME_SIZE_BYTES, size));
    world_client_take(client->world, client->connection, FRAME_SIZE_BYTES + size);
    client->last = frame;
    struct response_header header;
    size_t used = 0;
    CHECK(wire_decode_prefix(&wire_response_header,
                             wire_response_header_version(sent.api, sent.version), frame,
                             &client->arena, &header, &used) == ERR_NONE);
    CHECK(header.correlation_id == sent.correlation_id);
    void *response = arena_take(&client->arena, sent.api->response->size);
    CHECK(response != NULL);
    CHECK(wire_decode(sent.api->response, sent.version,
                      span_of(frame.data + used, frame.length - used), &client->arena,
                      response) == ERR_NONE);
    return response;
}

void *client_call(struct client *client, int16_t api_key, int16_t version, const void *request)
{
    client_send(client, api_key, version, request);
    world_run(client->world);
    return client_take(client);
}

struct span client_last_bytes(const struct client *client)
{
    return client->last;
}

bool client_is_closed(const struct client *client)
{
    return world_client_is_closed(client->world, client->connection);
}
