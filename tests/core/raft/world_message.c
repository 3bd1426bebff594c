/* SPDX-License-Identifier: Apache-2.0 */
/* The links of the world: they lose, delay, repeat and reorder messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/raft/world.h"

#define DELAY_US 2000
#define LATE_US  600000

/* The message as bytes, in all that it points at. */
static struct buffer *message_encode(struct world *world, const struct raft_message *message)
{
    const struct wire_schema *schema = raft_message_schema((int32_t)message->type);
    const size_t size = wire_size(schema, 0, &message->body);
    struct buffer *buffer = buffer_new(&world->memory, MEMORY_STATE, (uint32_t)size + 1);
    struct wire_writer writer = {.data = buffer->data, .capacity = size};
    CHECK(wire_encode(schema, 0, &message->body, &writer) == ERR_NONE && writer.length == size);
    return buffer;
}

static void trace_print(void *context, struct span text)
{
    fwrite(text.data, 1, text.length, context);
}

static void trace(const struct world_node *node, const struct world_event *event)
{
    const struct wire_printer printer = {trace_print, stderr, 0};
    const struct wire_schema *schema = raft_message_schema((int32_t)event->message.type);
    fprintf(stderr, "%.6f %d -> %d %s ", (double)node->world->now_us / 1e6, event->from.node,
            node->id, schema->name);
    if (!event->is_encoded)
        wire_print(schema, 0, &event->message.body, &printer);
    fputc('\n', stderr);
}

void world_receive(struct world_node *node, struct world_event *event)
{
    struct arena arena;
    if (node->world->traces)
        trace(node, event);
    if (!event->is_encoded) {
        raft_receive(node->raft, event->from, &event->message, event->buffer);
        return;
    }
    arena_init(&arena, &node->world->memory, MEMORY_STATE, 4096);
    CHECK(wire_decode(raft_message_schema((int32_t)event->message.type), 0,
                      span_of(event->buffer->data, event->buffer->capacity - 1), &arena,
                      &event->message.body) == ERR_NONE);
    raft_receive(node->raft, event->from, &event->message, event->buffer);
    arena_reset(&arena);
}

/* How long a message is on its way. */
static uint64_t delay_us(struct world *world, int32_t from_index, int32_t to_index,
                         enum raft_message_type type)
{
    uint64_t *free_us = &world->link_free_us[from_index][to_index];
    if (world->piece_us == 0)
        return 50 + world_draw(world, world_chance(world, world->late) ? LATE_US : DELAY_US);
    if (*free_us < world->now_us)
        *free_us = world->now_us;
    *free_us += type == RAFT_MESSAGE_SNAPSHOT ? world->piece_us : 1;
    return 50 + *free_us - world->now_us;
}

bool world_send(struct world_node *node, int32_t to, const struct raft_message *message,
                struct buffer *buffer)
{
    struct world *world = node->world;
    const int32_t from_index = node->id - 1;
    if (to < 1 || (uint32_t)to > world->nodes_count)
        return true;
    world->messages++;
    world->pieces += message->type == RAFT_MESSAGE_SNAPSHOT;
    if (buffer != NULL && world_chance(world, world->full)) {
        world_push(world,
                   (struct world_event){
                       .kind = EVENT_DRAINED, .node = from_index, .life = node->life, .peer = to},
                   world_draw(world, 20000));
        return false;
    }
    const uint32_t copies = world_chance(world, world->repeat) ? 2 : 1;
    for (uint32_t i = 0; i < copies; i++) {
        if (world->cut[from_index][to - 1] || world_chance(world, world->loss))
            continue;
        struct world_event event = {.kind = EVENT_MESSAGE, .node = to - 1, .from = world_id(node)};
        event.message = *message;
        /* Arrays are borrowed for the call. */
        event.is_encoded = world->checks_wire || message->type == RAFT_MESSAGE_VOTED;
        if (event.is_encoded)
            event.buffer = message_encode(world, message);
        else if (buffer != NULL)
            event.buffer = buffer_hold(buffer);
        world_push(world, event, delay_us(world, from_index, to - 1, message->type));
    }
    return true;
}
