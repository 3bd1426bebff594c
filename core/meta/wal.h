/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata WAL of this node: the log __cluster_metadata-0, its snapshots, and the image that
 * both together give. Records reach the image only after a sync covered them.
 *
 *     CLOSED ──wal_boot()──▶ BOOTING ──▶ READY ──wal_append()──▶ WRITING ──applied──▶ READY
 *                               │          ▲                        │
 *                               │          └──── log read again ◀───┤ lost (disk full, failed
 * write) ▼                                   ▼ FAILED ◀───────────────────────── (folder offline)
 */
#ifndef CORE_META_WAL_H
#define CORE_META_WAL_H

#include <stdint.h>

#include "core/io.h"
#include "core/log/folder.h"
#include "core/log/log.h"
#include "core/meta/image.h"
#include "core/meta/writer.h"
#include "core/records/codec.h"

#define WAL_LOG_NAME "__cluster_metadata-0"

#define WAL_SEGMENT_BYTES        (8 * 1024 * 1024)
#define WAL_INDEX_INTERVAL_BYTES 65536
#define WAL_SEGMENT_INDEX_BYTES  (64 * 1024)

enum wal_state { WAL_CLOSED, WAL_BOOTING, WAL_READY, WAL_WRITING, WAL_FAILED };

struct wal_observer {
    /* The batch under way was applied (ERR_NONE), or lost: nothing of it will ever be. */
    void (*written)(struct wal_observer *observer, int error);
    /* WRITING or reading again has ended: READY for the next batch, or FAILED for good. */
    void (*settled)(struct wal_observer *observer);
};

struct wal;

/* `image` is empty and outlives the WAL, which alone changes it. A snapshot is due after
 * `snapshot_bytes` of log, or after as many as the last snapshot has if those are more: writing
 * snapshots then costs no more than writing the log. */
struct wal *wal_new(struct io *io, struct folder *folder, const struct codecs *codecs,
                    uint64_t snapshot_bytes, struct image *image, struct wal_observer *observer);

/* Reads the newest whole snapshot and every batch behind it. Wakes with ERR_NONE; or with the error
 * that it logged, with file, place and mend, and then the broker must not start. */
void wal_boot(struct wal *wal, struct log_waiter *waiter);

enum wal_state wal_state(const struct wal *wal);

/* Appends the records of `writer` as one batch; READY before, WRITING afterwards. The writer is the
 * caller's again at once. ERR_NONE or why nothing was appended. */
int wal_append(struct wal *wal, struct meta_writer *writer);

/* Ends the log in order, after what is under way; wakes `waiter` when it is closed. */
void wal_close(struct wal *wal, struct log_waiter *waiter);

/* Frees the WAL and its log without touching the disk. */
void wal_free(struct wal *wal);

#endif
