/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/spare.h"

#include "sim/durable_log.h"
#include "sim/judge.h"

/* The machine's broker is registered with what is in the machine. */
static bool is_known(const struct host *host, const struct image *image)
{
    const struct meta_broker *broker = image_broker(image, (int32_t)host->number);
    return broker != NULL && broker->directories_count > 0 &&
           host_has_directory(host, broker->directories[0]);
}

/* Where a metadata log ends. */
struct reach {
    int64_t end_offset;
    int32_t epoch; /* of the last batch before */
};

/* As far as the disk has it, or until `end_offset` is reached. */
static struct reach reach_of(const struct host *host, int64_t end_offset)
{
    struct durable_log log;
    struct span batch;
    struct batch_info info = {.leader_epoch = -1};
    durable_log_init(&log, SPAN("__cluster_metadata"), 0);
    while (log.next_offset < end_offset &&
           durable_log_next(&log, &host->files, &batch, &info) == DURABLE_BATCH)
        continue;
    return (struct reach){log.next_offset, info.leader_epoch};
}

/* Enough of them are left without the machine, with all that is committed, and with all that the
 * machine may have acknowledged: that is committed as soon as the leader hears of it. */
static bool voters_are_left(const struct sim *sim, const struct host *host,
                            const struct voter_set *set, const struct image *image)
{
    struct reach least = reach_of(host, INT64_MAX);
    if (least.end_offset < image->end_offset)
        least = (struct reach){image->end_offset, image->epoch};
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct host *voter = sim->hosts[set->voters[i].node - 1];
        if (voter == host || !host_has_directory(voter, set->voters[i].directory))
            continue;
        const struct reach reach = reach_of(voter, least.end_offset);
        count += reach.end_offset >= least.end_offset && reach.epoch >= least.epoch;
    }
    return count > set->count / 2;
}

/* Nothing is on this machine alone. */
static bool has_copies(const struct image *image)
{
    for (const struct meta_topic *topic = image_first_topic(image); topic != NULL;
         topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            if (image_partition(topic, i)->replicas_count < 2)
                return false;
        }
    }
    return true;
}

bool spare_disk(const struct sim *sim, const struct host *host)
{
    const struct image *image = judges_truth(sim->judges);
    struct voter_set set;
    if (image == NULL || !has_copies(image) || !judges_are_all_in_sync(sim->judges))
        return false;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        if (sim->hosts[i] != host && !is_known(sim->hosts[i], image))
            return false;
    }
    for (uint32_t i = 0; committed_voters(judges_committed(sim->judges), i, &set); i++) {
        if (!voters_are_left(sim, host, &set, image))
            return false;
    }
    return true;
}
