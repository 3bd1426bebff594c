/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/raft/story.h"

#include <string.h>

#define PATIENCE_US 20000000

struct world world;

static void judges_are_content(void)
{
    if (world.violation != NULL)
        ck_abort_msg("%s: %s", world.violation, world.detail);
}

void story_start(uint32_t seeded, uint32_t others)
{
    world_init(&world, 1, seeded, others);
    for (uint32_t i = 0; i < world.nodes_count; i++)
        world_start(&world.nodes[i]);
    story_even();
}

void story_end(void)
{
    judges_are_content();
    world_free(&world);
    ck_assert_uint_eq(world.heap.blocks, 0);
}

struct world_node *story_leader(void)
{
    struct world_node *leader = world_leader(&world);
    ck_assert_ptr_nonnull(leader);
    return leader;
}

int32_t story_other(int32_t node)
{
    return node == 1 ? 2 : 1;
}

void story_isolate(int32_t node, bool is_cut)
{
    for (uint32_t i = 0; i < world.nodes_count; i++)
        world.cut[node - 1][i] = world.cut[i][node - 1] = is_cut;
}

int story_propose(void)
{
    struct world_node *leader = story_leader();
    const int error = world_propose(leader, 50);
    world_end_turn(leader);
    return error;
}

void story_even(void)
{
    ck_assert(world_run_until(&world, world_is_even, PATIENCE_US));
    judges_are_content();
}
