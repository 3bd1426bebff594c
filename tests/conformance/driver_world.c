/* SPDX-License-Identifier: Apache-2.0 */
/* The world in memory, which carries out effects in whatever order. */
#include <check.h>

#include "core/base/memory.h"
#include "core/wire/error.h"
#include "tests/conformance/driver.h"
#include "tests/support/world.h"

#define WORLD_SEED 7
#define PEERS_MAX  64

/* The process: it asks for what the story says, and passes on what it is told. */
struct process {
    struct world *world;
    struct memory memory;
    struct effects *effects; /* where effects are asked for */
    uint64_t peers[PEERS_MAX];
    peer peers_count;
};

static void step(void *core, const struct event *event, struct effects *effects)
{
    struct process *process = core;
    process->effects = effects;
    if (event->kind == EVENT_COMPLETED)
        conformance_completed(&event->completed);
    else if (event->kind == EVENT_ACCEPTED)
        conformance_accepted(event->accepted.connection, event->accepted.listener);
}

static void *start(enum world_order order)
{
    static struct process process;
    process = (struct process){.world = world_new(WORLD_SEED)};
    world_set_order(process.world, order);
    memory_init(&process.memory, world_allocator(process.world));
    world_boot(process.world, step, &process, &process.memory);
    return &process;
}

static void *start_in_order(void)
{
    return start(WORLD_IN_ORDER);
}

static void *start_reversed(void)
{
    return start(WORLD_REVERSED);
}

static void *start_shuffled(void)
{
    return start(WORLD_SHUFFLED);
}

static void end(void *state)
{
    struct process *process = state;
    world_exit(process->world);
    world_free(process->world);
}

static void perform(void *state, const struct effect *effect)
{
    struct process *process = state;
    *effects_add(process->effects, effect->kind) = *effect;
}

static void wait(void *state)
{
    const struct process *process = state;
    world_turn(process->world);
}

static peer connect_to(void *state, uint32_t listener, uint16_t port)
{
    (void)port;
    struct process *process = state;
    ck_assert_uint_lt(process->peers_count, PEERS_MAX);
    process->peers[process->peers_count] = world_connect(process->world, listener);
    return process->peers_count++;
}

static void peer_send(void *state, peer from, struct span bytes)
{
    const struct process *process = state;
    world_client_send(process->world, process->peers[from], bytes);
}

static void peer_pause(void *state, peer paused, bool pause)
{
    const struct process *process = state;
    world_client_pause(process->world, process->peers[paused], pause);
}

static void peer_close(void *state, peer closed)
{
    const struct process *process = state;
    world_client_close(process->world, process->peers[closed]);
}

static struct span peer_received(void *state, peer by, bool *ret_ended)
{
    const struct process *process = state;
    *ret_ended = world_client_is_closed(process->world, process->peers[by]);
    return world_client_received(process->world, process->peers[by]);
}

static struct span file(void *state, const char *path)
{
    const struct process *process = state;
    return world_file(process->world, path);
}

static void put_file(void *state, const char *path, struct span bytes)
{
    const struct process *process = state;
    world_put_file(process->world, path, bytes);
}

static void put_folder(void *state, const char *path)
{
    const struct process *process = state;
    world_put_folder(process->world, path);
}

static bool make_fail(void *state, enum effect_kind kind, int error)
{
    const struct process *process = state;
    world_fail(process->world, kind, NULL, 0, UINT32_MAX, error, 0);
    return true;
}

static void mend(void *state)
{
    const struct process *process = state;
    world_mend(process->world);
}

static void hold_syncs(void *state)
{
    const struct process *process = state;
    world_hold(process->world, EFFECT_SYNC, NULL);
}

static void release_syncs(void *state)
{
    const struct process *process = state;
    world_release(process->world);
}

#define WORLD_WITH(how_to_start)                                                                 \
    {                                                                                            \
        .start = (how_to_start), .end = end, .perform = perform, .wait = wait,                   \
        .connect = connect_to, .send = peer_send, .pause = peer_pause, .close = peer_close,      \
        .received = peer_received, .file = file, .put_file = put_file, .put_folder = put_folder, \
        .make_fail = make_fail, .mend = mend, .hold_syncs = hold_syncs,                          \
        .release_syncs = release_syncs,                                                          \
    }

const struct conformance_driver conformance_in_order = WORLD_WITH(start_in_order);
const struct conformance_driver conformance_reversed = WORLD_WITH(start_reversed);
const struct conformance_driver conformance_shuffled = WORLD_WITH(start_shuffled);
