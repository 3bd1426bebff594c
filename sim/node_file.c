/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/node_file.h"

#include "sim/knobs.h"
#include "sim/memory.h"

#define CHOICES 4

/* What nodes of a cluster may set each in its own way: each value is as likely. */
static const struct {
    const char *key;
    const char *values[CHOICES];
} keys[] = {
    {"min.insync.replicas", {"1", "2", "2", "3"}},
    {"write.caching.default", {"false", "false", "false", "true"}},
    {"replica.lag.time.max.ms", {"500", "2000", "10000", "30000"}},
    {"broker.session.timeout.ms", {"1000", "2000", "3000", "6000"}},
    {"controller.quorum.fetch.timeout.ms", {"1000", "2000", "2000", "4000"}},
    {"log.segment.bytes", {"4096", "8192", "65536", "1048576"}},
    {"log.index.interval.bytes", {"0", "64", "512", "4096"}},
    {"log.index.size.max.bytes", {"64", "256", "4096", "65536"}},
    {"log.segment.delete.delay.ms", {"0", "10", "200", "60000"}},
    {"offsets.topic.num.partitions", {"1", "2", "5", "50"}},
    {"num.partitions", {"1", "2", "3", "5"}},
    {"metadata.log.max.record.bytes.between.snapshots", {"1", "500", "2000", "8000"}},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void draw(struct chance *rng, struct settings_list *ret_drawn)
{
    *ret_drawn = (struct settings_list){
        .items = sim_allocate(NULL, KEYS * sizeof(*ret_drawn->items)), .count = KEYS};
    for (size_t i = 0; i < KEYS; i++) {
        const char *key = keys[i].key;
        const char *value = keys[i].values[chance_below(rng, CHOICES)];
        ret_drawn->items[i] = (struct setting){.key = sim_text_copy(key, strlen(key)),
                                               .value = sim_text_copy(value, strlen(value))};
    }
}

void node_file_draw(struct sim *sim, struct chance *rng, uint32_t number,
                    struct settings_list *ret_settings)
{
    const struct scenario *scenario = sim->scenario;
    const struct settings_list *own = &scenario->nodes[number - 1].settings;
    if (!scenario->files_differ) {
        knobs_settings(scenario, own, &sim->drawn, ret_settings);
        return;
    }
    struct settings_list drawn;
    struct settings_list file;
    draw(rng, &drawn);
    knobs_settings(scenario, own, &drawn, &file);
    knobs_settings(scenario, &file, &sim->drawn, ret_settings);
    settings_list_free(&file);
    settings_list_free(&drawn);
}
