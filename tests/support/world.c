/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/chance.h"
#include "sim/effect_digest.h"
#include "sim/memory.h"
#include "tests/support/world_internal.h"

#define TURNS_MAX     1000000
#define POISON        0xdb
#define FIRST_MONO_US ((uint64_t)1000000)
#define FIRST_WALL_MS ((int64_t)1700000000000)

/* A block that the process took. */
struct block {
    struct list place;
    size_t size;
    max_align_t data[];
};

struct world {
    struct chance chance;
    enum world_order order;
    uint64_t mono_us;
    int64_t wall_ms;
    struct list blocks;
    world_step *step;
    void *core;
    struct effects effects;
    struct io io; /* of world_boot_io */
    struct memory io_memory;
    struct world_effect *asked; /* in the order in which they were asked for */
    size_t asked_count;
    size_t asked_capacity;
    uint64_t last_id;
    uint64_t timer_us;
    bool stops;
    uint64_t allowed;
    uint64_t counts[EFFECT_CONNECT + 1];
    struct file_bytes logged;
    bool is_ready;
    bool is_stopped;
    struct world_faults faults;
    struct files files;
    struct world_net net;
};

struct world_faults *world_faults_of(struct world *world)
{
    return &world->faults;
}

struct files *world_files_of(struct world *world)
{
    return &world->files;
}

const struct files *world_files_of_const(const struct world *world)
{
    return &world->files;
}

struct world_net *world_net_of(struct world *world)
{
    return &world->net;
}

const struct world_net *world_net_of_const(const struct world *world)
{
    return &world->net;
}

struct world *world_new(uint64_t seed)
{
    struct world *world = sim_allocate(NULL, sizeof(*world));
    *world = (struct world){.mono_us = FIRST_MONO_US,
                            .wall_ms = FIRST_WALL_MS,
                            .timer_us = TIMER_NEVER,
                            .allowed = UINT64_MAX};
    rng_init(&world->chance.rng, seed);
    list_init(&world->blocks);
    files_init(&world->files, &world->chance);
    return world;
}

static void *block_allocate(void *context, size_t size)
{
    struct world *world = context;
    struct block *block = calloc(1, sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    list_append(&world->blocks, &block->place);
    return block->data;
}

static void block_release(void *context, void *data, size_t size)
{
    (void)context;
    struct block *block = container_of(data, struct block, data);
    CHECK(block->size == size);
    list_remove(&block->place);
    memset(block, POISON, sizeof(*block) + size);
    free(block);
}

struct allocator world_allocator(struct world *world)
{
    return (struct allocator){
        .allocate = block_allocate, .release = block_release, .context = world};
}

static void blocks_release(struct world *world)
{
    while (!list_empty(&world->blocks)) {
        struct block *block = container_of(world->blocks.next, struct block, place);
        block_release(world, block->data, block->size);
    }
}

void world_free(struct world *world)
{
    blocks_release(world);
    files_free(&world->files);
    world_net_free(&world->net);
    free(world->asked);
    file_bytes_free(&world->logged);
    free(world);
}

void world_set_order(struct world *world, enum world_order order)
{
    world->order = order;
}

static void effect_take(struct world *world, const struct effect *effect)
{
    world->counts[effect->kind]++;
    switch (effect->kind) {
    case EFFECT_TIMER:
        world->timer_us = effect->due_us;
        return;
    case EFFECT_READY:
        world->is_ready = true;
        return;
    case EFFECT_STOPPED:
        world->is_stopped = true;
        return;
    case EFFECT_LOG:
        file_bytes_set(&world->logged, world->logged.length, effect->log.text.data,
                       effect->log.text.length);
        file_bytes_set(&world->logged, world->logged.length, "\n", 1);
        return;
    default:
        break;
    }
    CHECK(effect->id != 0 && effect->id > world->last_id);
    world->last_id = effect->id;
    if (world->asked_count == world->asked_capacity) {
        world->asked_capacity = world->asked_capacity * 2 + 16;
        world->asked = sim_allocate(world->asked, world->asked_capacity * sizeof(*world->asked));
    }
    struct world_effect *asked = &world->asked[world->asked_count++];
    *asked = (struct world_effect){.effect = *effect, .hash = effect_digest(effect)};
    if (files_serve(effect->kind)) {
        asked->covers = files_submitted(&world->files, effect);
        const struct span path = files_path(&world->files, effect);
        CHECK(path.length < sizeof(asked->path));
        memcpy(asked->path, path.data, path.length);
    }
}

static void effects_take(struct world *world)
{
    for (uint32_t i = 0; i < world->effects.count; i++)
        effect_take(world, &world->effects.items[i]);
    effects_clear(&world->effects);
}

static void deliver(struct world *world, struct event event)
{
    effects_take(world); /* asked for by the test between two events */
    event.mono_us = world->mono_us;
    event.wall_ms = world->wall_ms;
    world->step(world->core, &event, &world->effects);
    effects_take(world);
}

void world_boot(struct world *world, world_step *step, void *core, struct memory *memory)
{
    CHECK(world->step == NULL);
    world->step = step;
    world->core = core;
    world->is_ready = false;
    world->is_stopped = false;
    effects_init(&world->effects, memory);
    world_reset_counts(world);
    struct event event = {.kind = EVENT_START};
    for (size_t i = 0; i < START_ENTROPY_BYTES; i++)
        event.start.entropy[i] = (uint8_t)chance_noise(&world->chance);
    deliver(world, event);
}

/* What a broker does with an event, for a bare struct io. */
static void io_step(void *core, const struct event *event, struct effects *effects)
{
    struct io *io = core;
    io->effects = effects;
    io->now_us = event->mono_us;
    io->wall_ms = event->wall_ms;
    if (event->kind == EVENT_COMPLETED)
        io_complete(io, &event->completed);
    else if (event->kind == EVENT_TIMER)
        timers_run(&io->timers, event->mono_us);
    else if (event->kind == EVENT_TURN_END)
        io_run_turn_tasks(io);
    struct effect *effect = effects_add(effects, EFFECT_TIMER);
    effect->due_us = timers_next_us(&io->timers);
}

struct io *world_boot_io(struct world *world)
{
    memory_init(&world->io_memory, world_allocator(world));
    io_init(&world->io, &world->io_memory, &world->effects);
    rng_init(&world->io.rng, chance_noise(&world->chance));
    world_boot(world, io_step, &world->io, &world->io_memory);
    return &world->io;
}

static bool asked_is_due(const struct world *world, const struct world_effect *asked)
{
    if (faults_hold(&world->faults, asked))
        return false;
    return !world_net_serves(asked->effect.kind) || world_net_is_due(&world->net, &asked->effect);
}

/* Takes the effect at `index` out of those under way. */
static struct world_effect asked_take(struct world *world, size_t index)
{
    const struct world_effect taken = world->asked[index];
    world->asked_count--;
    memmove(&world->asked[index], &world->asked[index + 1],
            (world->asked_count - index) * sizeof(taken));
    CHECK(taken.hash == effect_digest(&taken.effect));
    return taken;
}

static void carry_out(struct world *world, size_t index)
{
    const struct world_effect asked = asked_take(world, index);
    struct event event = {.kind = EVENT_COMPLETED};
    event.completed.effect = asked.effect.id;
    uint64_t bytes_max = 0;
    const int error = faults_draw(&world->faults, &asked, &bytes_max);
    if (files_serve(asked.effect.kind))
        files_carry_out(&world->files, &asked.effect, asked.covers, error, bytes_max,
                        &event.completed);
    else if (error != ERR_NONE)
        event.completed.error = error;
    else
        world_net_carry_out(&world->net, world->mono_us, &world->files, &asked.effect,
                            &event.completed);
    if (world->allowed != UINT64_MAX)
        world->allowed--;
    deliver(world, event);
    free((void *)(uintptr_t)event.completed.entries);
}

/* The next of the effects that were under way when the turn began, `before` of them; -1: none. */
static int64_t choose(struct world *world, size_t before)
{
    size_t due = 0;
    size_t last = 0;
    size_t first = SIZE_MAX;
    for (size_t i = 0; i < before; i++) {
        if (!asked_is_due(world, &world->asked[i]))
            continue;
        due++;
        last = i;
        if (first == SIZE_MAX)
            first = i;
    }
    if (due == 0)
        return -1;
    if (world->order == WORLD_IN_ORDER)
        return (int64_t)first;
    if (world->order == WORLD_REVERSED)
        return (int64_t)last;
    uint64_t drawn = chance_below(&world->chance, due);
    for (size_t i = first;; i++) {
        if (asked_is_due(world, &world->asked[i]) && drawn-- == 0)
            return (int64_t)i;
    }
}

/* What has to be carried out before the effect at `index` is: that one, or what a CLOSE ends. */
static size_t ends_first(struct world *world, size_t index)
{
    const struct effect *effect = &world->asked[index].effect;
    for (size_t i = 0; effect->kind == EFFECT_CLOSE && i < world->asked_count; i++) {
        if (world_net_ends_first(&world->net, effect, &world->asked[i].effect))
            return i;
    }
    return index;
}

static bool complete_some(struct world *world)
{
    size_t before = world->asked_count;
    size_t most = before;
    bool any = false;
    if (world->order == WORLD_SHUFFLED && before > 0)
        most = chance_below(&world->chance, before) + 1;
    while (most-- > 0 && world->allowed > 0 && !world->is_stopped) {
        const int64_t chosen = choose(world, before);
        if (chosen < 0)
            break;
        const size_t first = ends_first(world, (size_t)chosen);
        carry_out(world, first);
        if (first < before)
            before--;
        any = true;
    }
    return any;
}

static bool accept_all(struct world *world)
{
    bool any = false;
    struct event event = {.kind = EVENT_ACCEPTED};
    while ((event.accepted.connection =
                world_net_next_accept(&world->net, &event.accepted.listener)) != 0) {
        event.accepted.peer = SPAN("127.0.0.1:40000");
        deliver(world, event);
        any = true;
    }
    return any;
}

bool world_turn(struct world *world)
{
    CHECK(world->step != NULL);
    if (world->is_stopped)
        return false;
    effects_take(world);
    bool any = accept_all(world);
    if (world->stops) {
        world->stops = false;
        deliver(world, (struct event){.kind = EVENT_STOP});
        any = true;
    }
    any = complete_some(world) || any;
    if (world->is_stopped)
        return true;
    if (world->timer_us <= world->mono_us) {
        world->timer_us = TIMER_NEVER;
        deliver(world, (struct event){.kind = EVENT_TIMER});
        any = true;
    }
    const size_t asked_before = world->asked_count;
    deliver(world, (struct event){.kind = EVENT_TURN_END});
    return any || world->asked_count != asked_before;
}

void world_run(struct world *world)
{
    uint32_t turns = 0;
    while (world_turn(world)) {
        turns++;
        CHECK(turns < TURNS_MAX);
    }
}

void world_stop(struct world *world)
{
    world->stops = true;
}

void world_allow(struct world *world, uint64_t count)
{
    world->allowed = count;
}

uint64_t world_left(const struct world *world)
{
    return world->allowed;
}

bool world_is_used_up(const struct world *world)
{
    return world->allowed == 0;
}

static void process_ended(struct world *world)
{
    blocks_release(world);
    files_process_ended(&world->files);
    world_net_process_ended(&world->net);
    world->step = NULL;
    world->core = NULL;
    world->effects = (struct effects){0};
    world->asked_count = 0;
    world->last_id = 0;
    world->timer_us = TIMER_NEVER;
    world->stops = false;
    world->allowed = UINT64_MAX;
    world->faults.count = 0;
}

/* Some of the effects under way happen, some of the writes in part. */
static void happen_perhaps(struct world *world)
{
    effects_take(world);
    while (world->asked_count > 0) {
        const struct world_effect asked =
            asked_take(world, chance_below(&world->chance, world->asked_count));
        struct completion completion = {0};
        const uint64_t drawn = chance_below(&world->chance, 4);
        if (!files_serve(asked.effect.kind) || drawn == 0)
            continue;
        if (drawn == 1 && asked.effect.kind == EFFECT_WRITE)
            files_carry_out(&world->files, &asked.effect, asked.covers, ERR_IO,
                            chance_below(&world->chance, 4096), &completion);
        else if (drawn != 1)
            files_carry_out(&world->files, &asked.effect, asked.covers, ERR_NONE, 0, &completion);
        free((void *)(uintptr_t)completion.entries);
    }
}

void world_exit(struct world *world)
{
    world_run(world);
    process_ended(world);
}

void world_kill(struct world *world)
{
    happen_perhaps(world);
    process_ended(world);
}

void world_power_loss(struct world *world)
{
    happen_perhaps(world);
    process_ended(world);
    files_power_loss(&world->files);
}

void world_sleep_ms(struct world *world, int64_t ms)
{
    world->mono_us += (uint64_t)ms * 1000;
    world->wall_ms += ms;
}

void world_advance_ms(struct world *world, int64_t ms)
{
    const uint64_t until_us = world->mono_us + (uint64_t)ms * 1000;
    const uint64_t from_us = world->mono_us;
    const int64_t from_ms = world->wall_ms;
    world_run(world);
    while (world->timer_us <= until_us && !world->is_stopped && world->allowed > 0) {
        if (world->timer_us > world->mono_us)
            world->mono_us = world->timer_us;
        world->wall_ms = from_ms + (int64_t)((world->mono_us - from_us) / 1000);
        world_run(world);
    }
    world->mono_us = until_us;
    world->wall_ms = from_ms + ms;
    world_run(world);
}

void world_advance_wall_ms(struct world *world, int64_t ms)
{
    world->wall_ms += ms;
}

int64_t world_wall_ms(const struct world *world)
{
    return world->wall_ms;
}

uint64_t world_next_timer_us(const struct world *world)
{
    return world->timer_us;
}

uint64_t world_now_us(const struct world *world)
{
    return world->mono_us;
}

uint64_t world_count(const struct world *world, enum effect_kind kind)
{
    return world->counts[kind];
}

void world_reset_counts(struct world *world)
{
    memset(world->counts, 0, sizeof(world->counts));
    world->logged.length = 0;
}

bool world_logged(const struct world *world, const char *part)
{
    return world->logged.length > 0 &&
           memmem(world->logged.data, world->logged.length, part, strlen(part)) != NULL;
}

bool world_is_ready(const struct world *world)
{
    return world->is_ready;
}

bool world_is_stopped(const struct world *world)
{
    return world->is_stopped;
}

void world_set_capacity(struct world *world, uint64_t bytes)
{
    world->files.capacity_bytes = bytes;
}
