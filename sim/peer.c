/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/peer.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/wire/error.h"
#include "sim/clients.h"
#include "sim/gathered.h"
#include "sim/judge.h"
#include "sim/memory.h"

#define EXCHANGE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define PORT               9092

struct peer {
    struct list place; /* sim->peers */
    struct sim *sim;
    struct channel *channel;
    const struct peer_events *events;
    void *context;
    struct memory memory;
    uint32_t client;
    int32_t correlation_id;
    bool is_open;
    bool is_wild; /* raw bytes were sent: replies can't be told */
    bool in_call; /* an event is being told: the peer goes only afterwards */
    bool is_closed;
    struct list asked;   /* exchanges, in the order in which they were sent */
    struct list replied; /* the reply left the machine, and has not arrived */
    uint32_t asked_count;
    uint64_t arrived_bytes;
    struct gathered left;
    struct gathered arrived;
};

static void exchange_free(struct exchange *exchange)
{
    list_remove(&exchange->place);
    arena_reset(&exchange->arena);
    free(exchange);
}

static void tell_sink(struct peer *peer, const char *what, const struct exchange *exchange,
                      uint64_t *ret_number)
{
    struct sim *sim = peer->sim;
    *ret_number = ++sim->trace_number;
    if (sim->sink != NULL)
        sim->sink->message(sim->sink_context, sim, what, exchange, *ret_number, sim->queue.cause);
    sim->queue.cause = *ret_number;
}

/* ---- Replies. ---- */

static void object(struct peer *peer, const char *what)
{
    sim_object(peer->sim, SIM_SAFETY, judge_order.name, judge_order.rule, judge_order.source,
               "%s, on connection %llu of %s", what,
               (unsigned long long)channel_connection(peer->channel),
               channel_host(peer->channel)->name);
}

static bool reply_decode(struct exchange *exchange, struct span frame)
{
    const int16_t header_version = wire_response_header_version(exchange->api, exchange->version);
    exchange->response_bytes = arena_copy(&exchange->arena, frame);
    struct response_header header;
    size_t used = 0;
    if (wire_decode_prefix(&wire_response_header, header_version, exchange->response_bytes,
                           &exchange->arena, &header, &used) != ERR_NONE ||
        header.correlation_id != exchange->correlation_id)
        return false;
    void *response = arena_take(&exchange->arena, exchange->api->response->size);
    CHECK(response != NULL);
    const struct span body =
        span_of(exchange->response_bytes.data + used, exchange->response_bytes.length - used);
    if (wire_decode(exchange->api->response, exchange->version, body, &exchange->arena, response) !=
        ERR_NONE)
        return false;
    exchange->response = response;
    return true;
}

/* A whole reply has left the machine. */
static void reply_left(struct peer *peer, struct span frame)
{
    if (list_empty(&peer->asked)) {
        object(peer, "a reply to no request");
        return;
    }
    struct exchange *exchange = container_of(peer->asked.next, struct exchange, place);
    if (!reply_decode(exchange, frame)) {
        object(peer, "a reply that is not the oldest request's, or cannot be decoded");
        return;
    }
    list_remove(&exchange->place);
    list_append(&peer->replied, &exchange->place);
    exchange->replied_us = peer->sim->now_us;
    exchange->boot = channel_host(peer->channel)->boots;
    exchange->connection = channel_connection(peer->channel);
    tell_sink(peer, "reply", exchange, &exchange->replied_number);
    judges_replied(peer->sim->judges, exchange);
}

static void on_left(void *context, struct channel *channel, struct span bytes)
{
    (void)channel;
    struct peer *peer = context;
    if (peer->is_wild)
        return;
    const uint64_t cause = peer->sim->queue.cause;
    gathered_put(&peer->left, bytes);
    struct span frame;
    while (!sim_is_over(peer->sim) && gathered_frame(&peer->left, &frame)) {
        reply_left(peer, frame);
        gathered_drop(&peer->left, FRAME_SIZE_BYTES + frame.length);
    }
    peer->sim->queue.cause = cause;
}

static void peer_free(struct peer *peer)
{
    list_remove(&peer->place);
    gathered_free(&peer->left);
    gathered_free(&peer->arrived);
    free(peer);
}

static void on_received(void *context, struct channel *channel, struct span bytes)
{
    (void)channel;
    struct peer *peer = context;
    if (peer->is_wild)
        return;
    gathered_put(&peer->arrived, bytes);
    peer->arrived_bytes += bytes.length;
    struct span frame;
    peer->in_call = true;
    while (!peer->is_closed && !sim_is_over(peer->sim) && gathered_frame(&peer->arrived, &frame)) {
        CHECK(!list_empty(&peer->replied));
        struct exchange *exchange = container_of(peer->replied.next, struct exchange, place);
        gathered_drop(&peer->arrived, FRAME_SIZE_BYTES + frame.length);
        list_remove(&exchange->place);
        peer->asked_count--;
        sim_count(peer->sim, TALLY_replies);
        peer->sim->queue.cause = exchange->replied_number;
        judges_received(peer->sim->judges, exchange);
        peer->events->received(peer->context, peer, exchange);
        exchange_free(exchange);
    }
    peer->in_call = false;
    if (peer->is_closed)
        peer_free(peer);
}

static void lose_all(struct peer *peer)
{
    struct list *const lists[] = {&peer->replied, &peer->asked};
    for (size_t i = 0; i < 2; i++) {
        while (!list_empty(lists[i])) {
            struct exchange *exchange = container_of(lists[i]->next, struct exchange, place);
            list_remove(&exchange->place);
            uint64_t number;
            tell_sink(peer, "lost", exchange, &number);
            sim_count(peer->sim, TALLY_lost);
            judges_lost(peer->sim->judges, exchange);
            peer->events->lost(peer->context, peer, exchange);
            exchange_free(exchange);
        }
    }
}

static void on_opened(void *context, struct channel *channel)
{
    (void)channel;
    struct peer *peer = context;
    peer->is_open = true;
    peer->events->opened(peer->context, peer);
}

static void on_closed(void *context, struct channel *channel)
{
    (void)channel;
    struct peer *peer = context;
    peer->is_closed = true;
    lose_all(peer);
    peer->events->closed(peer->context, peer);
    peer_free(peer);
}

static const struct channel_events events_of_channels = {
    .opened = on_opened,
    .received = on_received,
    .closed = on_closed,
    .left = on_left,
};

/* ---- The client's calls. ---- */

struct peer *peer_open(struct sim *sim, uint32_t client, uint32_t host,
                       const struct peer_events *events, void *context)
{
    struct peer *peer = sim_allocate(NULL, sizeof(*peer));
    *peer = (struct peer){.sim = sim, .client = client, .events = events, .context = context};
    memory_init(&peer->memory, sim_allocator());
    list_init(&peer->asked);
    list_init(&peer->replied);
    list_append(&sim->peers, &peer->place);
    peer->channel = channel_open(sim, client, host, PORT, &events_of_channels, peer);
    return peer;
}

void peer_free_all(struct sim *sim)
{
    while (!list_empty(&sim->peers)) {
        struct peer *peer = container_of(sim->peers.next, struct peer, place);
        while (!list_empty(&peer->asked))
            exchange_free(container_of(peer->asked.next, struct exchange, place));
        while (!list_empty(&peer->replied))
            exchange_free(container_of(peer->replied.next, struct exchange, place));
        peer_free(peer);
    }
}

void peer_close(struct peer *peer)
{
    if (peer->is_closed)
        return;
    peer->is_closed = true;
    lose_all(peer);
    channel_close(peer->channel);
    if (!peer->in_call)
        peer_free(peer);
}

struct exchange *peer_request(struct peer *peer, int16_t api_key, int16_t version)
{
    struct exchange *exchange = sim_allocate(NULL, sizeof(*exchange));
    *exchange = (struct exchange){.peer = peer,
                                  .host = channel_host(peer->channel),
                                  .client = peer->client,
                                  .api = wire_api_find(api_key),
                                  .version = version,
                                  .has_reply = true};
    CHECK(exchange->api != NULL);
    list_init(&exchange->place);
    arena_init(&exchange->arena, &peer->memory, MEMORY_STATE, EXCHANGE_BYTES_MAX);
    void *request = arena_take(&exchange->arena, exchange->api->request->size);
    CHECK(request != NULL);
    wire_defaults(exchange->api->request, request);
    exchange->request = request;
    return exchange;
}

void *peer_take(struct exchange *exchange, size_t size)
{
    void *taken = arena_take(&exchange->arena, size);
    CHECK(taken != NULL);
    return taken;
}

void peer_forget(struct exchange *exchange)
{
    exchange_free(exchange);
}

struct span peer_copy(struct exchange *exchange, struct span bytes)
{
    return arena_copy(&exchange->arena, bytes);
}

struct span peer_frame(struct exchange *exchange)
{
    const int16_t header_version = wire_request_header_version(exchange->api, exchange->version);
    const struct request_header header = {
        .request_api_key = exchange->api->key,
        .request_api_version = exchange->version,
        .correlation_id = exchange->correlation_id,
        .client_id = SPAN("sim"),
    };
    const size_t size = wire_size(&wire_request_header, header_version, &header) +
                        wire_size(exchange->api->request, exchange->version, exchange->request);
    uint8_t *frame = arena_take(&exchange->arena, FRAME_SIZE_BYTES + size);
    CHECK(frame != NULL);
    put_be32(frame, (uint32_t)size);
    struct wire_writer writer = {.data = frame + FRAME_SIZE_BYTES, .capacity = size};
    CHECK(wire_encode(&wire_request_header, header_version, &header, &writer) == ERR_NONE);
    CHECK(wire_encode(exchange->api->request, exchange->version, exchange->request, &writer) ==
          ERR_NONE);
    return span_of(frame, FRAME_SIZE_BYTES + size);
}

void peer_send(struct peer *peer, struct exchange *exchange, void *user)
{
    exchange->correlation_id = ++peer->correlation_id;
    exchange->user = user;
    exchange->asked_us = peer->sim->now_us;
    if (exchange->api->key == API_PRODUCE)
        exchange->has_reply = ((const struct produce_request *)exchange->request)->acks != 0;
    const struct span frame = peer_frame(exchange);
    exchange->request_bytes =
        span_of(frame.data + FRAME_SIZE_BYTES, frame.length - FRAME_SIZE_BYTES);
    const uint64_t cause = peer->sim->queue.cause;
    tell_sink(peer, "request", exchange, &exchange->asked_number);
    sim_count(peer->sim, TALLY_requests);
    judges_asked(peer->sim->judges, exchange);
    channel_send(peer->channel, frame);
    peer->sim->queue.cause = cause;
    if (!exchange->has_reply) {
        exchange_free(exchange);
        return;
    }
    list_append(&peer->asked, &exchange->place);
    peer->asked_count++;
}

void peer_send_raw(struct peer *peer, struct span bytes)
{
    peer->is_wild = true;
    channel_send(peer->channel, bytes);
}

struct channel *peer_channel(const struct peer *peer)
{
    return peer->channel;
}

uint32_t peer_host(const struct peer *peer)
{
    return channel_host(peer->channel)->number;
}

bool peer_is_open(const struct peer *peer)
{
    return peer->is_open;
}

uint32_t peer_asked_count(const struct peer *peer)
{
    return peer->asked_count;
}

uint64_t peer_arrived(const struct peer *peer)
{
    return peer->arrived_bytes;
}
