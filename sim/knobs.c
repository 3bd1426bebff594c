/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/knobs.h"

#include <stdio.h>
#include <string.h>

#include "sim/chance.h"
#include "sim/host.h"
#include "sim/memory.h"
#include "sim/network.h"

#define VOTERS      "controller.quorum.voters"
#define VOTER_BYTES 32

/* Half of the time a knob keeps its default; else it is one of these, each as likely. */
struct knob {
    const char *key; /* NULL ends the list */
    const char *values[4];
};

static const struct knob knobs[] = {
    {"log.segment.bytes", {"4096", "8192", "65536", "1048576"}},
    {"log.index.interval.bytes", {"0", "64", "512", "4096"}},
    {"log.index.size.max.bytes", {"64", "256", "4096", "65536"}},
    {"log.segment.delete.delay.ms", {"0", "10", "200", "60000"}},
    {"socket.request.max.bytes", {"65536", "131072", "1048576", "1048576"}},
    {"offsets.topic.num.partitions", {"1", "2", "5", "50"}},
    {"offsets.topic.segment.bytes", {"1024", "2048", "8192", "65536"}},
    {"group.initial.rebalance.delay.ms", {"0", "0", "20", "300"}},
    {"group.min.session.timeout.ms", {"300", "300", "1000", "3000"}},
    {"max.incremental.fetch.session.cache.slots", {"0", "1", "2", "1000"}},
    {"num.partitions", {"1", "2", "3", "5"}},
    {"metadata.log.max.record.bytes.between.snapshots", {"1", "500", "2000", "8000"}},
    {"write.caching.default", {"false", "false", "true", "true"}},
    {0},
};

/* What a machine alone has no use for. Replicas that lag have to be in sync again when a run
 * settles, so that they are not throttled for longer than that. */
static const struct knob cluster_knobs[] = {
    {"replica.lag.time.max.ms", {"100", "1000", "5000", "30000"}},
    {"auto.leader.rebalance.enable", {"true", "true", "false", "false"}},
    {"leader.imbalance.check.interval.seconds", {"1", "2", "5", "20"}},
    {"leader.replication.throttled.rate", {"300000", "1000000", "5000000", "50000000"}},
    {0},
};

static bool is_set(const struct settings_list *list, const char *key)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].key, key) == 0)
            return true;
    }
    return false;
}

static void add(struct settings_list *list, const char *key, const char *value)
{
    list->items = sim_allocate(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = (struct setting){.key = sim_text_copy(key, strlen(key)),
                                                  .value = sim_text_copy(value, strlen(value))};
}

/* All nodes, at the port at which a node of a cluster listens for the others. */
static void add_voters(struct settings_list *list, uint32_t nodes_count)
{
    char text[SIM_HOSTS_MAX * VOTER_BYTES] = "";
    size_t length = 0;
    for (uint32_t i = 1; i <= nodes_count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%u@n%u:9093",
                                   i == 1 ? "" : ",", i, i);
    add(list, VOTERS, text);
}

static void draw_each(const struct knob *knob, struct chance *rng, struct settings_list *list)
{
    for (; knob->key != NULL; knob++) {
        const bool draws = chance_one_in(rng, 2);
        const char *value = knob->values[chance_below(rng, 4)];
        if (draws)
            add(list, knob->key, value);
    }
}

void knobs_settings_draw(struct sim *sim, struct settings_list *ret_drawn)
{
    struct chance rng;
    *ret_drawn = (struct settings_list){0};
    if (!sim->scenario->draws_knobs)
        return;
    chance_stream(&rng, &sim->source, "knobs", 0);
    draw_each(knobs, &rng, ret_drawn);
    if (sim->scenario->is_cluster)
        draw_each(cluster_knobs, &rng, ret_drawn);
}

static void add_all(struct settings_list *list, const struct settings_list *more)
{
    for (uint32_t i = 0; i < more->count; i++) {
        if (!is_set(list, more->items[i].key))
            add(list, more->items[i].key, more->items[i].value);
    }
}

void knobs_settings(const struct scenario *scenario, const struct settings_list *own,
                    const struct settings_list *drawn, struct settings_list *ret_all)
{
    *ret_all = (struct settings_list){0};
    add_all(ret_all, own);
    add_all(ret_all, &scenario->settings);
    if (scenario->is_cluster && !is_set(ret_all, VOTERS))
        add_voters(ret_all, scenario->nodes_count);
    add_all(ret_all, drawn);
}

static void draw_network(struct sim *sim, struct chance *rng)
{
    static const uint32_t fragments[] = {0, 0, 1, 7, 100, 1460};
    static const uint64_t latencies_us[] = {30, 100, 500, 5000};
    struct network_knobs *network = network_knobs(sim->network);
    network->fragment_bytes = fragments[chance_below(rng, 6)];
    network->draws_fragments = chance_one_in(rng, 2);
    network->latency_us_most = latencies_us[chance_below(rng, 4)];
    /* A byte at a time makes a step of every byte: the link has to be quick then. */
    if (network->fragment_bytes == 1)
        network->latency_us_most = latencies_us[0];
    network->latency_us_least = chance_between(rng, 1, network->latency_us_most);
    network->window_bytes =
        chance_one_in(rng, 3) ? (uint32_t)chance_between(rng, 512, 8192) : 256 * 1024;
}

static void draw_host(struct host *host, struct chance *rng)
{
    static const uint64_t syncs_us[] = {100, 1000, 5000, 20000};
    host->knobs.partial_turns = chance_one_in(rng, 3);
    host->knobs.at_once_percent = (uint32_t)chance_between(rng, 0, 100);
    host->knobs.sync_us_most = syncs_us[chance_below(rng, 4)];
    host->knobs.read_us_most = chance_between(rng, 1, 2000);
}

void knobs_draw(struct sim *sim)
{
    if (!sim->scenario->draws_knobs)
        return;
    struct chance rng;
    chance_stream(&rng, &sim->source, "ways", 0);
    draw_network(sim, &rng);
    for (uint32_t i = 0; i < sim->hosts_count; i++)
        draw_host(sim->hosts[i], &rng);
}
