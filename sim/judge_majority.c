/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cluster commits of its metadata log is on the disks of a majority of its voters at that
 * moment, whoever says so: written, or durable on who leads alone, is not enough. Who votes is what
 * the log itself says, and a voter is a node with one disk: what is on another one does not count.
 * The judge reads on in what a power loss would leave of each log when more is committed.
 */
#include "sim/durable_log.h"
#include "sim/judge.h"

struct majority {
    int64_t end_offset; /* of what is committed, at the last look */
    struct majority_voter {
        uint32_t disk;
        struct durable_log log; /* up to there, as far as it goes */
        int32_t epoch;          /* of the batch that was read last */
    } voters[SIM_HOSTS_MAX];    /* by node id - 1 */
};

/* True when the disk would have all of it after the worst power loss. */
static bool has_all(struct majority_voter *reader, const struct files *files,
                    const struct image *image)
{
    struct span batch;
    struct batch_info info;
    while (reader->log.next_offset < image->end_offset) {
        const struct durable_log before = reader->log;
        switch (durable_log_next(&reader->log, files, &batch, &info)) {
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

static bool voter_has_all(struct judge *judge, int32_t node, struct uuid directory,
                          const struct image *image)
{
    struct majority *majority = judge->state;
    struct disk_view disk;
    if (node < 1 || (uint32_t)node > judge->sim->hosts_count)
        return false;
    if (judge->sim->hosts[node - 1]->is_rotten)
        return true;
    if (!judge_disk_with(judge, directory, &disk))
        return false;
    struct majority_voter *reader = &majority->voters[node - 1];
    if (reader->disk != disk.number) {
        *reader = (struct majority_voter){.disk = disk.number};
        durable_log_init(&reader->log, SPAN("__cluster_metadata"), 0);
    }
    return has_all(reader, disk.files, image);
}

static uint32_t count(struct judge *judge, const struct voter_set *set, const struct image *image)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++)
        count += voter_has_all(judge, set->voters[i].node, set->voters[i].directory, image);
    return count;
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    (void)event;
    struct majority *majority = judge->state;
    const struct image *image = judge_truth(judge);
    struct voter_set set;
    if (image == NULL || image->end_offset == majority->end_offset)
        return;
    majority->end_offset = image->end_offset;
    judge->judged++;
    /* While the voters change, the leader goes by the new ones before they are committed. */
    for (uint32_t i = 0; committed_voters(judges_committed(judge->sim->judges), i, &set); i++) {
        if (count(judge, &set, image) > set.count / 2)
            return;
    }
    if (!committed_voters(judges_committed(judge->sim->judges), 0, &set))
        judge_object(judge, "%s commits metadata before offset %lld, and nobody votes", host->name,
                     (long long)image->end_offset);
    else
        judge_object(judge,
                     "the metadata before offset %lld, of epoch %d, are committed, as %s has it, "
                     "and a power loss now would leave them on %u of %u voters",
                     (long long)image->end_offset, image->epoch, host->name,
                     count(judge, &set, image), set.count);
}

const struct judge_kind judge_majority = {
    .name = "majority",
    .rule = "what is committed of the metadata log is durable on a majority of the voters",
    .source =
        "Raft: leader completeness; Ongaro's thesis, 3.8; KIP-853: a voter is a node with one "
        "disk",
    .size = sizeof(struct majority),
    .is_of_cluster = true,
    .stepped = stepped,
};
