/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One partition's log: Kafka's segments in the folder TOPIC-PARTITION, written once, never
 * twice.
 *
 *              log_load            tail scanned, synced
 *     COLD ───────────▶ LOADING ───────────────────────▶ READY ──▶ CLOSED   (log_close)
 *                          ▲                               │
 *                          │ failed write: cut, read again │
 *                          └───────────────────────────────┤
 *                                                          ▼
 *                                                       OFFLINE  (its data folder failed)
 *
 * Offsets of a READY log:  durable_end ≤ written_end ≤ end, and start ≤ written_end: where the page
 * cache counts, what is not durable yet can be deleted.
 */
#ifndef CORE_LOG_LOG_H
#define CORE_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/list.h"
#include "core/base/span.h"
#include "core/io.h"
#include "core/records/batch.h"
#include "core/records/codec.h"

/* Offsets stay below, so that sums never overflow. */
#define LOG_OFFSET_MAX (INT64_MAX / 2)

struct folder; /* core/log/folder.h: a data folder, its checkpoints and whether it still serves */
struct log;
struct segment;

enum log_state { LOG_COLD, LOG_LOADING, LOG_READY, LOG_OFFLINE, LOG_CLOSED };

/* What a topic's configuration means to its log; times in milliseconds, -1 for "never" and "no
 * limit". */
struct log_settings {
    int64_t segment_bytes;
    int64_t segment_ms;
    int64_t retention_bytes;
    int64_t retention_ms;
    int64_t index_interval_bytes;
    int64_t segment_index_bytes;
    int64_t file_delete_delay_ms;
    int64_t flush_messages;
    int64_t flush_ms;
    int64_t producer_expiration_ms;
    bool delete_old;    /* cleanup.policy contains delete: retention trims */
    bool write_caching; /* false: every write is followed by a sync */
    bool never_anew;    /* without its folder it is refused, once it had begun */
};

/* Told, inside a step, when a log's offsets moved or when it failed. */
struct log_observer {
    /* written_end, durable_end or start advanced. */
    void (*advanced)(struct log_observer *observer);
    /* Appends that were not written yet are lost (ERR_NO_SPACE, ERR_IO): the log goes back to
     * LOADING and takes no append below or at the epoch it had; or its folder is offline
     * (LOG_OFFLINE). */
    void (*failed)(struct log_observer *observer, int error);
};

/* Waits for a log to be READY (ERR_NONE) or OFFLINE (ERR_KAFKA_STORAGE_ERROR). Called once, never
 * from inside log_load(). */
struct log_waiter {
    struct list place;
    void (*wake)(struct log_waiter *waiter, int error);
};

/* A COLD log; nothing is read or created yet. `name` ("topic-0") and `settings` are copied. */
struct log *log_new(struct io *io, struct folder *folder, struct span name, struct uuid topic_id,
                    const struct codecs *codecs, const struct log_settings *settings,
                    struct log_observer *observer);

/* Takes new settings over; segments that exist keep their size. */
void log_configure(struct log *log, const struct log_settings *settings);

enum log_state log_state(const struct log *log);

/* Takes a READY log, in which a reader met damage, OFFLINE: its bytes stay as they are. Not to be
 * called by those whom the log calls. Source: PAR, FAST 2018. */
void log_refuse(struct log *log);

/* Wakes `waiter` when the log is READY or OFFLINE, loading it if it is COLD. */
void log_load(struct log *log, struct log_waiter *waiter);

/* First offset, which a crash cannot take back; the next offset to be assigned; the end of what was
 * handed to the operating system; and the end of what a sync covered. */
int64_t log_start(const struct log *log);
int64_t log_end(const struct log *log);
int64_t log_written_end(const struct log *log);
int64_t log_durable_end(const struct log *log);

/* The end of what counts as safe in the log's durability mode, and so bounds the high watermark:
 * durable_end, or written_end with write caching. */
int64_t log_safe_end(const struct log *log);

/* True when what is written counts, durable or not. */
bool log_is_write_cached(const struct log *log);

/* Bytes of all segments. */
uint64_t log_size_bytes(const struct log *log);

/* The number of the data folder that it lies in, or shall. */
uint32_t log_folder_number(const struct log *log);

/* The newest leader epoch that any batch of the log carries; -1 when there is none. */
int32_t log_last_epoch(const struct log *log);

/* The leader epoch that the batch at `offset` was, or would be, appended under; -1 before the
 * first. */
int32_t log_epoch_at(const struct log *log, int64_t offset);

/* The leader epoch of the last record that was deleted, as far as it is known; else -1. */
int32_t log_epoch_below(const struct log *log);

/* The newest leader epoch that begins before `offset`, and where; false when there is none. */
bool log_epoch_before(const struct log *log, int64_t offset, int32_t *ret_epoch,
                      int64_t *ret_start);

/* The largest epoch ≤ `epoch` that the log has, and where it ends (KIP-279); -1, -1 when it has
 * none. `current_epoch` is the leader's own, whose end is the log's end, and so is that of what was
 * before it where nothing is left of the epochs in between. A negative one: whatever is asked may
 * be in between. */
void log_epoch_end(const struct log *log, int32_t current_epoch, int32_t epoch, int32_t *ret_epoch,
                   int64_t *ret_end_offset);

struct log_append {
    /* In: one validated batch inside `buffer`, which the log holds as long as it needs; the batch's
     * base offset, its leader epoch and, when `log_append_time_ms` ≥ 0, its time are patched in
     * place. */
    struct buffer *buffer;
    uint8_t *batch;
    uint32_t length;
    int32_t leader_epoch; /* ≥ log_last_epoch() */
    int64_t log_append_time_ms;
    const struct batch_info *info;
    bool check_producer; /* false: control batches and batches of our own */
    /* Out */
    int64_t base_offset;
    int64_t last_offset;
    int64_t append_time_ms; /* -1: the batch keeps its create time */
    bool duplicate;         /* it was appended before: the offsets are those of the original */
};

/* Appends one batch; written with all others of this turn at its end. The log is READY. Errors:
 * those of producers_check() (ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, ERR_INVALID_PRODUCER_EPOCH, …),
 * ERR_RECORD_LIST_TOO_LARGE beyond segment.bytes. */
int log_append(struct log *log, struct log_append *append);

/* Appends one batch as it came from the leader, which has judged it: in the base offset and under
 * the leader epoch that its bytes and `info` have, in none of which the producers' sequences are
 * looked at; `leader_epoch`, `log_append_time_ms` and `check_producer` do not count. The log is
 * READY. Errors, and then nothing was appended: ERR_OFFSET_OUT_OF_RANGE for a base offset below
 * log_end(), or too far beyond it for a segment: log_reset() brings the log there;
 * ERR_INVALID_RECORD for a gap that no compaction explains; ERR_FENCED_LEADER_EPOCH for an epoch
 * below log_last_epoch(), unless the log is empty. A batch beyond segment.bytes, which the leader
 * may once have allowed, gets a segment of its own. */
int log_append_led(struct log *log, struct log_append *append);

/* A search or a walk in a log's files that is under way: the log's own part of a request. */
struct log_cursor {
    struct list place;
    struct log *log;
    struct segment *segment; /* held while not NULL */
    struct chunk *chunk;     /* bytes of it */
    uint64_t position;
    void (*step)(struct log_cursor *cursor, int error);
    bool placed; /* at a batch of the segment */
    bool passes; /* its last error does: no descriptor is left */
};

/* A range of a segment's file, pinned: neither removed nor cut until log_unpin(). */
struct log_range {
    struct segment *segment; /* NULL: an empty range */
    uint64_t file;
    uint64_t position;
    uint32_t length;
};

struct log_read {
    /* In */
    int64_t offset;
    int64_t end_offset; /* nothing at or beyond it: the high watermark, ≤ written_end */
    uint32_t max_bytes;
    bool whole_first; /* the first batch is given whole even beyond max_bytes */
    void (*done)(struct log_read *read);
    /* Out */
    int error; /* ERR_OFFSET_OUT_OF_RANGE, ERR_KAFKA_STORAGE_ERROR, ERR_CORRUPT_MESSAGE */
    struct log_range range;
    /* The log's own */
    struct log_cursor cursor;
    uint64_t first_position;
    uint32_t first_bytes;
};

/* Finds the range that begins with the batch that holds `offset`, within one segment. Calls `done`
 * at once when memory knows the answer, else after reading an index or batch headers. */
void log_read(struct log *log, struct log_read *read);

/* The result of `read` is not wanted any more; `done` will not be called. */
void log_read_cancel(struct log_read *read);

/* Gives a range back after it was sent. */
void log_unpin(struct log_range *range);

struct log_time {
    /* In */
    int64_t timestamp_ms; /* the first record at or after it; LOG_TIME_MAX: the largest one */
    int64_t end_offset;   /* not at or beyond it */
    void (*done)(struct log_time *time);
    /* Out */
    int error;
    int64_t offset; /* -1: no such record */
    int64_t found_ms;
    int32_t leader_epoch;
    /* The log's own */
    struct log_cursor cursor;
    int64_t sought_ms;
    int64_t from_offset;
};

#define LOG_TIME_MAX INT64_MIN /* no time that a record has */

/* Finds an offset by time, opening the batch that holds it. */
void log_time(struct log *log, struct log_time *time);
void log_time_cancel(struct log_time *time);

/* Reads batches in order, a chunk at a time, from `offset` to `end_offset`. Ends with
 * ERR_CORRUPT_MESSAGE where a batch is damaged, or is not the one that has to be there. */
struct log_scan {
    /* In */
    int64_t offset;
    int64_t end_offset;
    /* One whole batch, borrowed for the call; an error ends the scan with it */
    int (*batch)(struct log_scan *scan, struct span batch);
    void (*done)(struct log_scan *scan, int error);
    /* The log's own */
    struct log_cursor cursor;
    int64_t expected; /* the base offset of the next batch */
};

void log_scan(struct log *log, struct log_scan *scan);
void log_scan_cancel(struct log_scan *scan);

/* Bound for retention: nothing at or beyond the high watermark is ever removed by it. */
void log_set_high_watermark(struct log *log, int64_t high_watermark);

/* Moves the start (DeleteRecords), at most to the high watermark; durable, and told, when `waiter`
 * wakes. Returns the start that the log has then. */
int64_t log_delete_before(struct log *log, int64_t offset, struct log_waiter *waiter);

/* Cuts everything off that lies at or beyond `offset` (≥ log_start), and the whole batch that holds
 * it: log_end() is where the batch before ends. A log whose start is about to move beyond `offset`
 * is empty afterwards. The log is READY, and this is asked for once at a time. What was appended
 * before is written first; then the log goes to LOADING (appends meanwhile are a mistake), waits
 * until no range that is pinned reaches into what goes, and ends reads with
 * ERR_NOT_LEADER_OR_FOLLOWER. Wakes `waiter`, never from inside the call, when the cut and what
 * follows from it (leader epochs, producers, the recovery point) are durable, or with
 * ERR_KAFKA_STORAGE_ERROR when the folder failed. A high watermark beyond the end comes down to it.
 * Source: KIP-101, where a follower truncates to the divergence from its leader. */
void log_truncate(struct log *log, int64_t offset, struct log_waiter *waiter);

/* Where a cut that was asked for, and is not over, leaves the log at most; INT64_MAX: none is. */
int64_t log_cut_end(const struct log *log);

/* Likewise, but the log is empty afterwards, without epochs and producers, and begins and ends at
 * `offset`, wherever it was before: for a follower that ends before its leader's log begins, and
 * below an installed snapshot. After a crash in between it is what it was, or cut in part, or as
 * wanted. */
void log_reset(struct log *log, int64_t offset, struct log_waiter *waiter);

/* Writes, syncs, and persists indexes and producer state; wakes `waiter` when CLOSED. */
void log_close(struct log *log, struct log_waiter *waiter);

/* Removes the log: its folder is renamed to NAME.UUID-delete at once and removed after
 * file.delete.delay.ms. Waiters and reads end with ERR_UNKNOWN_TOPIC_OR_PARTITION, pinned ranges
 * stay readable until unpinned. The log is freed when nothing refers to it any more. */
void log_delete(struct log *log);

/* Frees a log without touching the disk; for the end of the world. */
void log_free(struct log *log);

#endif
