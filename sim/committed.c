/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/committed.h"

#include <stdlib.h>

#include "core/meta/wal.h"
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
};

struct committed *committed_new(const struct sim *sim)
{
    struct committed *committed = sim_allocate(NULL, sizeof(*committed));
    *committed = (struct committed){.sim = sim};
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

static bool is_log(struct span path)
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
        if (effect->kind != EFFECT_WRITE || !is_log(files_path(&host->files, effect)))
            continue;
        for (uint32_t j = 0; j < effect->write.pieces_count; j++)
            bytes_written(committed, host,
                          span_of(effect->write.pieces[j].data, effect->write.pieces[j].length));
    }
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

/* What the node has applied, whether it takes part in the quorum or not (any more). */
static void applied_view(const struct host *host, struct quorum_view *ret_view)
{
    struct broker_view view;
    broker_view(host->broker, &view);
    *ret_view = (struct quorum_view){.image_end = view.metadata_end, .image_epoch = -1};
    broker_view_quorum(host->broker, ret_view);
}

void committed_stepped(struct committed *committed, const struct host *host)
{
    struct quorum_view view;
    if (committed->is_blind || !host->conf.is_cluster)
        return;
    writes_seen(committed, host);
    if (host->broker == NULL)
        return;
    applied_view(host, &view);
    while (committed->end < view.image_end) {
        struct written *next = next_of(committed, host, &view);
        committed->is_blind = next == NULL;
        if (committed->is_blind)
            return;
        committed->end = next->last_offset + 1;
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
