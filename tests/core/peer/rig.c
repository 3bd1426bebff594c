/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/peer/rig.h"

#include <string.h>

#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/messages.h"

#define SEED      11
#define TURNS_MAX 100000
#define STEP_MS   10

struct rig_node rig_nodes[RIG_NODES + 1];

/* A message with a records field, as if it had been there from the first version on. */
static struct wire_schema payload_schema;

static const char *const names[RIG_NODES + 1] = {"", "n1", "n2", "n3"};

static void tell(struct peers_observer *observer, int kind, int32_t of, struct uuid incarnation)
{
    struct rig_node *node = container_of(observer, struct rig_node, observer);
    ck_assert_uint_lt(node->told_count, RIG_EVENTS_MAX);
    node->told[node->told_count++] =
        (struct rig_told){.kind = kind, .node_id = of, .incarnation = incarnation};
}

static void on_up(struct peers_observer *observer, int32_t of)
{
    tell(observer, TOLD_UP, of, (struct uuid){{0}});
}

static void on_down(struct peers_observer *observer, int32_t of)
{
    tell(observer, TOLD_DOWN, of, (struct uuid){{0}});
}

static void on_died(struct peers_observer *observer, int32_t of, struct uuid incarnation)
{
    tell(observer, TOLD_DIED, of, incarnation);
}

static void on_silent(struct peers_observer *observer, int32_t of)
{
    tell(observer, TOLD_SILENT, of, (struct uuid){{0}});
}

static void on_drained(struct peers_observer *observer, int32_t of)
{
    tell(observer, TOLD_DRAINED, of, (struct uuid){{0}});
}

/* The payload is the pattern from its length on, so that a byte out of place is seen. */
static void check_payload(struct rig_node *node, const struct peer_message *message)
{
    struct arena arena;
    struct produce_request request;
    arena_init(&arena, &node->memory, MEMORY_REQUEST, 1 << 20);
    ck_assert_int_eq(
        wire_decode(&payload_schema, message->version, message->body, &arena, &request), ERR_NONE);
    const struct span records = request.topic_data[0].partition_data[0].records;
    for (size_t i = 0; i < records.length; i++) {
        if (records.data[i] != (uint8_t)((records.length + i) % 251))
            ck_abort_msg("byte %zu of %zu", i, records.length);
    }
    ck_assert(records.length == 0 ||
              (records.data >= message->buffer->data &&
               records.data + records.length <= message->buffer->data + message->buffer->capacity));
    node->received_bytes += records.length;
    arena_reset(&arena);
}

static const char *on_received(struct peers_observer *observer, const struct peer_message *message)
{
    struct rig_node *node = container_of(observer, struct rig_node, observer);
    ck_assert_int_ge(message->node_id, 1);
    ck_assert_int_eq(message->directory_id.bytes[0], message->node_id);
    node->received_count++;
    node->received_type = message->type;
    if (node->objects != NULL)
        return node->objects;
    if (message->type == RIG_PAYLOAD)
        check_payload(node, message);
    if (node->keeps)
        node->kept[node->kept_count++] = buffer_hold(message->buffer);
    return NULL;
}

static const struct peers_observer observer = {.up = on_up,
                                               .down = on_down,
                                               .died = on_died,
                                               .silent = on_silent,
                                               .drained = on_drained,
                                               .received = on_received};

static void listening(struct op *op, const struct completion *completion)
{
    (void)op;
    ck_assert_int_eq(completion->error, ERR_NONE);
}

static void node_starts(struct rig_node *node, const struct event *event)
{
    static const struct peers_settings settings = {.heartbeat_us = HEARTBEAT_MS * 1000,
                                                   .silence_us = SILENCE_MS * 1000};
    rng_init(&node->io.rng, get_be64(event->start.entropy));
    node->peers = peers_new(&node->io, &node->identity, &settings, &node->observer);
    io_listen(&node->io, &node->listen_op, listening, 0, SPAN(""), RIG_PORT);
}

/* What a broker does with an event. */
static void step(void *core, const struct event *event, struct effects *effects)
{
    struct rig_node *node = core;
    struct io *io = &node->io;
    io->effects = effects;
    io->now_us = event->mono_us;
    io->wall_ms = event->wall_ms;
    if (event->kind == EVENT_START)
        node_starts(node, event);
    else if (event->kind == EVENT_ACCEPTED)
        peers_accept(node->peers, event->accepted.connection, event->accepted.peer);
    else if (event->kind == EVENT_COMPLETED)
        io_complete(io, &event->completed);
    else if (event->kind == EVENT_TIMER)
        timers_run(&io->timers, event->mono_us);
    else if (event->kind == EVENT_TURN_END) {
        peers_resume(node->peers);
        io_run_turn_tasks(io);
    }
    effects_add(effects, EFFECT_TIMER)->due_us = timers_next_us(&io->timers);
}

void rig_begin(void)
{
    memset(rig_nodes, 0, sizeof(rig_nodes));
    payload_schema = wire_produce_request;
    payload_schema.version_min = 0;
    for (int32_t id = 1; id <= RIG_NODES; id++) {
        rig_nodes[id].id = id;
        rig_nodes[id].world = world_new(SEED + (uint64_t)id);
    }
    for (int32_t a = 1; a <= RIG_NODES; a++) {
        for (int32_t b = 1; b <= RIG_NODES; b++)
            world_add_host(rig_nodes[a].world, names[b], rig_nodes[b].world);
    }
}

/* A process gives back all that it took: first in order, so that leaks are seen. */
static void process_ends(struct rig_node *node)
{
    for (uint32_t i = 0; i < node->kept_count; i++)
        buffer_release(node->kept[i]);
    node->kept_count = 0;
    peers_free(node->peers);
    node->peers = NULL;
    io_free(&node->io);
    for (int budget = 0; budget < MEMORY_BUDGETS; budget++) {
        if (budget != MEMORY_STATE) /* in which the world's list of effects is */
            ck_assert_uint_eq(node->memory.used_bytes[budget], 0);
    }
}

void rig_end(void)
{
    for (int32_t id = 1; id <= RIG_NODES; id++) {
        if (rig_nodes[id].peers != NULL)
            process_ends(&rig_nodes[id]);
    }
    for (int32_t id = 1; id <= RIG_NODES; id++)
        world_free(rig_nodes[id].world);
}

struct rig_node *rig_start(int32_t id)
{
    struct rig_node *node = &rig_nodes[id];
    node->observer = observer;
    node->boots++;
    node->identity = (struct peers_identity){.cluster_id = SPAN("cluster"), .node_id = id};
    node->identity.directory_id.bytes[0] = (uint8_t)id;
    node->identity.incarnation.bytes[0] = (uint8_t)id;
    node->identity.incarnation.bytes[1] = (uint8_t)node->boots;
    if (node->says_where) {
        node->identity.host = span_text(names[id]);
        node->identity.port = RIG_PORT;
    }
    memory_init(&node->memory, world_allocator(node->world));
    io_init(&node->io, &node->memory, NULL);
    world_boot(node->world, step, node, &node->memory);
    world_run(node->world);
    return node;
}

void rig_kill(int32_t id)
{
    process_ends(&rig_nodes[id]);
    world_kill(rig_nodes[id].world);
}

void rig_know(int32_t a, int32_t b)
{
    peers_know(rig_nodes[a].peers, b, span_text(names[b]), RIG_PORT);
}

void rig_run(void)
{
    bool any = true;
    for (uint32_t turns = 0; any; turns++) {
        ck_assert_uint_lt(turns, TURNS_MAX);
        any = false;
        for (int32_t id = 1; id <= RIG_NODES; id++)
            any = (rig_nodes[id].peers != NULL && world_turn(rig_nodes[id].world)) || any;
    }
}

void rig_advance(int64_t ms)
{
    rig_run();
    for (int64_t at = 0; at < ms; at += STEP_MS) {
        for (int32_t id = 1; id <= RIG_NODES; id++) {
            if (rig_nodes[id].peers != NULL)
                world_advance_ms(rig_nodes[id].world, STEP_MS);
        }
        rig_run();
    }
}

uint32_t rig_count(const struct rig_node *node, int kind, int32_t of)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->told_count; i++)
        count += (int)node->told[i].kind == kind && node->told[i].node_id == of;
    return count;
}

bool rig_is_up(const struct rig_node *node, int32_t to)
{
    return rig_count(node, TOLD_UP, to) > rig_count(node, TOLD_DOWN, to);
}

uint64_t rig_heard_us(const struct rig_node *node, int32_t of)
{
    struct peer_status status;
    return peers_status(node->peers, of, &status) ? status.heard_us : 0;
}

int rig_send(struct rig_node *from, int32_t to, uint32_t bytes)
{
    struct buffer *buffer = buffer_new(&from->memory, MEMORY_READ, bytes + 1);
    for (uint32_t i = 0; i < bytes; i++)
        buffer->data[i] = (uint8_t)((bytes + i) % 251);
    struct produce_request_topic_data_partition_data partition = {
        .index = 1, .records = {.data = NULL, .length = bytes}};
    struct produce_request_topic_data topic = {
        .name = SPAN("t"), .partition_data = &partition, .partition_data_count = 1};
    const struct produce_request request = {.topic_data = &topic, .topic_data_count = 1};
    const int error = peers_send(from->peers, to, RIG_PAYLOAD, &payload_schema, &request, buffer,
                                 span_of(buffer->data, bytes));
    buffer_release(buffer);
    return error;
}

uint64_t rig_dial(const struct rig_node *node)
{
    return world_connect(node->world, 0);
}

void rig_say(const struct rig_node *node, uint64_t connection, const struct small_frame *frame)
{
    world_client_send(node->world, connection, span_of(frame->bytes, frame->length));
    rig_run();
}

int16_t rig_hears(const struct rig_node *node, uint64_t connection, struct small_frame *ret_frame)
{
    const struct span got = world_client_received(node->world, connection);
    if (got.length < FRAME_SIZE_BYTES + PEER_TYPE_BYTES)
        return 0;
    const uint32_t size = get_be32(got.data);
    ck_assert_uint_le(size, PEER_SMALL_BYTES_MAX);
    ck_assert_uint_ge(got.length, FRAME_SIZE_BYTES + size);
    ret_frame->length = FRAME_SIZE_BYTES + size;
    memcpy(ret_frame->bytes, got.data, ret_frame->length);
    world_client_take(node->world, connection, ret_frame->length);
    return (int16_t)get_be16(ret_frame->bytes + FRAME_SIZE_BYTES);
}
