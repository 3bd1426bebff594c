/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quorums of one to five voters in any weather, by seed. CHRONIK_RAFT_SEEDS says how many seeds,
 * CHRONIK_RAFT_SEED the first one: with a count of 1 that is how a failure is run again, and
 * CHRONIK_RAFT_TRACE=1 shows every message then.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/error.h"
#include "tests/core/raft/world.h"
#include "tests/support/runner.h"

#define ROUNDS       8
#define SEEDS        1600
#define CALM_US      30000000
#define IDLE_US      10000000
#define BEATS_A_IDLE (IDLE_US / 100000)

/* What may happen in a world: drawn for each, so that worlds differ. */
struct weather {
    bool crashes;
    bool pauses;
    bool partitions;
    bool wipes;
    bool changes;
    bool snapshots;
    bool losses; /* of the log */
    bool transfers;
    uint32_t steps;
};

static struct world world;
static struct weather weather;
static uint32_t wanted; /* entries that have to be committed in the end */

static struct world_node *any_node(void)
{
    return &world.nodes[world_draw(&world, world.nodes_count)];
}

static uint32_t nodes_up(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world.nodes_count; i++)
        count += world.nodes[i].is_up;
    return count;
}

static void do_partition(void)
{
    const uint32_t what = world_draw(&world, 4);
    struct world_node *one = any_node();
    struct world_node *other = any_node();
    if (what == 0) {
        memset(world.cut, 0, sizeof(world.cut));
    } else if (what == 1) { /* one way */
        world.cut[one->id - 1][other->id - 1] = true;
    } else if (what == 2) { /* one alone */
        for (uint32_t i = 0; i < world.nodes_count; i++)
            world.cut[one->id - 1][i] = world.cut[i][one->id - 1] = true;
    } else { /* two halves */
        const uint32_t halves = world_draw(&world, 1u << world.nodes_count);
        for (uint32_t i = 0; i < world.nodes_count; i++)
            for (uint32_t j = 0; j < world.nodes_count; j++)
                world.cut[i][j] = ((halves >> i) & 1) != ((halves >> j) & 1);
    }
}

/* The voter whose disk is another one now. */
static bool lost_voter(const struct world_node *leader, struct raft_id *ret_id)
{
    const struct raft_voters *voters = raft_voters(leader->raft);
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        *ret_id = raft_voter_id(&voters->record.voters[i]);
        if (!uuid_equal(world.nodes[ret_id->node - 1].disk.directory, ret_id->directory))
            return true;
    }
    return false;
}

static uint32_t seeds_left(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world.nodes_count; i++)
        count += world.nodes[i].is_seeded && !world.nodes[i].is_wiped;
    return count;
}

static void do_wipe(void)
{
    const struct world_node *leader = world_leader(&world);
    struct world_node *node = any_node();
    struct raft_id id;
    if (leader == NULL || leader->raft == NULL || lost_voter(leader, &id))
        return;
    /* Seeds that have all lost their disks are a new cluster: whoever replaces voters has to name
     * the new ones in controller.quorum.voters before. */
    if (node->is_seeded && seeds_left() == 1)
        return;
    const struct raft_voters *voters = raft_voters(leader->raft);
    if (voters->offset >= raft_status(leader->raft).committed || voters->record.voters_count < 3 ||
        !world_is_even(&world))
        return;
    world_crash(node);
    world_wipe(node);
}

static void do_change(void)
{
    struct world_node *leader = world_draw(&world, 4) == 0 ? any_node() : world_leader(&world);
    struct world_node *node = any_node();
    struct raft_id id;
    if (leader == NULL || !leader->is_up || raft_status(leader->raft).role != RAFT_LEADER ||
        leader->is_log_lost)
        return;
    if (lost_voter(leader, &id))
        world_remove_voter(leader, id);
    else if (raft_voters_find(raft_voters(leader->raft), world_id(node)) == NULL)
        world_add_voter(leader, node);
    else
        world_remove_voter(leader, world_id(node));
}

static void do_propose(void)
{
    struct world_node *node = world_draw(&world, 4) == 0 ? any_node() : world_leader(&world);
    if (node == NULL || !node->is_up || node->is_log_lost)
        return;
    const uint32_t count = 1 + world_draw(&world, 4);
    for (uint32_t i = 0; i < count; i++)
        world_propose(node, 8 + world_draw(&world, world_draw(&world, 8) == 0 ? 6000 : 300));
    world_end_turn(node);
}

static void do_transfer(void)
{
    struct world_node *leader = world_leader(&world);
    if (leader == NULL)
        return;
    if (world_draw(&world, 3) == 0) {
        raft_resign(leader->raft);
        leader->is_resigned = true;
    } else {
        raft_transfer(leader->raft, world_draw(&world, 2) == 0 ? RAFT_NOBODY : any_node()->id);
    }
    world_end_turn(leader);
    if (world_draw(&world, 2) == 0)
        world_crash(leader);
}

static void do_anything(void)
{
    struct world_node *node = any_node();
    const uint32_t what = world_draw(&world, 100);
    if (what < 40)
        do_propose();
    else if (what < 50 && node->is_up)
        world_read(node);
    else if (what < 60 && world_leader(&world) != NULL)
        world_read(world_leader(&world));
    else if (what < 66 && weather.crashes && node->is_up)
        world_crash(node);
    else if (what < 74 && !node->is_up)
        world_start(node);
    else if (what < 77 && weather.pauses)
        world_pause(node, world_draw(&world, 1000000));
    else if (what < 83 && weather.partitions)
        do_partition();
    else if (what < 86 && weather.wipes)
        do_wipe();
    else if (what < 91 && weather.changes)
        do_change();
    else if (what < 94 && weather.snapshots)
        world_take_snapshot(node, world_draw(&world, 2) == 0);
    else if (what < 96 && weather.losses)
        world_lose_log(node);
    else if (what < 97 && weather.transfers)
        do_transfer();
    else if (what < 98)
        node->slow_us = world_draw(&world, 4) == 0 ? 200000 : 3000;
}

static uint32_t draw_rate(uint32_t most)
{
    return world_draw(&world, 2) == 0 ? 0 : world_draw(&world, most);
}

static void world_draw_weather(void)
{
    const uint32_t bits = world_draw(&world, 256);
    weather = (struct weather){
        .crashes = (bits & 1) != 0,
        .pauses = (bits & 2) != 0,
        .partitions = (bits & 4) != 0,
        .wipes = (bits & 8) != 0,
        .changes = (bits & 16) != 0,
        .snapshots = (bits & 32) != 0,
        .losses = (bits & 64) != 0,
        .transfers = (bits & 128) != 0,
        .steps = 50 + world_draw(&world, 250),
    };
    world.loss = draw_rate(100);
    world.repeat = draw_rate(100);
    world.late = draw_rate(60);
    world.full = draw_rate(100);
    world.proof = world_draw(&world, 2) == 0;
    world.checks_wire = world_draw(&world, 8) == 0;
}

static bool is_even(struct world *the_world)
{
    return the_world->truth.count >= wanted && world_is_even(the_world);
}

static void live_on(void)
{
    if (world.violation == NULL)
        world_heal(&world);
    for (int i = 0; i < 2 && world.violation == NULL; i++) {
        if (!world_run_until(&world, world_has_leader, CALM_US)) {
            world_violated(&world, "liveness", "nobody leads");
            return;
        }
        struct world_node *leader = world_leader(&world);
        wanted = world.truth.count + (world_propose(leader, 100) == ERR_NONE && i == 1);
        world_end_turn(leader);
        if (!world_run_until(&world, is_even, CALM_US))
            world_violated(&world, "liveness", "the nodes do not get even");
    }
}

static void live_idle(void)
{
    world_run(&world, 2000000);
    const uint32_t elections = world.elections;
    const uint32_t messages = world.messages;
    const int32_t term =
        world_leader(&world) == NULL ? -1 : raft_status(world_leader(&world)->raft).term;
    world_run(&world, IDLE_US);
    if (world.violation != NULL)
        return;
    if (world.elections != elections || world_leader(&world) == NULL ||
        raft_status(world_leader(&world)->raft).term != term)
        world_violated(&world, "idle", "an election while nothing happened");
    if (world.messages - messages > 2 * BEATS_A_IDLE * nodes_up() + 20)
        world_violated(&world, "idle", "%u messages while nothing happened",
                       world.messages - messages);
}

static void live(uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed ^ 0x5eed);
    const uint32_t seeded = (uint32_t[]){1, 2, 3, 3, 3, 3, 4, 5}[rng_next(&rng) % 8];
    world_init(&world, seed, seeded, seeded == 5 ? 1 : (uint32_t)(rng_next(&rng) % 3));
    world_draw_weather();
    for (uint32_t i = 0; i < world.nodes_count; i++) {
        world_start(&world.nodes[i]);
        world_run(&world, world_draw(&world, 100000));
    }
    if (world_draw(&world, 8) != 0) /* else even the beginning is disturbed */
        world_run_until(&world, world_has_leader, CALM_US);
    for (uint32_t i = 0; i < weather.steps && world.violation == NULL; i++) {
        do_anything();
        world_run(&world, world_draw(&world, world_draw(&world, 4) == 0 ? 300000 : 20000));
    }
    live_on();
    if (world.violation == NULL)
        live_idle();
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

START_TEST(invariants_hold)
{
    const uint64_t seeds = number_of("CHRONIK_RAFT_SEEDS", SEEDS);
    const uint64_t first = number_of("CHRONIK_RAFT_SEED", 1);
    uint32_t reads = 0;
    uint32_t snapshots = 0;
    uint32_t changes = 0;
    uint32_t cuts = 0;
    for (uint64_t seed = first + (uint64_t)_i; seed < first + seeds; seed += ROUNDS) {
        live(seed);
        if (world.violation != NULL)
            world_dump(&world);
        if (world.violation != NULL)
            ck_abort_msg("seed %" PRIu64 ": %s: %s", seed, world.violation, world.detail);
        reads += world.reads_done;
        snapshots += world.snapshots_installed;
        changes += world.voter_changes;
        cuts += world.cuts;
        world_free(&world);
        ck_assert_uint_eq(world.heap.blocks, 0);
    }
    /* The dice are not so loaded that nothing ever comes about. */
    if (seeds >= SEEDS) {
        ck_assert_uint_gt(reads, 100);
        ck_assert_uint_gt(snapshots, 10);
        ck_assert_uint_gt(changes, 50);
        ck_assert_uint_gt(cuts, 10);
    }
}
END_TEST

SUITE(random)
{
    TCase *tcase = tcase_create("random");
    tcase_add_loop_test(tcase, invariants_hold, 0, ROUNDS);
    suite_add_tcase(suite, tcase);
}
