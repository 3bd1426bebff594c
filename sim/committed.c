/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/committed.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/meta/wal.h"
#include "core/raft/control.h"
#include "core/raft/voters.h"
#include "core/records/batch.h"
#include "core/view.h"
#include "core/wire/error.h"
#include "sim/memory.h"

struct written {
    int64_t base_offset;
    int64_t last_offset;
    int32_t epoch;
    uint8_t *bytes;
    size_t length;
};

/* Batches by rising offset. */
struct writtens {
    struct written *items;
    uint32_t count;
    uint32_t capacity;
};

struct committed {
    const struct sim *sim;
    struct writtens batches;
    struct writtens hosts[SIM_HOSTS_MAX]; /* what each has written last, from `end` on */
    int64_t end;
    bool is_blind;
    struct memory memory;
    struct voter_set voters; /* that are committed; none: nobody is yet */
    uint64_t voters_number;
};

struct committed *committed_new(const struct sim *sim)
{
    struct committed *committed = sim_allocate(NULL, sizeof(*committed));
    *committed = (struct committed){.sim = sim};
    memory_init(&committed->memory, sim_allocator());
    return committed;
}

static void writtens_cut(struct writtens *writtens, uint32_t count)
{
    while (writtens->count > count)
        free(writtens->items[--writtens->count].bytes);
}

void committed_free(struct committed *committed)
{
    if (committed == NULL)
        return;
    writtens_cut(&committed->batches, 0);
    free(committed->batches.items);
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        writtens_cut(&committed->hosts[i], 0);
        free(committed->hosts[i].items);
    }
    free(committed);
}

static void writtens_add(struct writtens *writtens, struct written written)
{
    if (writtens->count == writtens->capacity) {
        writtens->capacity = writtens->capacity * 2 + 16;
        writtens->items =
            sim_allocate(writtens->items, writtens->capacity * sizeof(*writtens->items));
    }
    writtens->items[writtens->count++] = written;
}

/* ---- What nodes write. ---- */

/* What was committed meanwhile is not needed any more. */
static void writtens_forget(struct writtens *writtens, int64_t end)
{
    uint32_t count = 0;
    while (count < writtens->count && writtens->items[count].last_offset < end)
        free(writtens->items[count++].bytes);
    if (count == 0)
        return;
    writtens->count -= count;
    memmove(writtens->items, writtens->items + count, writtens->count * sizeof(*writtens->items));
}

static void batch_written(struct committed *committed, const struct host *host, struct span batch,
                          const struct batch_info *info)
{
    struct writtens *writtens = &committed->hosts[host->number - 1];
    uint32_t kept = writtens->count;
    while (kept > 0 && writtens->items[kept - 1].last_offset >= info->base_offset)
        kept--;
    writtens_cut(writtens, kept);
    if (batch_last_offset(info) < committed->end)
        return;
    if (batch_is_control(info))
        committed->voters_number = committed->sim->trace_number;
    uint8_t *bytes = sim_allocate(NULL, batch.length);
    memcpy(bytes, batch.data, batch.length);
    writtens_add(writtens, (struct written){.base_offset = info->base_offset,
                                            .last_offset = batch_last_offset(info),
                                            .epoch = info->leader_epoch,
                                            .bytes = bytes,
                                            .length = batch.length});
}

/* Recovery also writes ranges that begin and end anywhere: these hold what was written before. */
static void bytes_written(struct committed *committed, const struct host *host, struct span bytes)
{
    struct span batch;
    struct batch_info info;
    while (bytes.length > 0 &&
           batch_next(bytes, bytes.length, BATCH_CHECK_CRC, &batch, &info) == BATCH_FOUND) {
        batch_written(committed, host, batch, &info);
        bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
    }
}

bool is_of_metadata_log(struct span path)
{
    const struct span folder = SPAN(WAL_LOG_NAME "/");
    const struct span suffix = SPAN(".log");
    return path.length > folder.length + suffix.length &&
           memcmp(path.data, folder.data, folder.length) == 0 &&
           memcmp(path.data + path.length - suffix.length, suffix.data, suffix.length) == 0;
}

static void writes_seen(struct committed *committed, const struct host *host)
{
    for (uint32_t i = 0; i < host->effects.count; i++) {
        const struct effect *effect = &host->effects.items[i];
        if (effect->kind != EFFECT_WRITE || !is_of_metadata_log(files_path(&host->files, effect)))
            continue;
        for (uint32_t j = 0; j < effect->write.pieces_count; j++)
            bytes_written(committed, host,
                          span_of(effect->write.pieces[j].data, effect->write.pieces[j].length));
    }
}

void committed_forget(struct committed *committed, const struct host *host)
{
    committed->voters_number = committed->sim->trace_number;
    writtens_cut(&committed->hosts[host->number - 1], 0);
}

/* ---- Who votes. ---- */

bool voter_set_read(struct memory *memory, struct span batch, struct voter_set *ret_voters)
{
    struct span value;
    struct raft_voters *voters;
    if (control_find(batch, CONTROL_VOTERS, &value) != ERR_NONE || span_is_null(value) ||
        raft_voters_decode(memory, 0, value, &voters) != ERR_NONE)
        return false;
    CHECK(voters->record.voters_count <= COMMITTED_VOTERS_MAX);
    ret_voters->count = (uint32_t)voters->record.voters_count;
    for (uint32_t i = 0; i < ret_voters->count; i++) {
        ret_voters->voters[i].node = voters->record.voters[i].voter_id;
        ret_voters->voters[i].directory = voters->record.voters[i].voter_directory_id;
    }
    raft_voters_free(voters);
    return true;
}

/* False, and nothing is read, when the batch has no record of voters. */
static bool voters_read(const struct committed *committed, const struct written *written,
                        struct voter_set *ret_voters)
{
    return written->bytes != NULL &&
           voter_set_read((struct memory *)(uintptr_t)&committed->memory,
                          span_of(written->bytes, written->length), ret_voters);
}

bool committed_voters(const struct committed *committed, uint32_t number,
                      struct voter_set *ret_voters)
{
    *ret_voters = committed->voters;
    if (committed->voters.count == 0 || number == 0)
        return committed->voters.count > 0;
    for (uint32_t i = 0; i < committed->sim->hosts_count; i++) {
        const struct writtens *writtens = &committed->hosts[i];
        for (uint32_t j = 0; j < writtens->count; j++) {
            if (writtens->items[j].last_offset >= committed->end &&
                voters_read(committed, &writtens->items[j], ret_voters) && --number == 0)
                return true;
        }
    }
    return false;
}

uint64_t committed_voters_number(const struct committed *committed)
{
    return committed->voters_number;
}

/* ---- What they apply. ---- */

/* What a node wrote at the end last; NULL: nothing, or not what was applied there. */
static struct written *next_by(struct committed *committed, uint32_t node,
                               const struct quorum_view *view)
{
    struct writtens *writtens = &committed->hosts[node - 1];
    writtens_forget(writtens, committed->end);
    struct written *next = writtens->count == 0 ? NULL : &writtens->items[0];
    if (next == NULL || next->base_offset != committed->end || next->last_offset >= view->image_end)
        return NULL;
    const bool is_last = next->last_offset + 1 == view->image_end;
    return is_last && view->image_epoch >= 0 && next->epoch != view->image_epoch ? NULL : next;
}

/* The batch at the end that the host has applied: it may lie in its log, or come from memory
 * before it is written there, and then lie in the logs of others. */
static struct written *next_of(struct committed *committed, const struct host *host,
                               const struct quorum_view *view)
{
    struct written *found = next_by(committed, host->number, view);
    for (uint32_t node = 1; found == NULL && node <= committed->sim->hosts_count; node++)
        found = next_by(committed, node, view);
    return found;
}

/* False when the node has applied nothing that is new. It may take part in the quorum no more, or
 * not yet. */
static bool applied_view(const struct committed *committed, const struct host *host,
                         struct quorum_view *ret_view)
{
    struct broker_view view;
    broker_view(host->broker, &view);
    if (view.metadata_end <= committed->end)
        return false;
    *ret_view = (struct quorum_view){.image_end = view.metadata_end, .image_epoch = -1};
    broker_view_quorum(host->broker, ret_view);
    return true;
}

void committed_stepped(struct committed *committed, const struct host *host)
{
    struct quorum_view view;
    if (committed->is_blind || !host->conf.is_cluster)
        return;
    writes_seen(committed, host);
    if (host->broker == NULL || !applied_view(committed, host, &view))
        return;
    while (committed->end < view.image_end) {
        struct written *next = next_of(committed, host, &view);
        committed->is_blind = next == NULL;
        if (committed->is_blind)
            return;
        committed->end = next->last_offset + 1;
        voters_read(committed, next, &committed->voters);
        writtens_add(&committed->batches, *next);
        next->bytes = NULL;
    }
}

struct span committed_batch(const struct committed *committed, uint32_t number)
{
    if (number >= committed->batches.count)
        return SPAN_NULL;
    return span_of(committed->batches.items[number].bytes, committed->batches.items[number].length);
}

bool committed_is_blind(const struct committed *committed)
{
    return committed->is_blind;
}
