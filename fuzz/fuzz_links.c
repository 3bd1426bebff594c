/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes on the links of a node, from whoever dialled it and from whomever it dialled, in any
 * fragments. Whatever they are, nothing aborts, memory stays within its budgets and comes back, and
 * at the end another node is welcomed. The input is a sequence of actions, a byte each:
 *
 *     connection 0-3 (to the node):   0 bytes: length (8 bits), then those    1 hello: incarnation
 *                                     (the last four say something wrong)
 *                                     2 the nonce that it was told            3 closed, and anew
 *                                     4 message: type (8 bits), length, then those
 *     the node dials a puppet:        5 bytes, likewise    6 welcome: incarnation    7 heartbeat
 *                                     8 it closes          9 a message is sent to it: length (16)
 *     the world:                      10 milliseconds (16 bits)    11 most bytes of a receive
 *                                     12 dials fail, as many as the next byte says
 */
#include <stdlib.h>

#include "core/base/endian.h"
#include "core/peer/frames.h"
#include "core/peer/peers.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "fuzz/fuzz.h"
#include "tests/support/world.h"

#define CONNECTIONS   4
#define PORT          9093
#define NODE          1
#define PUPPET        2
#define PLAYED        3
#define SILENCE_MS    2000
#define RECEIVE_LIMIT ((uint64_t)400 * 1024)
#define ACTIONS       13

/* Incarnations of those who say something wrong. */
enum { WRONG_CLUSTER = 0xfc, WRONG_NODE, WRONG_VERSION, WRONG_SELF };

struct process {
    struct world *world;
    struct memory memory;
    struct io io;
    struct op listen_op;
    struct peers *peers; /* NULL: the puppet */
    struct peers_observer observer;
    uint64_t connection; /* the puppet's; 0: none */
    uint64_t effects;    /* the puppet's last id */
    uint32_t received;
};

static struct process node;
static struct process puppet;
static uint64_t connections[CONNECTIONS];

static void must(bool condition)
{
    if (!condition)
        abort();
}

static const char *received(struct peers_observer *observer, const struct peer_message *message)
{
    must(observer == &node.observer && message->type >= PEER_MESSAGE_FIRST);
    node.received++;
    return message->body.length > 0 && message->body.data[0] == 0xff ? "it is refused" : NULL;
}

/* What is told of a node is what it can be asked. */
static void look(const struct peers_observer *observer, int32_t node_id)
{
    struct peer_status status;
    must(observer == &node.observer && peers_status(node.peers, node_id, &status));
}

static void told(struct peers_observer *observer, int32_t node_id)
{
    look(observer, node_id);
}

static void died(struct peers_observer *observer, int32_t node_id, struct uuid incarnation)
{
    (void)incarnation;
    look(observer, node_id);
}

static void listening(struct op *op, const struct completion *completion)
{
    (void)op;
    must(completion->error == ERR_NONE);
}

static void begin(struct process *process)
{
    static const struct peers_identity identity = {.cluster_id = {(const uint8_t *)"c", 1},
                                                   .node_id = NODE};
    static const struct peers_settings settings = {.heartbeat_us = 500000,
                                                   .silence_us = SILENCE_MS * 1000};
    io_listen(&process->io, &process->listen_op, listening, 0, SPAN(""), PORT);
    if (process != &node)
        return;
    rng_init(&node.io.rng, 1);
    node.observer = (struct peers_observer){.up = told,
                                            .down = told,
                                            .died = died,
                                            .silent = told,
                                            .drained = told,
                                            .received = received};
    node.peers = peers_new(&node.io, &identity, &settings, &node.observer);
    peers_know(node.peers, PUPPET, SPAN("n2"), PORT);
}

static void step(void *core, const struct event *event, struct effects *effects)
{
    struct process *process = core;
    struct io *io = &process->io;
    io->effects = effects;
    io->now_us = event->mono_us;
    if (event->kind == EVENT_START)
        begin(process);
    else if (event->kind == EVENT_ACCEPTED && process == &node)
        peers_accept(node.peers, event->accepted.connection, event->accepted.peer);
    else if (event->kind == EVENT_ACCEPTED)
        process->connection = event->accepted.connection;
    else if (event->kind == EVENT_COMPLETED)
        io_complete(io, &event->completed);
    else if (event->kind == EVENT_TIMER)
        timers_run(&io->timers, event->mono_us);
    else if (event->kind == EVENT_TURN_END && process == &node)
        peers_resume(node.peers);
    if (event->kind == EVENT_TURN_END)
        io_run_turn_tasks(io);
    effects_add(effects, EFFECT_TIMER)->due_us = timers_next_us(&io->timers);
}

static void start(struct process *process, struct world *world)
{
    *process = (struct process){.world = world};
    memory_init(&process->memory, world_allocator(world));
    process->memory.limit_bytes[MEMORY_PEER_RECEIVE] = RECEIVE_LIMIT;
    io_init(&process->io, &process->memory, NULL);
    world_boot(world, step, process, &process->memory);
}

static void run(void)
{
    bool goes_on = true;
    while (goes_on) {
        goes_on = world_turn(node.world);
        goes_on = world_turn(puppet.world) || goes_on;
    }
}

static void advance(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 100) {
        world_advance_ms(node.world, ms - at < 100 ? ms - at : 100);
        run();
    }
}

static uint16_t take(struct span *input, size_t bytes)
{
    uint16_t value = 0;
    for (; bytes > 0; bytes--) {
        value = (uint16_t)(value << 8);
        if (input->length > 0) {
            value |= input->data[0];
            *input = span_of(input->data + 1, input->length - 1);
        }
    }
    return value;
}

static struct span take_span(struct span *input)
{
    size_t length = take(input, 1);
    if (length > input->length)
        length = input->length;
    const struct span taken = span_of(input->data, length);
    *input = span_of(input->data + length, input->length - length);
    return taken;
}

/* ---- What is said to the node, and by whom it dialled. ---- */

static void say(uint64_t connection, struct span bytes)
{
    if (bytes.length > 0 && !world_client_is_closed(node.world, connection))
        world_client_send(node.world, connection, bytes);
}

static void puppet_done(struct op *op, const struct completion *completion)
{
    (void)completion;
    free(op);
}

struct puppet_send {
    struct op op;
    struct piece piece;
    uint8_t bytes[FRAME_SIZE_BYTES + PEER_SMALL_BYTES_MAX];
};

static void puppet_says(struct span bytes)
{
    if (puppet.connection == 0 || bytes.length > sizeof(((struct puppet_send *)NULL)->bytes))
        return;
    struct puppet_send *send = calloc(1, sizeof(*send));
    must(send != NULL);
    if (bytes.length > 0)
        memcpy(send->bytes, bytes.data, bytes.length);
    send->piece = (struct piece){.data = send->bytes, .length = bytes.length};
    io_send(&puppet.io, &send->op, puppet_done, puppet.connection, &send->piece, 1);
    run();
}

static void puppet_closes(void)
{
    if (puppet.connection == 0)
        return;
    struct op *op = calloc(1, sizeof(*op));
    must(op != NULL);
    io_close(&puppet.io, op, puppet_done, puppet.connection);
    puppet.connection = 0;
}

static struct small_frame frame_of(int16_t type, const struct wire_schema *schema,
                                   const void *message)
{
    struct small_frame frame;
    struct wire_writer writer = {.data = frame.bytes + 6, .capacity = sizeof(frame.bytes) - 6};
    must(wire_encode(schema, 0, message, &writer) == ERR_NONE);
    put_be32(frame.bytes, (uint32_t)writer.length + PEER_TYPE_BYTES);
    put_be16(frame.bytes + FRAME_SIZE_BYTES, (uint16_t)type);
    frame.length = (uint32_t)writer.length + 6;
    return frame;
}

static void say_hello(uint64_t connection, uint8_t incarnation)
{
    struct peer_hello hello = {.magic = PEER_MAGIC,
                               .cluster_id = SPAN("c"),
                               .to_node_id = NODE,
                               .node_id = PLAYED + incarnation % 3};
    hello.incarnation.bytes[0] = incarnation;
    /* The last ones are wrong in some way. */
    if (incarnation == WRONG_CLUSTER)
        hello.cluster_id = SPAN("another");
    else if (incarnation == WRONG_NODE)
        hello.to_node_id = NODE + 9;
    else if (incarnation == WRONG_VERSION)
        hello.version_lowest = hello.version_highest = PEER_VERSION_HIGHEST + 1;
    else if (incarnation == WRONG_SELF)
        hello.node_id = NODE;
    const struct small_frame frame = frame_of(PEER_HELLO, &wire_peer_hello, &hello);
    say(connection, span_of(frame.bytes, frame.length));
}

/* The nonce of the welcome that came on the connection; 0: none did. */
static int64_t nonce_told(uint64_t connection)
{
    struct span body;
    struct peer_welcome welcome;
    const struct span got = world_client_received(node.world, connection);
    if (got.length < FRAME_SIZE_BYTES + PEER_TYPE_BYTES ||
        got.length < FRAME_SIZE_BYTES + get_be32(got.data))
        return 0;
    const struct span frame = span_of(got.data + FRAME_SIZE_BYTES, get_be32(got.data));
    return frame_type(frame, &body) == PEER_WELCOME && frame_read_welcome(body, &welcome)
               ? welcome.nonce
               : 0;
}

static void say_nonce(uint64_t connection)
{
    struct small_frame frame;
    frame_heartbeat(nonce_told(connection), &frame);
    say(connection, span_of(frame.bytes, frame.length));
}

static void say_message(uint64_t connection, int16_t type, struct span body)
{
    uint8_t head[FRAME_SIZE_BYTES + PEER_TYPE_BYTES];
    put_be32(head, (uint32_t)body.length + PEER_TYPE_BYTES);
    put_be16(head + FRAME_SIZE_BYTES, (uint16_t)type);
    say(connection, span_of(head, sizeof(head)));
    say(connection, body);
}

static void puppet_welcomes(uint8_t incarnation)
{
    struct peer_welcome welcome = {.cluster_id = SPAN("c"), .node_id = PUPPET, .nonce = 5};
    welcome.incarnation.bytes[0] = incarnation;
    if (incarnation == WRONG_CLUSTER)
        welcome.cluster_id = SPAN("another");
    else if (incarnation == WRONG_NODE)
        welcome.node_id = PUPPET + 9;
    const struct small_frame frame = frame_of(PEER_WELCOME, &wire_peer_welcome, &welcome);
    puppet_says(span_of(frame.bytes, frame.length));
}

static void send_message(uint32_t bytes)
{
    struct buffer *buffer = buffer_new(&node.memory, MEMORY_READ, bytes + 1);
    memset(buffer->data, 0, bytes + 1);
    const struct raft_append message = {.term = 1, .records = {NULL, bytes + 1}};
    const int error = peers_send(node.peers, PUPPET, PEER_MESSAGE_FIRST, &wire_raft_append,
                                 &message, buffer, span_of(buffer->data, bytes + 1));
    must(error == ERR_NONE || error == ERR_CLOSED || error == ERR_LIMIT);
    buffer_release(buffer);
}

/* ---- The whole. ---- */

static void act_on_connection(uint8_t action, uint64_t *connection, struct span *input)
{
    switch (action) {
    case 0:
        say(*connection, take_span(input));
        break;
    case 1:
        say_hello(*connection, (uint8_t)take(input, 1));
        break;
    case 2:
        say_nonce(*connection);
        break;
    case 3:
        world_client_close(node.world, *connection);
        *connection = world_connect(node.world, 0);
        break;
    default: {
        const int16_t type = (int16_t)take(input, 1);
        say_message(*connection, type, take_span(input));
        break;
    }
    }
}

static void act(uint8_t action, struct span *input)
{
    struct small_frame frame;
    switch (action) {
    case 5:
        puppet_says(take_span(input));
        break;
    case 6:
        puppet_welcomes((uint8_t)take(input, 1));
        break;
    case 7:
        frame_heartbeat(take(input, 1), &frame);
        puppet_says(span_of(frame.bytes, frame.length));
        break;
    case 8:
        puppet_closes();
        break;
    case 9:
        send_message(take(input, 2));
        break;
    case 10:
        advance(take(input, 2) % 10000);
        break;
    case 11:
        world_set_receive_max(node.world, take(input, 1));
        break;
    default:
        world_fail(node.world, EFFECT_CONNECT, NULL, 0, take(input, 1) % 8, ERR_REFUSED, 0);
        world_mend(puppet.world);
        break;
    }
}

/* Whoever says hello in order is welcomed, whatever went on before. */
static void another_is_welcomed(void)
{
    world_set_receive_max(node.world, 0);
    world_mend(node.world);
    advance(2 * SILENCE_MS);
    const uint64_t connection = world_connect(node.world, 0);
    say_hello(connection, 200);
    run();
    must(nonce_told(connection) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct world *worlds[] = {world_new(1), world_new(2)};
    world_add_host(worlds[0], "n2", worlds[1]);
    start(&puppet, worlds[1]);
    world_run(worlds[1]);
    start(&node, worlds[0]);
    run();
    for (int i = 0; i < CONNECTIONS; i++)
        connections[i] = world_connect(node.world, 0);
    run();
    for (uint32_t faults = 0; input.length > 0;) {
        const uint8_t byte = (uint8_t)take(&input, 1);
        const uint8_t action = byte / CONNECTIONS % ACTIONS;
        if (action == ACTIONS - 1 && faults++ >= 4)
            continue;
        if (action < 5)
            act_on_connection(action, &connections[byte % CONNECTIONS], &input);
        else
            act(action, &input);
        run();
        must(node.memory.used_bytes[MEMORY_PEER_RECEIVE] <= RECEIVE_LIMIT);
    }
    another_is_welcomed();
    peers_stop(node.peers);
    run();
    peers_free(node.peers);
    for (int budget = MEMORY_STATE + 1; budget < MEMORY_BUDGETS; budget++)
        must(node.memory.used_bytes[budget] == 0);
    world_free(worlds[0]);
    world_free(worlds[1]);
    return 0;
}
