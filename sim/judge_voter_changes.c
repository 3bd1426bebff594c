/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The voters of the quorum change one at a time, so that the majorities before and after a change
 * have a voter in common: in no log a set differs from the one before it by more than one voter,
 * which is a node with one disk, and none follows one that is not committed yet. The judge looks at
 * what is written to each node's metadata log, and notes the sets that it names. Where a log may
 * have another past than it was seen to get (after a snapshot or a restart) it says nothing of the
 * next set.
 */
#include "core/records/batch.h"
#include "core/view.h"
#include "sim/judge.h"

#define SETS_MAX 8 /* the latest ones, of which at most two count */

struct voters {
    int64_t committed; /* that any node has known */
    struct log_voters {
        int64_t end_offset;
        uint32_t count;
        struct named {
            int64_t offset;
            struct voter_set set;
        } sets[SETS_MAX]; /* by offset */
    } logs[SIM_HOSTS_MAX];
};

static bool has(const struct voter_set *set, int32_t node, struct uuid directory)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->voters[i].node == node && uuid_equal(set->voters[i].directory, directory))
            return true;
    }
    return false;
}

/* How many voters of one set the other one lacks. */
static uint32_t lacking(const struct voter_set *set, const struct voter_set *other)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++)
        count += !has(other, set->voters[i].node, set->voters[i].directory);
    return count;
}

/* Up to where whoever appended under this term knew the log to be committed, or somebody since. */
static int64_t committed_of(const struct judge *judge, const struct host *host, int32_t term)
{
    const struct voters *voters = judge->state;
    struct quorum_view view;
    if (host->broker != NULL && broker_view_quorum(host->broker, &view) &&
        view.leader == (int32_t)host->number && view.term == term)
        return view.committed;
    return voters->committed;
}

static void set_named(struct judge *judge, const struct host *host, const struct batch_info *info,
                      const struct voter_set *set)
{
    struct voters *voters = judge->state;
    struct log_voters *log = &voters->logs[host->number - 1];
    const struct named *before = log->count == 0 ? NULL : &log->sets[log->count - 1];
    if (before != NULL) {
        const uint32_t changed = lacking(set, &before->set) + lacking(&before->set, set);
        judge->judged++;
        if (changed > 1)
            judge_object(judge,
                         "the voters that %s has at offset %lld of the metadata log differ by %u "
                         "from those at offset %lld, and one may come or go at a time",
                         host->name, (long long)info->base_offset, changed,
                         (long long)before->offset);
        if (before->offset >= committed_of(judge, host, info->leader_epoch))
            judge_object(judge,
                         "the voters change at offset %lld of the metadata log, as %s has it, and "
                         "their change at offset %lld is not committed",
                         (long long)info->base_offset, host->name, (long long)before->offset);
    }
    if (log->count == SETS_MAX)
        memmove(log->sets, log->sets + 1, --log->count * sizeof(*log->sets));
    log->sets[log->count++] = (struct named){.offset = info->base_offset, .set = *set};
}

static void batch_written(struct judge *judge, const struct host *host, struct span batch,
                          const struct batch_info *info, bool begins_segment)
{
    struct voters *voters = judge->state;
    struct log_voters *log = &voters->logs[host->number - 1];
    struct voter_set set;
    /* The log goes on where it ended, or was cut; else a snapshot may have come before it. */
    if (info->base_offset > log->end_offset ||
        (begins_segment && info->base_offset < log->end_offset))
        log->count = 0;
    while (log->count > 0 && log->sets[log->count - 1].offset >= info->base_offset)
        log->count--;
    log->end_offset = batch_last_offset(info) + 1;
    if (batch_is_control(info) && voter_set_read(&judge->memory, batch, &set))
        set_named(judge, host, info, &set);
}

static void log_written(struct judge *judge, const struct host *host, const struct effect *effect)
{
    struct voters *voters = judge->state;
    for (uint32_t i = 0; i < effect->write.pieces_count; i++) {
        struct span bytes = span_of(effect->write.pieces[i].data, effect->write.pieces[i].length);
        struct span batch;
        struct batch_info info;
        bool begins_segment = i == 0 && effect->write.offset == 0;
        while (bytes.length > 0 &&
               batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, &info) == BATCH_FOUND) {
            batch_written(judge, host, batch, &info, begins_segment);
            bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
            begins_segment = false;
        }
        if (bytes.length > 0) /* recovery writes ranges that begin and end anywhere */
            voters->logs[host->number - 1].count = 0;
    }
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    struct voters *voters = judge->state;
    struct quorum_view view;
    (void)event;
    if (host->is_rotten)
        return;
    if (host->broker != NULL && broker_view_quorum(host->broker, &view) &&
        view.committed > voters->committed)
        voters->committed = view.committed;
    for (uint32_t i = 0; i < host->effects.count; i++) {
        const struct effect *effect = &host->effects.items[i];
        if (effect->kind == EFFECT_WRITE && is_of_metadata_log(files_path(&host->files, effect)))
            log_written(judge, host, effect);
    }
}

/* What it had written may be lost, or what it had cut be back. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct voters *voters = judge->state;
    if (change == HOST_BOOTED)
        voters->logs[host->number - 1].count = 0;
}

const struct judge_kind judge_voter_changes = {
    .name = "voter-changes",
    .rule = "the voters of the quorum change one at a time: each set differs from the one before "
            "by one voter at most, which is committed by then",
    .source = "Ongaro's thesis, 4.1; KIP-853: one uncommitted change of the voters at a time",
    .size = sizeof(struct voters),
    .is_of_cluster = true,
    .stepped = stepped,
    .host_changed = host_changed,
};
