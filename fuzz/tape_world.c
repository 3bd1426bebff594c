/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/tape_world.h"

#include <stdlib.h>

#include "core/base/check.h"

/* After so many a run has shown what it can: a byte at a time it would go on for seconds. Nodes of
 * a cluster need some to find one another. */
#define STEPS_MOST         2000
#define STEPS_MOST_CLUSTER 6000

#define NODES          3 /* of a cluster */
#define CLUSTER_ONE_IN 4 /* seeds */

static struct scenario_node nodes[NODES];
static char orders[] = "orders";
static char insync_key[] = "min.insync.replicas";
static char insync_value[] = "2"; /* or nothing can be promised of a disk that is lost */
static struct setting cluster_settings[] = {{.key = insync_key, .value = insync_value}};
static struct scenario_topic topic = {.name = orders, .partitions = 2};
static struct scenario_topic replicated = {
    .name = orders, .partitions = 2, .replication_factor = NODES};

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
    .nodes = nodes,
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
    static struct scenario cluster;
    const bool is_cluster = seed % CLUSTER_ONE_IN == CLUSTER_ONE_IN - 1;
    const struct sim_options options = {.steps_most = is_cluster ? STEPS_MOST_CLUSTER : STEPS_MOST,
                                        .tape = tape};
    char reason[VIOLATION_TEXT_BYTES];
    cluster = scenario;
    cluster.nodes_count = NODES;
    cluster.is_cluster = true;
    cluster.topics = &replicated;
    cluster.settings = (struct settings_list){.items = cluster_settings, .count = 1};
    struct sim *sim =
        sim_new(is_cluster ? &cluster : &scenario, seed, &options, reason, sizeof(reason));
    CHECK(sim != NULL);
    return sim;
}
