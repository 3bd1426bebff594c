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

static bool has_all_metadata(const struct host *host, const struct image *image)
{
    struct durable_log log;
    struct span batch;
    struct batch_info info = {.leader_epoch = -1};
    durable_log_init(&log, SPAN("__cluster_metadata"), 0);
    while (log.next_offset < image->end_offset &&
           durable_log_next(&log, &host->files, &batch, &info) == DURABLE_BATCH)
        continue;
    return log.next_offset >= image->end_offset && info.leader_epoch >= image->epoch;
}

/* Enough of them are left without the machine. */
static bool voters_are_left(const struct sim *sim, const struct host *host,
                            const struct voter_set *set, const struct image *image)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct host *voter = sim->hosts[set->voters[i].node - 1];
        count += voter != host && host_has_directory(voter, set->voters[i].directory) &&
                 has_all_metadata(voter, image);
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
