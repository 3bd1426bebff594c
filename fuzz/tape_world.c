/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/tape_world.h"

#include <stdlib.h>

#include "core/base/check.h"

/* After so many a run has shown what it can: a byte at a time it would go on for seconds. */
#define STEPS_MOST 2000

static struct scenario_node node;
static char orders[] = "orders";
static struct scenario_topic topic = {.name = orders, .partitions = 2};

static struct scenario_client clients[] = {
    {.kind = CLIENT_PRODUCER, .count = 1, .acks = -1, .idempotent = true},
    {.kind = CLIENT_PRODUCER, .count = 1, .acks = 1},
    {.kind = CLIENT_CONSUMER, .count = 1, .sessions = true},
    {.kind = CLIENT_MEMBER, .count = 2, .life_ms = {10, 50}},
    {.kind = CLIENT_ADMIN, .count = 1},
    {.kind = CLIENT_HOSTILE, .count = 1, .life_ms = {10, 50}},
};

/* As scenarios/everything.json, but for its size. */
static const struct scenario scenario = {
    .load_ms = {10, 40},
    .settle_ms = 60000,
    .nodes = &node,
    .nodes_count = 1,
    .topics = &topic,
    .topics_count = 1,
    .clients = clients,
    .clients_count = sizeof(clients) / sizeof(clients[0]),
    .draws_knobs = true,
    .draws_faults = true,
};

struct sim *tape_world_new(uint8_t seed, struct chance_tape *tape)
{
    const struct sim_options options = {.steps_most = STEPS_MOST, .tape = tape};
    char reason[VIOLATION_TEXT_BYTES];
    struct sim *sim = sim_new(&scenario, seed, &options, reason, sizeof(reason));
    CHECK(sim != NULL);
    return sim;
}
