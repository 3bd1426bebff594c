/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/swarm.h"

#include "sim/chance.h"

#define KIND_ONE_IN   4 /* a run has one in so many of the kinds */
#define MOMENT_ONE_IN 3 /* and one in so many of these waits for a moment */
#define COUNT_ONE_IN  4 /* of several machines, may hit more than one at once */
#define MACHINE_PART  8 /* a fault may last for such a part of the load … */
#define CLUSTER_PART  2 /* … and of a cluster's, which takes seconds to notice that one is silent */
#define FLAP_ONE_IN   3 /* of what splits their network, goes and comes */

static char indexes[] = "index";

/* What a machine alone has no use for: its draws are what they were without. */
static void draw_of_many(const struct sim *sim, struct chance *rng, struct scenario_fault *fault)
{
    const uint32_t hosts = sim->hosts_count;
    const bool is_split = fault->kind == FAULT_PARTITION || fault->kind == FAULT_ONE_WAY ||
                          fault->kind == FAULT_CUT_LINK || fault->kind == FAULT_ONE_WAY_LINK;
    if (fault->kind == FAULT_PARTITION)
        fault->amount = (struct range){2, hosts};
    if (is_split && chance_one_in(rng, FLAP_ONE_IN))
        fault->flap_ms = (struct range){1, fault->lasts_ms.most / 4 + 1};
    else if (!is_split && fault->kind != FAULT_SLOW_LINK && fault->kind < FAULT_EMPTY_DISK &&
             chance_one_in(rng, COUNT_ONE_IN))
        fault->count = (struct range){1, hosts};
}

static bool is_life(enum fault_kind kind)
{
    return kind == FAULT_CRASH || kind == FAULT_POWER_LOSS || kind == FAULT_STOP;
}

uint32_t swarm_draw(struct sim *sim, struct scenario_fault *faults, uint32_t most)
{
    struct chance rng;
    uint32_t count = 0;
    chance_stream(&rng, &sim->source, "swarm", 0);
    const bool is_cluster = sim->scenario->is_cluster;
    const uint32_t of_cluster = sim->scenario->files_differ ? FAULT_KINDS : FAULT_OTHER_FILE;
    const uint32_t kinds = is_cluster ? of_cluster : FAULT_EMPTY_DISK;
    const uint64_t part = is_cluster ? CLUSTER_PART : MACHINE_PART;
    for (uint32_t kind = 0; kind < kinds && count < most; kind++) {
        if (!chance_one_in(&rng, KIND_ONE_IN))
            continue;
        const uint64_t load_ms = sim->scenario->load_ms.most;
        const uint64_t every_ms = chance_between(&rng, load_ms / 20 + 1, load_ms + 1);
        struct scenario_fault fault = {
            .kind = kind,
            .every_ms = {every_ms / 2, every_ms},
            .lasts_ms = {1, chance_between(&rng, 1, load_ms / part + 1)}};
        /* A bit of a log that flips takes away what judges rely on: scenarios ask for that. */
        if (kind == FAULT_BIT_ROT)
            fault.path = indexes;
        if (is_life(kind) && chance_one_in(&rng, MOMENT_ONE_IN)) {
            fault.when = (enum moment_kind)chance_between(&rng, 1, MOMENT_KINDS - 1);
            fault.nth = (struct range){1, 1 + chance_between(&rng, 1, 100)};
            fault.again = true;
            fault.every_ms = (struct range){0};
        }
        if (sim->hosts_count > 1)
            draw_of_many(sim, &rng, &fault);
        faults[count++] = fault;
    }
    return count;
}
