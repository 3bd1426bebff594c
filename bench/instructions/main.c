/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays one tape of requests to a broker in the world of memory: bench/instructions/gate.py runs it
 * under callgrind, which counts the instructions of counted_step() (rig.c) alone.
 *
 *     tape            one line for each arm: its name, a tab, and what it is
 *     tape ARM        plays it; prints how many requests, steps and blocks of memory were counted
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/instructions/arms.h"

static const struct arm *const lists[] = {arms_produce, arms_fetch, arms_other};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

/* As many rounds as that, a millisecond apart. */
static void play(struct rig *rig, const struct arm *arm, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        world_sleep_ms(rig->node.world, 1);
        arm->play(rig);
        rig->round++;
    }
}

static void run(const struct arm *arm)
{
    struct rig rig;
    rig_init(&rig);
    arm->prepare(&rig);
    play(&rig, arm, arm->rounds / 2);
    rig.blocks.taken = 0;
    rig.counts = true;
    play(&rig, arm, arm->rounds);
    rig.counts = false;
    printf("%" PRIu32 " requests, %" PRIu64 " steps, %" PRIu64 " blocks\n",
           arm->rounds * arm->requests, rig.steps, rig.blocks.taken);
    rig_free(&rig);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < LISTS; i++) {
        for (const struct arm *arm = lists[i]; arm->name != NULL; arm++) {
            if (argc == 1) {
                printf("%s\t%s\n", arm->name, arm->text);
            } else if (strcmp(arm->name, argv[1]) == 0) {
                run(arm);
                return 0;
            }
        }
    }
    if (argc == 1)
        return 0;
    fprintf(stderr, "tape: there is no arm %s\n", argv[1]);
    return 1;
}
