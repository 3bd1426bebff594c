/* SPDX-License-Identifier: Apache-2.0 */
#include "core/request.h"

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/broker_state.h"
#include "core/session.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* What decoding one request and answering it may take beyond its frame. */
#define REQUEST_ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* Which part of the memory for requests those of one session may hold while one of them waits as
 * its client pleases; while more than half of that memory is taken; and while more than three
 * quarters are. */
#define WAITING_PART        8
#define WAITING_PART_SCARCE 512
#define WAITING_PART_LEAST  32768

/* A reply is its size in four bytes, the response header, then the body. */
#define REPLY_SIZE_BYTES 4

struct request *request_new(struct session *session, struct buffer *buffer, uint32_t frame_length)
{
    struct memory *memory = &session->broker->memory;
    struct request *request = memory_take(memory, MEMORY_REQUEST, sizeof(*request));
    if (request == NULL)
        return NULL;
    request->session = session;
    request->frame = buffer_hold(buffer);
    request->frame_length = frame_length;
    arena_init(&request->arena, memory, MEMORY_REQUEST, REQUEST_ARENA_BYTES_MAX);
    list_append(&session->requests, &request->place);
    session->requests_count++;
    session->requests_bytes += frame_length;
    return request;
}

static uint64_t waiting_bytes_max(const struct memory *memory)
{
    const uint64_t used_bytes = memory->used_bytes[MEMORY_REQUEST];
    const uint64_t limit_bytes = memory->limit_bytes[MEMORY_REQUEST];
    if (used_bytes > limit_bytes / 4 * 3)
        return limit_bytes / WAITING_PART_LEAST;
    return limit_bytes / (used_bytes > limit_bytes / 2 ? WAITING_PART_SCARCE : WAITING_PART);
}

bool request_may_wait(struct request *request)
{
    struct session *session = request->session;
    request_count(request);
    const bool may_wait = session->requests_bytes <= waiting_bytes_max(&session->broker->memory);
    session->hurries = session->hurries || !may_wait;
    return may_wait;
}

void request_free(struct request *request)
{
    struct session *session = request->session;
    list_remove(&request->place);
    session->requests_count--;
    session->requests_bytes -=
        request->frame_length + request->reply_length + request->counted_bytes;
    for (uint32_t i = 0; i < request->ranges_count; i++)
        log_unpin(&request->ranges[i]);
    buffer_release(request->frame);
    buffer_release(request->reply);
    arena_reset(&request->arena);
    memory_give(&session->broker->memory, MEMORY_REQUEST, request, sizeof(*request));
}

void *request_response(struct request *request)
{
    const struct wire_schema *schema = request->api->response;
    void *response = arena_take(&request->arena, schema->size);
    if (response != NULL)
        wire_defaults(schema, response);
    return response;
}

void request_count(struct request *request)
{
    const size_t bytes = request->arena.used_bytes - request->counted_bytes;
    request->counted_bytes += bytes;
    request->session->requests_bytes += bytes;
}

/* The request has its answer; the session sends it when its turn comes. */
static void request_answer(struct request *request)
{
    struct session *session = request->session;
    CHECK(!request->answered);
    request_count(request);
    request->answered = true;
    request->cancel = NULL;
    request->hurry = NULL;
    /* A reply may have to wait for those before it, as long as their clients please. What was
     * received does not wait with it, or one client could hold the memory of all. */
    buffer_release(request->frame);
    request->frame = NULL;
    if (session->state == SESSION_OPEN) {
        session_answered(session);
        return;
    }
    request_free(request);
    session_request_gone(session);
}

/* Room for the pieces of a reply: one in memory between any two ranges, and around them. */
static bool pieces_make(struct request *request, const struct wire_split *splits,
                        uint32_t splits_count)
{
    struct piece *pieces =
        arena_array(&request->arena, 2 * (size_t)splits_count + 1, sizeof(struct piece));
    if (pieces == NULL)
        return false;
    uint32_t count = 0;
    uint32_t from = 0;
    for (uint32_t i = 0; i < splits_count; i++) {
        const uint32_t until = REPLY_SIZE_BYTES + (uint32_t)splits[i].position;
        pieces[count++] =
            (struct piece){.data = request->reply->data + from, .length = until - from};
        pieces[count++] = (struct piece){.file = request->ranges[i].file,
                                         .offset = request->ranges[i].position,
                                         .length = request->ranges[i].length};
        from = until;
    }
    if (from < request->reply_length)
        pieces[count++] = (struct piece){.data = request->reply->data + from,
                                         .length = request->reply_length - from};
    request->pieces = pieces;
    request->pieces_count = count;
    return true;
}

/* Encodes header and body behind each other; false when there is no memory for it. */
static bool reply_encode(struct request *request, const void *response, struct wire_split *splits,
                         uint32_t splits_capacity, uint32_t *ret_splits_count)
{
    const struct wire_api *api = request->api;
    const struct response_header header = {.correlation_id = request->correlation_id};
    const int16_t header_version = wire_response_header_version(api, request->version);
    const size_t size = wire_size(&wire_response_header, header_version, &header) +
                        wire_size(api->response, request->version, response);
    size_t file_bytes = 0;
    for (uint32_t i = 0; i < request->ranges_count; i++)
        file_bytes += request->ranges[i].length;
    const size_t memory_bytes = size - file_bytes;
    if (size > INT32_MAX)
        return false;
    request->reply = buffer_new(&request->session->broker->memory, MEMORY_SEND,
                                (uint32_t)(REPLY_SIZE_BYTES + memory_bytes));
    if (request->reply == NULL)
        return false;
    put_be32(request->reply->data, (uint32_t)size);
    struct wire_writer writer = {.data = request->reply->data + REPLY_SIZE_BYTES,
                                 .capacity = memory_bytes,
                                 .splits = splits,
                                 .splits_capacity = splits_capacity};
    wire_encode(&wire_response_header, header_version, &header, &writer);
    wire_encode(api->response, request->version, response, &writer);
    CHECK(writer.length == memory_bytes);
    *ret_splits_count = writer.splits_count;
    request->reply_length = (uint32_t)(REPLY_SIZE_BYTES + memory_bytes);
    request->session->requests_bytes += request->reply_length;
    return true;
}

void request_reply_ranges(struct request *request, const void *response, struct log_range *ranges,
                          uint32_t ranges_count)
{
    request->ranges = ranges;
    request->ranges_count = ranges_count;
    struct wire_split *splits =
        arena_array(&request->arena, ranges_count, sizeof(struct wire_split));
    uint32_t splits_count = 0;
    if (splits == NULL || !reply_encode(request, response, splits, ranges_count, &splits_count) ||
        !pieces_make(request, splits, splits_count)) {
        request_refuse(request, "there is no memory for a reply to it");
        return;
    }
    CHECK(splits_count == ranges_count);
    request_answer(request);
}

void request_reply(struct request *request, const void *response)
{
    request_reply_ranges(request, response, NULL, 0);
}

void request_done(struct request *request)
{
    request_answer(request);
}

void request_refuse(struct request *request, const char *why)
{
    struct session *session = request->session;
    const bool open = session->state == SESSION_OPEN;
    request_answer(request);
    if (open) /* else the session may have gone with its last request */
        session_close(session, why);
}
