/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cluster commits of its metadata log is on the disks of a majority of its voters at that
 * moment, whoever says so: written, or durable on who leads alone, is not enough. The judge reads
 * on in what a power loss would leave of each node's log when more is committed.
 */
#include "sim/durable_log.h"
#include "sim/judge.h"

struct majority {
    int64_t end_offset; /* of what is committed, at the last look */
    struct majority_host {
        struct durable_log log; /* up to there, as far as it goes */
        int32_t epoch;          /* of the batch that was read last */
    } hosts[SIM_HOSTS_MAX];
};

static void begin(struct judge *judge)
{
    struct majority *majority = judge->state;
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++)
        durable_log_init(&majority->hosts[i].log, SPAN("__cluster_metadata"), 0);
}

/* True when the node would have all of it after the worst power loss. */
static bool has_all(struct majority_host *reader, const struct host *host,
                    const struct image *image)
{
    struct span batch;
    struct batch_info info;
    while (reader->log.next_offset < image->end_offset) {
        const struct durable_log before = reader->log;
        switch (durable_log_next(&reader->log, &host->files, &batch, &info)) {
        case DURABLE_BATCH:
            if (batch_last_offset(&info) >= image->end_offset) {
                reader->log = before; /* something else, that is not committed */
                return false;
            }
            reader->epoch = info.leader_epoch;
            break;
        case DURABLE_END:
            return false;
        case DURABLE_GONE: /* it was cut, or a snapshot took its place: from the beginning */
            durable_log_rewind(&reader->log);
            break;
        }
    }
    return reader->log.next_offset == image->end_offset &&
           (!reader->log.has_last || reader->epoch == image->epoch);
}

static bool votes(const struct host *host)
{
    for (uint32_t i = 0; i < host->conf.voters_count; i++) {
        if (host->conf.voters[i].node_id == (int32_t)host->number)
            return true;
    }
    return false;
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    (void)event;
    struct majority *majority = judge->state;
    const struct sim *sim = judge->sim;
    const struct image *image = judge_truth(judge);
    uint32_t count = 0;
    if (image == NULL || image->end_offset == majority->end_offset)
        return;
    majority->end_offset = image->end_offset;
    judge->judged++;
    for (uint32_t i = 0; i < sim->hosts_count; i++)
        count += votes(sim->hosts[i]) &&
                 (sim->hosts[i]->is_rotten || has_all(&majority->hosts[i], sim->hosts[i], image));
    if (count <= host->conf.voters_count / 2)
        judge_object(judge,
                     "the metadata before offset %lld, of epoch %d, are committed, as %s has it, "
                     "and a power loss now would leave them on %u of %u voters",
                     (long long)image->end_offset, image->epoch, host->name, count,
                     host->conf.voters_count);
}

const struct judge_kind judge_majority = {
    .name = "majority",
    .rule = "what is committed of the metadata log is durable on a majority of the voters",
    .source = "Raft: leader completeness; Ongaro's thesis, 3.8",
    .size = sizeof(struct majority),
    .is_of_cluster = true,
    .begin = begin,
    .stepped = stepped,
};
