/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bare.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/base/list.h"
#include "core/base/timer.h"
#include "core/wire/error.h"
#include "sim/memory.h"

#define FRAME_SIZE_BYTES 4
#define STEPS_MAX        ((uint64_t)1000000) /* until it serves, or answers */
#define CONNECTION       1
#define REASON_BYTES     256

/* A completion on its way. */
struct done {
    struct completion completion;
    struct done *next;
};

struct bytes {
    uint8_t *data;
    size_t length;
};

/* Memory of the process, which goes with it. */
struct block {
    struct list place;
    max_align_t data[];
};

struct bare {
    struct broker *broker;
    struct list blocks;
    struct effects effects;
    struct files *files;
    uint64_t mono_us;
    int64_t wall_ms;
    uint64_t timer_us;
    uint64_t steps;
    struct done *first;
    struct done **last;
    uint64_t watch; /* the effect's id; 0: none */
    bool is_ready;
    bool is_stopped;
    int32_t correlation_id;
    struct bytes to_broker;
    size_t received; /* of to_broker */
    struct bytes from_broker;
    char reason[REASON_BYTES];
};

static void *block_take(void *context, size_t size)
{
    struct bare *bare = context;
    struct block *block = sim_allocate(NULL, sizeof(*block) + size);
    list_append(&bare->blocks, &block->place);
    return block->data;
}

static void block_give(void *context, void *data, size_t size)
{
    (void)context;
    (void)size;
    struct block *block = container_of(data, struct block, data);
    list_remove(&block->place);
    free(block);
}

static void done(struct bare *bare, struct completion completion)
{
    struct done *new = sim_allocate(NULL, sizeof(*new));
    *new = (struct done){.completion = completion};
    *bare->last = new;
    bare->last = &new->next;
}

static void watch_perhaps(struct bare *bare)
{
    if (bare->watch == 0 || bare->received == bare->to_broker.length)
        return;
    done(bare, (struct completion){.effect = bare->watch});
    bare->watch = 0;
}

static void send(struct bare *bare, const struct effect *effect)
{
    for (uint32_t i = 0; i < effect->send.pieces_count; i++) {
        const struct piece *piece = &effect->send.pieces[i];
        const uint8_t *data = piece->data != NULL ? piece->data
                                                  : files_bytes(bare->files, piece->file,
                                                                piece->offset, piece->length);
        struct bytes *out = &bare->from_broker;
        if (data == NULL || piece->length == 0)
            continue;
        out->data = sim_allocate(out->data, out->length + piece->length);
        memcpy(out->data + out->length, data, piece->length);
        out->length += piece->length;
    }
    done(bare, (struct completion){.effect = effect->id});
}

static void receive(struct bare *bare, const struct effect *effect)
{
    size_t length = bare->to_broker.length - bare->received;
    if (length > effect->receive.length)
        length = effect->receive.length;
    if (length > 0)
        memcpy(effect->receive.data, bare->to_broker.data + bare->received, length);
    bare->received += length;
    done(bare, (struct completion){.effect = effect->id, .count = length});
}

static void carry_out(struct bare *bare, const struct effect *effect)
{
    struct completion completion = {.effect = effect->id};
    switch (effect->kind) {
    case EFFECT_TIMER:
        bare->timer_us = effect->due_us;
        return;
    case EFFECT_LOG:
        snprintf(bare->reason, sizeof(bare->reason), "%.*s", (int)effect->log.text.length,
                 (const char *)effect->log.text.data);
        return;
    case EFFECT_READY:
        bare->is_ready = true;
        return;
    case EFFECT_STOPPED:
        bare->is_stopped = true;
        return;
    case EFFECT_WATCH:
        bare->watch = effect->id;
        watch_perhaps(bare);
        return;
    case EFFECT_RECEIVE:
        receive(bare, effect);
        return;
    case EFFECT_SEND:
        send(bare, effect);
        return;
    case EFFECT_LISTEN:
        completion.count = effect->listen.port;
        done(bare, completion);
        return;
    case EFFECT_CONNECT:
        completion.error = ERR_REFUSED; /* it is alone in its world */
        done(bare, completion);
        return;
    case EFFECT_CLOSE:
        bare->is_stopped = true; /* of our only connection: it will not answer any more */
        return;
    default:
        break;
    }
    const uint64_t covers = files_submitted(bare->files, effect);
    files_carry_out(bare->files, effect, covers, ERR_NONE, 0, &completion);
    done(bare, completion);
}

static void deliver(struct bare *bare, struct event event)
{
    event.mono_us = bare->mono_us;
    event.wall_ms = bare->wall_ms;
    broker_step(bare->broker, &event, &bare->effects);
    bare->steps++;
    for (uint32_t i = 0; i < bare->effects.count; i++) {
        const struct effect effect = bare->effects.items[i];
        carry_out(bare, &effect);
    }
    effects_clear(&bare->effects);
}

/* A turn: all that is done, or else the timer. False when nothing will happen any more. */
static bool turn(struct bare *bare)
{
    if (bare->first == NULL) {
        if (bare->timer_us == TIMER_NEVER)
            return false;
        if (bare->timer_us > bare->mono_us) {
            bare->wall_ms += (int64_t)(bare->timer_us - bare->mono_us) / 1000;
            bare->mono_us = bare->timer_us;
        }
        bare->timer_us = TIMER_NEVER;
        deliver(bare, (struct event){.kind = EVENT_TIMER});
    }
    struct done *now = bare->first;
    bare->first = NULL;
    bare->last = &bare->first;
    while (now != NULL) {
        struct done *next = now->next;
        deliver(bare, (struct event){.kind = EVENT_COMPLETED, .completed = now->completion});
        free((void *)(uintptr_t)now->completion.entries);
        free(now);
        now = next;
    }
    deliver(bare, (struct event){.kind = EVENT_TURN_END});
    return bare->steps < STEPS_MAX && !bare->is_stopped;
}

struct bare *bare_boot(const struct conf *conf, struct files *files, int64_t wall_ms,
                       char *ret_reason, size_t reason_bytes)
{
    struct bare *bare = sim_allocate(NULL, sizeof(*bare));
    *bare = (struct bare){
        .files = files, .mono_us = 1000000, .wall_ms = wall_ms, .timer_us = TIMER_NEVER};
    bare->last = &bare->first;
    list_init(&bare->blocks);
    const struct broker_options options = {
        .allocator = {.allocate = block_take, .release = block_give, .context = bare},
        .conf = conf};
    bare->broker = broker_new(&options);
    effects_init(&bare->effects, broker_memory(bare->broker));
    deliver(bare, (struct event){.kind = EVENT_START});
    deliver(bare, (struct event){.kind = EVENT_TURN_END});
    while (!bare->is_ready && turn(bare)) {
    }
    if (bare->is_ready) {
        bare->steps = 0;
        deliver(bare, (struct event){
                          .kind = EVENT_ACCEPTED,
                          .accepted = {.connection = CONNECTION, .peer = SPAN("10.0.0.1:40000")}});
        return bare;
    }
    snprintf(ret_reason, reason_bytes, "%s", bare->reason);
    bare_free(bare);
    return NULL;
}

void bare_free(struct bare *bare)
{
    if (bare == NULL)
        return;
    while (bare->first != NULL) {
        struct done *next = bare->first->next;
        free((void *)(uintptr_t)bare->first->completion.entries);
        free(bare->first);
        bare->first = next;
    }
    while (!list_empty(&bare->blocks))
        block_give(bare, container_of(bare->blocks.next, struct block, place)->data, 0);
    files_process_ended(bare->files);
    free(bare->to_broker.data);
    free(bare->from_broker.data);
    free(bare);
}

static void request_put(struct bare *bare, const struct wire_api *api, int16_t version,
                        const void *request)
{
    const int16_t header_version = wire_request_header_version(api, version);
    const struct request_header header = {.request_api_key = api->key,
                                          .request_api_version = version,
                                          .correlation_id = ++bare->correlation_id,
                                          .client_id = SPAN("image")};
    const size_t size = wire_size(&wire_request_header, header_version, &header) +
                        wire_size(api->request, version, request);
    struct bytes *out = &bare->to_broker;
    out->data = sim_allocate(out->data, FRAME_SIZE_BYTES + size);
    out->length = FRAME_SIZE_BYTES + size;
    bare->received = 0;
    put_be32(out->data, (uint32_t)size);
    struct wire_writer writer = {.data = out->data + FRAME_SIZE_BYTES, .capacity = size};
    CHECK(wire_encode(&wire_request_header, header_version, &header, &writer) == ERR_NONE);
    CHECK(wire_encode(api->request, version, request, &writer) == ERR_NONE);
}

static bool reply_is_whole(const struct bare *bare)
{
    const struct bytes *in = &bare->from_broker;
    return in->length >= FRAME_SIZE_BYTES && in->length - FRAME_SIZE_BYTES >= get_be32(in->data);
}

const void *bare_ask(struct bare *bare, int16_t api_key, int16_t version, const void *request,
                     struct arena *arena)
{
    const struct wire_api *api = wire_api_find(api_key);
    request_put(bare, api, version, request);
    bare->from_broker.length = 0;
    bare->steps = 0;
    watch_perhaps(bare);
    while (!reply_is_whole(bare) && turn(bare)) {
    }
    if (!reply_is_whole(bare))
        return NULL;
    struct response_header header;
    size_t used = 0;
    const struct span frame =
        arena_copy(arena, span_of(bare->from_broker.data + FRAME_SIZE_BYTES,
                                  bare->from_broker.length - FRAME_SIZE_BYTES));
    void *response = arena_take(arena, api->response->size);
    if (response == NULL || span_is_null(frame) ||
        wire_decode_prefix(&wire_response_header, wire_response_header_version(api, version), frame,
                           arena, &header, &used) != ERR_NONE ||
        header.correlation_id != bare->correlation_id ||
        wire_decode(api->response, version, span_of(frame.data + used, frame.length - used), arena,
                    response) != ERR_NONE)
        return NULL;
    return response;
}
