/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/raft/world.h"

#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/records/builder.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

#define DEATH_US 3000

uint32_t world_draw(struct world *world, uint32_t below)
{
    return (uint32_t)(rng_next(&world->rng) % below);
}

bool world_chance(struct world *world, uint32_t of_1000)
{
    return of_1000 > 0 && world_draw(world, 1000) < of_1000;
}

/* ---- The queue ---- */

static bool event_before(const struct world_event *a, const struct world_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->tie < b->tie;
}

void world_push(struct world *world, struct world_event event, uint64_t delay_us)
{
    event.at_us = world->now_us + delay_us;
    event.tie = world->tie++;
    if (world->queue_count == world->queue_capacity) {
        world->queue_capacity = world->queue_capacity == 0 ? 256 : 2 * world->queue_capacity;
        world->queue = realloc(world->queue, world->queue_capacity * sizeof(*world->queue));
        CHECK(world->queue != NULL);
    }
    uint32_t at = world->queue_count++;
    for (; at > 0 && event_before(&event, &world->queue[(at - 1) / 2]); at = (at - 1) / 2)
        world->queue[at] = world->queue[(at - 1) / 2];
    world->queue[at] = event;
}

static struct world_event queue_pop(struct world *world)
{
    const struct world_event first = world->queue[0];
    const struct world_event last = world->queue[--world->queue_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= world->queue_count)
            break;
        if (child + 1 < world->queue_count &&
            event_before(&world->queue[child + 1], &world->queue[child]))
            child++;
        if (!event_before(&world->queue[child], &last))
            break;
        world->queue[at] = world->queue[child];
        at = child;
    }
    world->queue[at] = last;
    return first;
}

/* ---- Nodes ---- */

struct raft_id world_id(const struct world_node *node)
{
    return (struct raft_id){node->id, node->disk.directory};
}

static bool is_same(const struct raft_status *a, const struct raft_status *b)
{
    return a->role == b->role && a->term == b->term && a->leader == b->leader &&
           a->is_established == b->is_established && a->committed == b->committed &&
           a->applied == b->applied;
}

void world_end_turn(struct world_node *node)
{
    io_run_turn_tasks(&node->io);
    effects_clear(&node->effects);
    disk_sync(node);
    const struct raft_status status = raft_status(node->raft);
    if (!is_same(&status, &node->status))
        judge_status(node);
}

static uint32_t seeds_of(struct world *world, struct raft_seed *seeds)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        if (world->nodes[i].is_seeded)
            seeds[count++] = (struct raft_seed){
                .node = world->nodes[i].id,
                .listener = SPAN("CONTROLLER"),
                .host = SPAN("host"),
                .port = 9093,
            };
    }
    return count;
}

void world_start(struct world_node *node)
{
    struct world *world = node->world;
    struct raft_seed seeds[WORLD_NODES];
    const uint32_t seeds_count = seeds_of(world, seeds);
    const struct raft_settings settings = {
        .self = world_id(node),
        .seeds = seeds,
        .seeds_count = seeds_count,
        .election_timeout_ms = 200,
        .election_backoff_max_ms = 150,
        .fetch_timeout_ms = 400,
        .heartbeat_ms = 100,
        .append_bytes = 2000,
        .window_bytes = 8000,
        .snapshot_chunk_bytes = 600,
    };
    CHECK(!node->is_up);
    node->is_up = true;
    node->is_resigned = false;
    node->life++;
    effects_init(&node->effects, &world->memory);
    io_init(&node->io, &world->memory, &node->effects);
    rng_init(&node->io.rng, rng_next(&world->rng));
    node->io.now_us = world->now_us;
    node->io.wall_ms = 1700000000000 + (int64_t)(world->now_us / 1000);
    timers_run(&node->io.timers, world->now_us);
    disk_host(node);
    node->raft = raft_new(&node->io, &settings, &node->host);
    node->status = (struct raft_status){0};
    disk_boot(node);
    world_end_turn(node);
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        struct world_node *other = &world->nodes[i];
        if (!world->proof || !other->is_up || other == node || world->cut[i][node->id - 1])
            continue;
        world_push(
            world,
            (struct world_event){
                .kind = EVENT_PEER_UP, .node = (int32_t)i, .life = other->life, .peer = node->id},
            world_draw(world, DEATH_US));
    }
}

static void node_free(struct world_node *node)
{
    for (uint32_t i = 0; i < sizeof(node->world->barriers) / sizeof(node->world->barriers[0]);
         i++) {
        struct world_barrier *barrier = &node->world->barriers[i];
        if (barrier->is_busy && barrier->node == node)
            barrier->is_busy = false;
    }
    raft_free(node->raft);
    node->raft = NULL;
    effects_free(&node->effects);
    io_free(&node->io);
    node->is_up = false;
    node->status = (struct raft_status){0};
}

void world_crash(struct world_node *node)
{
    struct world *world = node->world;
    if (!node->is_up)
        return;
    node_free(node);
    node->life++;
    node->paused_until_us = 0;
    disk_crash(node);
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        if (world->proof && world->nodes[i].is_up && !world->cut[node->id - 1][i])
            world_push(world,
                       (struct world_event){.kind = EVENT_PEER_DEAD,
                                            .node = (int32_t)i,
                                            .life = world->nodes[i].life,
                                            .peer = node->id},
                       world_draw(world, DEATH_US));
    }
}

void world_wipe(struct world_node *node)
{
    struct world *world = node->world;
    CHECK(!node->is_up);
    world->ghosts = realloc(world->ghosts, (world->ghosts_count + 1) * sizeof(*world->ghosts));
    CHECK(world->ghosts != NULL);
    world->ghosts[world->ghosts_count++] = node->disk;
    node->is_wiped = true;
    node->disk = (struct world_disk){.directory = rng_uuid(&world->rng), .start_epoch = -1};
}

void world_empty_log(struct world_node *node)
{
    struct world_disk *disk = &node->disk;
    CHECK(!node->is_up);
    disk_free(disk);
    *disk =
        (struct world_disk){.directory = disk->directory, .vote = disk->vote, .start_epoch = -1};
}

void world_pause(struct world_node *node, uint64_t us)
{
    node->paused_until_us = node->world->now_us + us;
}

/* ---- Steps ---- */

static uint64_t node_due_us(const struct world_node *node)
{
    const uint64_t due_us = timers_next_us(&node->io.timers);
    if (due_us == TIMER_NEVER)
        return due_us;
    /* After a pause what has arrived is heard before timeouts are judged. */
    return due_us <= node->paused_until_us ? node->paused_until_us + 1 : due_us;
}

static void node_event(struct world_node *node, struct world_event *event)
{
    switch (event->kind) {
    case EVENT_MESSAGE:
        world_receive(node, event);
        break;
    case EVENT_PEER_UP:
        raft_peer_up(node->raft, event->peer);
        break;
    case EVENT_PEER_DEAD:
        raft_peer_dead(node->raft, event->peer);
        break;
    case EVENT_DRAINED:
        raft_peer_drained(node->raft, event->peer);
        break;
    default:
        disk_event(node, event);
        break;
    }
}

static void deliver(struct world *world)
{
    struct world_event event = queue_pop(world);
    struct world_node *node = &world->nodes[event.node];
    world->now_us = event.at_us;
    if (node->is_up && (event.kind == EVENT_MESSAGE || event.life == node->life)) {
        if (node->paused_until_us > world->now_us) {
            world_push(world, event, node->paused_until_us - world->now_us);
            return;
        }
        node->io.now_us = world->now_us;
        node->io.wall_ms = 1700000000000 + (int64_t)(world->now_us / 1000);
        node_event(node, &event);
        world_end_turn(node);
    }
    buffer_release(event.buffer);
}

bool world_step(struct world *world, uint64_t until_us)
{
    struct world_node *first = NULL;
    uint64_t due_us = world->queue_count > 0 ? world->queue[0].at_us : TIMER_NEVER;
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        struct world_node *node = &world->nodes[i];
        if (node->is_up && node_due_us(node) < due_us) {
            due_us = node_due_us(node);
            first = node;
        }
    }
    if (due_us >= until_us || world->violation != NULL) {
        if (world->now_us < until_us)
            world->now_us = until_us;
        return false;
    }
    if (first == NULL) {
        deliver(world);
        return true;
    }
    world->now_us = due_us;
    first->io.now_us = due_us;
    first->io.wall_ms = 1700000000000 + (int64_t)(due_us / 1000);
    timers_run(&first->io.timers, due_us);
    world_end_turn(first);
    return true;
}

void world_run(struct world *world, uint64_t us)
{
    const uint64_t until_us = world->now_us + us;
    while (world_step(world, until_us))
        continue;
}

bool world_run_until(struct world *world, bool (*is)(struct world *world), uint64_t us)
{
    const uint64_t until_us = world->now_us + us;
    while (!is(world)) {
        if (!world_step(world, until_us))
            return is(world);
    }
    return true;
}

/* ---- What one may do ---- */

struct world_node *world_leader(struct world *world)
{
    struct world_node *leader = NULL;
    int32_t term = 0;
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        if (!world->nodes[i].is_up)
            continue;
        const struct raft_status status = raft_status(world->nodes[i].raft);
        if (status.is_established && status.term > term) {
            leader = &world->nodes[i];
            term = status.term;
        }
    }
    return leader;
}

bool world_has_leader(struct world *world)
{
    return world_leader(world) != NULL;
}

bool world_is_even(struct world *world)
{
    if (!world_has_leader(world))
        return false;
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        if (world->nodes[i].is_up && world->nodes[i].applied_count != world->truth.count)
            return false;
    }
    return true;
}

int world_propose(struct world_node *node, uint32_t bytes)
{
    const size_t value_bytes = bytes < 8 ? 8 : bytes;
    uint8_t *value = memory_take(&node->world->memory, MEMORY_STATE, value_bytes);
    put_be64(value, ++node->world->payload);
    const struct span record = span_of(value, value_bytes);
    const size_t size = BATCH_HEADER_BYTES + batch_record_size(0, 0, SPAN_NULL, record);
    struct buffer *buffer = buffer_new(&node->world->memory, MEMORY_STATE, (uint32_t)size);
    struct batch_builder builder;
    batch_builder_start(&builder, buffer->data, size, node->io.wall_ms, false);
    batch_builder_add(&builder, node->io.wall_ms, SPAN_NULL, record);
    batch_builder_finish(&builder);
    memory_give(&node->world->memory, MEMORY_STATE, value, value_bytes);
    const int error =
        raft_propose(node->raft, buffer, buffer->data, (uint32_t)size, disk_end(&node->disk));
    buffer_release(buffer);
    return error;
}

static void barrier_done(struct raft_barrier *barrier, int error)
{
    judge_read(container_of(barrier, struct world_barrier, barrier), error);
}

void world_read(struct world_node *node)
{
    struct world *world = node->world;
    for (uint32_t i = 0; i < sizeof(world->barriers) / sizeof(world->barriers[0]); i++) {
        struct world_barrier *barrier = &world->barriers[i];
        if (barrier->is_busy)
            continue;
        *barrier = (struct world_barrier){.barrier.done = barrier_done, .node = node};
        barrier->truth_count = world->truth.count;
        barrier->is_busy = raft_barrier(node->raft, &barrier->barrier) == ERR_NONE;
        world_end_turn(node);
        return;
    }
}

int world_add_voter(struct world_node *leader, struct world_node *newcomer)
{
    int64_t end;
    struct voters_record_voter_endpoint endpoint = {SPAN("CONTROLLER"), SPAN("host"), 9093};
    const struct voters_record_voter voter = {
        .voter_id = newcomer->id,
        .voter_directory_id = newcomer->disk.directory,
        .endpoints = &endpoint,
        .endpoints_count = 1,
    };
    const int error = raft_add_voter(leader->raft, &voter, &end);
    leader->world->voter_changes += error == ERR_NONE;
    world_end_turn(leader);
    return error;
}

int world_remove_voter(struct world_node *leader, struct raft_id id)
{
    int64_t end;
    const int error = raft_remove_voter(leader->raft, id, &end);
    leader->world->voter_changes += error == ERR_NONE;
    world_end_turn(leader);
    return error;
}

void world_heal(struct world *world)
{
    memset(world->cut, 0, sizeof(world->cut));
    world->loss = 0;
    world->repeat = 0;
    world->late = 0;
    world->full = 0;
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        world->nodes[i].slow_us = 2000;
        if (world->nodes[i].is_resigned)
            world_crash(&world->nodes[i]);
        if (!world->nodes[i].is_up)
            world_start(&world->nodes[i]);
    }
}

void world_dump(struct world *world)
{
    static const char *const roles[] = {"stopped",     "forming",   "observer", "follower",
                                        "prospective", "candidate", "leader"};
    fprintf(stderr, "%.6f truth=%u\n", (double)world->now_us / 1e6, world->truth.count);
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        const struct world_node *node = &world->nodes[i];
        const struct raft_status status = node->is_up ? raft_status(node->raft) : node->status;
        const struct raft_voters *voters = node->is_up ? raft_voters(node->raft) : NULL;
        fprintf(stderr,
                "  %d %s%s term=%d leader=%d%s start=%lld end=%lld durable=%lld "
                "committed=%lld applied=%lld voters=",
                node->id, node->is_up ? "" : "down ", roles[status.role], status.term,
                status.leader, status.is_established ? " established" : "",
                (long long)node->disk.start, (long long)disk_end(&node->disk),
                (long long)disk_durable_end(&node->disk), (long long)status.committed,
                (long long)node->applied_end);
        for (int32_t j = 0; voters != NULL && j < voters->record.voters_count; j++) {
            const struct raft_id id = raft_voter_id(&voters->record.voters[j]);
            fprintf(stderr, "%d%s,", id.node,
                    uuid_equal(world->nodes[id.node - 1].disk.directory, id.directory) ? "" : "!");
        }
        fprintf(stderr, "%s%s%s%s\n", node->is_cutting ? " cutting" : "",
                node->is_installing ? " installing" : "", node->is_log_lost ? " lost" : "",
                node->is_persisting ? " persisting" : "");
    }
}

/* ---- The world ---- */

void world_init(struct world *world, uint64_t seed, uint32_t seeded, uint32_t others)
{
    memset(world, 0, sizeof(*world));
    heap_memory(&world->heap, &world->memory);
    rng_init(&world->rng, seed);
    world->now_us = 1000000;
    world->traces = getenv("CHRONIK_RAFT_TRACE") != NULL;
    world->nodes_count = seeded + others;
    CHECK(world->nodes_count <= WORLD_NODES);
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        struct world_node *node = &world->nodes[i];
        node->world = world;
        node->id = (int32_t)i + 1;
        node->is_seeded = i < seeded;
        node->slow_us = 2000;
        node->disk.directory = rng_uuid(&world->rng);
        node->disk.start_epoch = -1;
    }
}

void world_free(struct world *world)
{
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        if (world->nodes[i].is_up)
            node_free(&world->nodes[i]);
        disk_free(&world->nodes[i].disk);
    }
    for (uint32_t i = 0; i < world->ghosts_count; i++)
        disk_free(&world->ghosts[i]);
    for (uint32_t i = 0; i < world->queue_count; i++)
        buffer_release(world->queue[i].buffer);
    entries_free(&world->truth);
    free(world->ghosts);
    free(world->queue);
    free(world->votes);
    free(world->seen);
}
