/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata WAL of this node: the log __cluster_metadata-0, its snapshots, and the image that
 * both together give, as far as the quorum says that they are committed (core/meta/quorum.h).
 *
 *     CLOSED ──wal_boot()──▶ BOOTING ──▶ READY ──failed write, full disk──▶ LOST
 *                               │         ▲ │ ▲                              │
 *                               │         │ │ └────── log read again ────────┤
 *                               │  durable│ │wal_truncate(), wal_install()   │
 *                               ▼         │ ▼                                │
 *                            FAILED ◀── CUTTING        FAILED ◀─ folder offline
 */
#ifndef CORE_META_WAL_H
#define CORE_META_WAL_H

#include <stdint.h>

#include "core/io.h"
#include "core/log/folder.h"
#include "core/log/log.h"
#include "core/meta/image.h"
#include "core/meta/snapshot.h"
#include "core/records/codec.h"

#define WAL_LOG_NAME "__cluster_metadata-0"

#define WAL_SEGMENT_BYTES        (8 * 1024 * 1024)
#define WAL_INDEX_INTERVAL_BYTES 65536
#define WAL_SEGMENT_INDEX_BYTES  (64 * 1024)

enum wal_state { WAL_CLOSED, WAL_BOOTING, WAL_READY, WAL_LOST, WAL_CUTTING, WAL_FAILED };

/* Told inside a step, never from inside a call. */
struct wal_observer {
    /* While it boots: the voters of the snapshot, which ends at `offset`; then every batch behind
     * it, committed or not. An error ends the boot with it. */
    int (*snapshot)(struct wal_observer *observer, int64_t offset, struct span voters);
    int (*batch)(struct wal_observer *observer, struct span batch);
    /* The durable end moved. */
    void (*durable)(struct wal_observer *observer);
    /* The image moved. */
    void (*applied)(struct wal_observer *observer);
    /* Appends that were not durable may be lost: the log is being read again. It was read again.
     * Or nothing can be written or read any more. */
    void (*lost)(struct wal_observer *observer);
    void (*found)(struct wal_observer *observer);
    void (*failed)(struct wal_observer *observer);
    /* What wal_truncate() and wal_install() asked for is done. */
    void (*truncated)(struct wal_observer *observer);
    void (*installed)(struct wal_observer *observer, struct span voters); /* of the snapshot */
    /* True when the log may begin anew behind a snapshot that it does not reach, or that ends in
     * another history than the log: a crash came while it was installed. False for the only
     * voter, whose log was cut by something else. */
    bool (*may_begin_anew)(struct wal_observer *observer);
    /* The voters that a snapshot of the image as it is has to contain; SPAN_NULL: none. Borrowed
     * until the step ends. */
    struct span (*voters)(struct wal_observer *observer);
};

struct wal;

/* `image` is empty and outlives the WAL, which alone changes it. A snapshot is due after
 * `snapshot_bytes` of log, or after as many as the last snapshot has if those are more: writing
 * snapshots then costs no more than writing the log. */
struct wal *wal_new(struct io *io, struct folder *folder, const struct codecs *codecs,
                    uint64_t snapshot_bytes, struct image *image, struct wal_observer *observer);

/* Reads the newest whole snapshot into the image, and looks at every batch behind it. Wakes with
 * ERR_NONE; or with the error that it logged, with file, place and mend, and then the broker must
 * not start. */
void wal_boot(struct wal *wal, struct log_waiter *waiter);

enum wal_state wal_state(const struct wal *wal);

/* The log, for questions only; NULL before wal_boot(). */
const struct log *wal_log(const struct wal *wal);

/* The leader epoch of what ends at `offset`: of a snapshot where the log begins; -1 at offset 0. */
int32_t wal_epoch_before(const struct wal *wal, int64_t offset);

/* The newest durable snapshot; false when there is none. */
bool wal_newest_snapshot(const struct wal *wal, struct snapshot_id *ret_id);

/* Appends one valid batch that lies in `buffer`, of which the WAL keeps a reference as long as it
 * needs it, and that carries the log's end as its base offset and its epoch already. READY before.
 * ERR_NONE or why nothing was appended. */
int wal_append(struct wal *wal, struct buffer *buffer, uint8_t *batch, uint32_t length);

/* The batch that begins at `offset` and the buffer that it lies in, borrowed, if it is in memory:
 * it was not applied yet. Null otherwise: then wal_scan(), which is log_scan(), finds it. */
struct span wal_recent_batch(const struct wal *wal, int64_t offset, struct buffer **ret_buffer);
void wal_scan(struct wal *wal, struct log_scan *scan);

/* Cuts off what lies at or beyond `offset`, a boundary of batches behind what was applied. READY
 * before, CUTTING until the observer is told that this is durable. */
void wal_truncate(struct wal *wal, int64_t offset);

/* Makes the log begin, empty, where a durable snapshot with these whole bytes ends, and the image
 * what they say. Likewise. */
void wal_install(struct wal *wal, struct snapshot_id id, struct span bytes);

/* Everything before `offset` is committed: it is applied as soon as it is here. Never goes back. */
void wal_commit(struct wal *wal, int64_t offset);

/* A batch that is waited for: what was applied at an offset is it, or something else. */
struct wal_watch {
    int64_t base_offset;
    uint32_t crc; /* of the batch */
    /* UNKNOWN: a snapshot took the place of that offset, and says only what there is now. */
    enum { WATCH_OPEN, WATCH_HIT, WATCH_MISSED, WATCH_UNKNOWN } result;
};

/* Fills in watch->result when it is known. One at a time; NULL: none any more. */
void wal_watch(struct wal *wal, struct wal_watch *watch);

/* Ends the log in order, after what is under way; wakes `waiter` when it is closed. */
void wal_close(struct wal *wal, struct log_waiter *waiter);

/* Frees the WAL and its log without touching the disk. */
void wal_free(struct wal *wal);

#endif
