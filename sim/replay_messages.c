/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/replay_messages.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/base/map.h"
#include "core/wire/error.h"
#include "sim/gathered.h"
#include "sim/memory.h"
#include "sim/peer.h"

#define HEADER_BYTES_LEAST 8 /* of a request: its API, its version, its correlation id */
#define EXCHANGE_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* Bytes of conversation->sent that came straight from a file: the record does not have them. */
struct hole {
    size_t from;
    size_t to;
};

/* One connection. */
struct conversation {
    struct map_node by_connection;
    struct map_node by_receive;
    uint64_t connection;
    uint64_t receive; /* the effect that receives; 0: none is under way */
    struct gathered received;
    struct gathered sent;
    struct hole *holes;
    uint32_t holes_count;
    struct list asked; /* exchanges without a reply, in their order */
    bool is_wild;      /* somebody did not speak Kafka's protocol: nothing more is told of it */
};

struct replay_messages {
    struct sim *sim;
    struct host *host;
    struct memory memory;
    struct map by_connection;
    struct map by_receive;
};

struct replay_messages *replay_messages_new(struct sim *sim, struct host *host)
{
    struct replay_messages *messages = sim_allocate(NULL, sizeof(*messages));
    *messages = (struct replay_messages){.sim = sim, .host = host};
    memory_init(&messages->memory, sim_allocator());
    map_init(&messages->by_connection, &messages->memory, 0);
    map_init(&messages->by_receive, &messages->memory, 0);
    return messages;
}

static void exchange_free(struct exchange *exchange)
{
    list_remove(&exchange->place);
    arena_reset(&exchange->arena);
    free(exchange);
}

static void receive_forget(struct replay_messages *messages, struct conversation *conversation)
{
    if (conversation->receive != 0)
        map_remove(&messages->by_receive, &conversation->by_receive);
    conversation->receive = 0;
}

static void conversation_free(struct replay_messages *messages, struct conversation *conversation)
{
    while (!list_empty(&conversation->asked))
        exchange_free(container_of(conversation->asked.next, struct exchange, place));
    receive_forget(messages, conversation);
    map_remove(&messages->by_connection, &conversation->by_connection);
    gathered_free(&conversation->received);
    gathered_free(&conversation->sent);
    free(conversation->holes);
    free(conversation);
}

void replay_messages_free(struct replay_messages *messages)
{
    if (messages == NULL)
        return;
    while (messages->by_connection.first != NULL)
        conversation_free(messages, container_of(messages->by_connection.first, struct conversation,
                                                 by_connection));
    map_clear(&messages->by_connection);
    map_clear(&messages->by_receive);
    free(messages);
}

static uint64_t tell(struct replay_messages *messages, const char *what,
                     const struct exchange *exchange, uint64_t cause)
{
    struct sim *sim = messages->sim;
    const uint64_t number = ++sim->trace_number;
    sim->sink->message(sim->sink_context, sim, what, exchange, number, cause);
    return number;
}

/* ---- Requests. ---- */

/* Decodes the request. False when it is none that a broker takes. */
static bool request_decode(struct exchange *exchange, struct span frame)
{
    if (frame.length < HEADER_BYTES_LEAST)
        return false;
    const struct wire_api *api = wire_api_find((int16_t)get_be16(frame.data));
    if (api == NULL)
        return false;
    exchange->api = api;
    exchange->version = (int16_t)get_be16(frame.data + 2);
    exchange->correlation_id = (int32_t)get_be32(frame.data + 4);
    exchange->request_bytes = arena_copy(&exchange->arena, frame);
    void *request = arena_take(&exchange->arena, api->request->size);
    if (span_is_null(exchange->request_bytes) || request == NULL)
        return false;
    wire_defaults(api->request, request);
    exchange->request = request;
    if (exchange->version < api->request->version_min ||
        exchange->version > api->request->version_max) {
        /* A version to come of this API is answered with version 0 (KIP-511). */
        exchange->version = 0;
        return api->key == API_API_VERSIONS;
    }
    struct request_header header;
    size_t used = 0;
    return wire_decode_prefix(
               &wire_request_header, wire_request_header_version(api, exchange->version),
               exchange->request_bytes, &exchange->arena, &header, &used) == ERR_NONE &&
           wire_decode(
               api->request, exchange->version,
               span_of(exchange->request_bytes.data + used, exchange->request_bytes.length - used),
               &exchange->arena, request) == ERR_NONE;
}

static void request_take(struct replay_messages *messages, struct conversation *conversation,
                         struct span frame, uint64_t cause)
{
    struct exchange *exchange = sim_allocate(NULL, sizeof(*exchange));
    *exchange = (struct exchange){.host = messages->host,
                                  .connection = conversation->connection,
                                  .client = (uint32_t)conversation->connection,
                                  .asked_us = messages->sim->now_us,
                                  .has_reply = true};
    list_init(&exchange->place);
    arena_init(&exchange->arena, &messages->memory, MEMORY_STATE, EXCHANGE_BYTES_MAX);
    if (!request_decode(exchange, frame)) {
        conversation->is_wild = true;
        exchange_free(exchange);
        return;
    }
    exchange->asked_number = tell(messages, "request", exchange, cause);
    if (exchange->api->key == API_PRODUCE)
        exchange->has_reply = ((const struct produce_request *)exchange->request)->acks != 0;
    if (exchange->has_reply)
        list_append(&conversation->asked, &exchange->place);
    else
        exchange_free(exchange);
}

void replay_messages_completed(struct replay_messages *messages, uint64_t id, struct span bytes,
                               uint64_t cause)
{
    struct map_node *node = map_find(&messages->by_receive, span_of((uint8_t *)&id, sizeof(id)));
    if (node == NULL)
        return;
    struct conversation *conversation = container_of(node, struct conversation, by_receive);
    struct span frame;
    receive_forget(messages, conversation);
    if (conversation->is_wild)
        return;
    gathered_put(&conversation->received, bytes);
    while (!conversation->is_wild && gathered_frame(&conversation->received, &frame)) {
        request_take(messages, conversation, frame, cause);
        gathered_drop(&conversation->received, FRAME_SIZE_BYTES + frame.length);
    }
}

/* ---- Replies. ---- */

static void pieces_put(struct conversation *conversation, const struct effect *effect)
{
    const uint32_t count = effect->send.pieces_count;
    conversation->holes = sim_allocate(conversation->holes, (conversation->holes_count + count) *
                                                                sizeof(*conversation->holes));
    for (uint32_t i = 0; i < count; i++) {
        const struct piece *piece = &effect->send.pieces[i];
        const size_t from = conversation->sent.length;
        if (piece->data != NULL) {
            gathered_put(&conversation->sent, span_of(piece->data, piece->length));
            continue;
        }
        gathered_put_zeros(&conversation->sent, piece->length);
        conversation->holes[conversation->holes_count++] =
            (struct hole){.from = from, .to = from + piece->length};
    }
}

/* What was taken off the bytes is taken off the holes. */
static void holes_drop(struct conversation *conversation, size_t length)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < conversation->holes_count; i++) {
        const struct hole hole = conversation->holes[i];
        if (hole.to > length)
            conversation->holes[kept++] = (struct hole){
                .from = hole.from > length ? hole.from - length : 0, .to = hole.to - length};
    }
    conversation->holes_count = kept;
}

/* Records that are in a hole have a length, and no bytes. */
static void holes_show(const struct conversation *conversation, const struct exchange *exchange,
                       const struct fetch_response *response)
{
    for (int32_t i = 0; i < response->responses_count; i++) {
        for (int32_t j = 0; j < response->responses[i].partitions_count; j++) {
            struct span *records = &response->responses[i].partitions[j].records;
            if (records->length == 0)
                continue;
            const size_t from =
                FRAME_SIZE_BYTES + (size_t)(records->data - exchange->response_bytes.data);
            for (uint32_t k = 0; k < conversation->holes_count; k++) {
                if (conversation->holes[k].from < from + records->length &&
                    conversation->holes[k].to > from)
                    *records = span_of(NULL, records->length);
            }
        }
    }
}

static bool reply_decode(struct exchange *exchange, struct span frame)
{
    const int16_t header_version = wire_response_header_version(exchange->api, exchange->version);
    struct response_header header;
    size_t used = 0;
    exchange->response_bytes = arena_copy(&exchange->arena, frame);
    void *response = arena_take(&exchange->arena, exchange->api->response->size);
    if (span_is_null(exchange->response_bytes) || response == NULL ||
        wire_decode_prefix(&wire_response_header, header_version, exchange->response_bytes,
                           &exchange->arena, &header, &used) != ERR_NONE ||
        header.correlation_id != exchange->correlation_id)
        return false;
    exchange->response = response;
    return wire_decode(exchange->api->response, exchange->version,
                       span_of(exchange->response_bytes.data + used,
                               exchange->response_bytes.length - used),
                       &exchange->arena, response) == ERR_NONE;
}

static void reply_take(struct replay_messages *messages, struct conversation *conversation,
                       struct span frame, uint64_t cause)
{
    if (list_empty(&conversation->asked)) {
        conversation->is_wild = true;
        return;
    }
    struct exchange *exchange = container_of(conversation->asked.next, struct exchange, place);
    if (!reply_decode(exchange, frame)) {
        conversation->is_wild = true;
        return;
    }
    if (exchange->api->key == API_FETCH)
        holes_show(conversation, exchange, exchange->response);
    tell(messages, "reply", exchange, cause);
    exchange_free(exchange);
}

static void send(struct replay_messages *messages, struct conversation *conversation,
                 const struct effect *effect, uint64_t cause)
{
    struct span frame;
    if (conversation->is_wild)
        return;
    pieces_put(conversation, effect);
    while (!conversation->is_wild && gathered_frame(&conversation->sent, &frame)) {
        const size_t length = FRAME_SIZE_BYTES + frame.length;
        reply_take(messages, conversation, frame, cause);
        gathered_drop(&conversation->sent, length);
        holes_drop(conversation, length);
    }
}

/* ---- Connections. ---- */

static struct conversation *conversation_of(struct replay_messages *messages, uint64_t connection)
{
    const struct span key = span_of((uint8_t *)&connection, sizeof(connection));
    struct map_node *node = map_find(&messages->by_connection, key);
    if (node != NULL)
        return container_of(node, struct conversation, by_connection);
    struct conversation *conversation = sim_allocate(NULL, sizeof(*conversation));
    *conversation = (struct conversation){.connection = connection};
    list_init(&conversation->asked);
    map_add(&messages->by_connection, &conversation->by_connection,
            span_of((uint8_t *)&conversation->connection, sizeof(conversation->connection)));
    return conversation;
}

static void close_connection(struct replay_messages *messages, uint64_t connection, uint64_t cause)
{
    struct conversation *conversation = conversation_of(messages, connection);
    while (!list_empty(&conversation->asked)) {
        struct exchange *exchange = container_of(conversation->asked.next, struct exchange, place);
        tell(messages, "lost", exchange, cause);
        exchange_free(exchange);
    }
    conversation_free(messages, conversation);
}

void replay_messages_link(struct replay_messages *messages, uint64_t connection)
{
    conversation_of(messages, connection)->is_wild = true;
}

void replay_messages_effect(struct replay_messages *messages, const struct effect *effect,
                            uint64_t cause)
{
    struct conversation *conversation;
    switch (effect->kind) {
    case EFFECT_RECEIVE:
        conversation = conversation_of(messages, effect->receive.connection);
        CHECK(conversation->receive == 0); /* one at a time */
        conversation->receive = effect->id;
        map_add(&messages->by_receive, &conversation->by_receive,
                span_of((uint8_t *)&conversation->receive, sizeof(conversation->receive)));
        break;
    case EFFECT_SEND:
        send(messages, conversation_of(messages, effect->send.connection), effect, cause);
        break;
    case EFFECT_CLOSE:
        close_connection(messages, effect->connection, cause);
        break;
    default:
        break;
    }
}
