/* SPDX-License-Identifier: Apache-2.0 */
/* What of the log goes because the quorum's leader has something else there. */
#include "core/base/check.h"
#include "core/meta/wal_internal.h"
#include "core/wire/error.h"

/* The log is there again. */
static void cut_end(struct wal *wal)
{
    wal_apply(wal);
    wal_close_if_idle(wal);
}

static void truncated(struct log_waiter *waiter, int error)
{
    struct wal *wal = container_of(waiter, struct wal, cut_waiter);
    if (error != ERR_NONE) {
        wal_fail(wal, error);
        return;
    }
    /* Writes that were under way may have failed: then the log ends before the cut. */
    wal_recent_cut(wal, log_end(wal->log));
    wal->state = WAL_READY;
    wal->observer->truncated(wal->observer);
    cut_end(wal);
}

void wal_truncate(struct wal *wal, int64_t offset)
{
    CHECK(wal->state == WAL_READY && offset >= wal->image->end_offset);
    wal->state = WAL_CUTTING;
    wal_recent_cut(wal, offset);
    wal->cut_waiter.wake = truncated;
    log_truncate(wal->log, offset, &wal->cut_waiter);
}

/* The image is what the snapshot says. */
static int image_restore(struct wal *wal)
{
    struct image fresh;
    uint64_t position;
    image_init(&fresh, wal->io->memory, rng_next(&wal->io->rng));
    const int error = snapshot_restore(span_of(wal->installing, wal->installing_bytes),
                                       wal->installing_id, &fresh, &position);
    if (error != ERR_NONE) {
        image_free(&fresh);
        wal_tell_damage(wal, wal->installing_id.offset, error);
        return error;
    }
    image_replace(wal->image, &fresh);
    /* More may be committed, and have been lost: it comes again behind the snapshot. */
    if (wal->commit_end < wal->image->end_offset)
        wal->commit_end = wal->image->end_offset;
    wal->suffix_bytes = 0;
    if (wal->watch != NULL && wal->watch->base_offset < wal->image->end_offset) {
        wal->watch->result = WATCH_UNKNOWN;
        wal->watch = NULL;
    }
    return ERR_NONE;
}

/* The log begins where the snapshot ends. */
static void log_is_reset(struct log_waiter *waiter, int error)
{
    struct wal *wal = container_of(waiter, struct wal, cut_waiter);
    /* The image may be ahead of a log that has lost appends, and never goes back. */
    if (error == ERR_NONE && wal->image->end_offset < wal->installing_id.offset)
        error = image_restore(wal);
    if (error != ERR_NONE) {
        wal_fail(wal, error);
        return;
    }
    wal->state = WAL_READY;
    wal->told_end = wal->image->end_offset;
    wal_mark(wal);
    wal->observer->installed(wal->observer,
                             snapshot_voters(span_of(wal->installing, wal->installing_bytes)));
    memory_give(wal->io->memory, MEMORY_STATE, wal->installing, wal->installing_bytes);
    wal->installing = NULL;
    wal->installing_bytes = 0;
    cut_end(wal);
}

void wal_install(struct wal *wal, struct snapshot_id id, struct span bytes)
{
    CHECK(wal->state == WAL_READY);
    wal->state = WAL_CUTTING;
    wal->installing_id = id;
    wal->installing_bytes = bytes.length;
    wal->installing = memory_take(wal->io->memory, MEMORY_STATE, bytes.length);
    memcpy(wal->installing, bytes.data, bytes.length);
    snapshot_ids_add(&wal->store.ids, wal->io->memory, id);
    wal->store.bytes = (uint32_t)bytes.length;
    wal_recent_cut(wal, -1);
    wal->cut_waiter.wake = log_is_reset;
    log_reset(wal->log, id.offset, &wal->cut_waiter);
}
