/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of recovery share. */
#ifndef CORE_LOG_RECOVER_H
#define CORE_LOG_RECOVER_H

#include "core/log/folder_internal.h"

/*
 *     LISTING ─▶ IDENTITY ─▶ EPOCHS ─▶ PRODUCERS ─▶ INDEX ─▶ SCANNING ─▶ CUTTING ─▶ REWRITING
 *     (after a failed write:) QUIETING ─▶ CUTTING ──▲                                   │
 *                                                                       READY ◀─ SYNCING ◀┘
 */
struct recovery {
    struct log *log;
    struct list place; /* in folder->load_queue */
    struct op op;
    struct wait wait;
    struct timer timer; /* until a step is tried again: */
    void (*again)(struct log *log);
    struct span path;
    bool rewinding;  /* after a failed write, or while the log is cut (truncate.c) */
    bool truncating; /* the latter */
    bool quieting;   /* … while effects are still under way */
    bool is_empty;   /* there is no folder */
    bool scanned;
    bool queued; /* holds one of the folder's turns to load */
    bool has_metadata;
    bool has_epochs;
    bool epochs_lost;
    bool keeps_cache_mark; /* it could not be removed now */
    bool stale_indexes;    /* their files may name what is not in the log */

    char (*trash)[48]; /* names of files that are of no use */
    uint32_t trash_count;
    uint32_t trash_capacity;
    uint32_t trash_done;

    uint32_t snapshot;      /* candidates left in log->snapshots */
    int64_t producers_from; /* batches before it are in the snapshot that was read */
    uint32_t first;         /* segment that is scanned first */
    struct log_cursor cursor;
    uint32_t segment; /* that is scanned now */
    bool by_index;    /* the place to begin at came from an index and is not proven yet */
    int64_t scan_from;
    int64_t indexed_to;     /* batches below it have their entries */
    struct buffer *offsets; /* of the index that is loaded */
    int64_t next_offset;    /* least one that the next batch may have */
    int32_t last_epoch;
    bool cut;      /* the log ends in `segment` at cursor.position */
    bool has_tail; /* the scan has come to what no checkpoint proves durable: */
    uint32_t tail_segment;
    uint64_t tail_position;
    uint32_t syncing; /* segment that is written again and synced next */
    struct buffer *rewrite;
    struct piece rewrite_piece;
    uint64_t rewrite_position;
    struct log_waiter start_waiter; /* for the checkpoint with a start that moved */
};

enum truncation_phase {
    TRUNCATION_CUT,    /* up to where the log's tail was read again */
    TRUNCATION_CREATE, /* of the segment to begin again with */
    TRUNCATION_ABOVE,  /* removing the segments above it */
    TRUNCATION_START,  /* writing the checkpoint of the start */
    TRUNCATION_BELOW,  /* removing the segments below it */
};

/* A cut that is wanted, or under way. */
struct truncation {
    struct log *log;
    struct log_waiter *waiter; /* until the log is LOADING, and it one of the log's */
    int64_t offset;            /* nothing at or beyond it stays */
    bool begins_again;
    int64_t begin; /* and where */
    enum truncation_phase phase;
    uint64_t position;   /* of what goes, in recovery->segment */
    int64_t kept_end;    /* no more than where that which stays ends */
    bool waits_for_pins; /* of ranges that reach beyond the position */
    struct log_waiter checkpoint;
};

/* Ends the recovery: the log refuses to serve. `what` is for the operator. */
void recover_refuse(struct log *log, const char *what, struct segment *segment, uint64_t position);
void recover_folder_failed(struct log *log, const char *what);
/* What a step met passes by (error_passes()): after a while `step` is done again. */
void recover_again(struct log *log, void (*step)(struct log *log));
struct recovery *recovery_new(struct log *log);
/* True, and the recovery is over, when the log was deleted or its folder failed meanwhile. */
bool recover_stopped(struct log *log);
void recover_list(struct log *log);
/* Takes in what the log's folder has; names of files that are of no use go to the trash. */
void recover_files(struct recovery *recovery, const struct folder_entry *entries, uint32_t count);
void recover_ready(struct log *log);
/* A file of the log that is of no use any more. */
void recover_trash_offset(struct recovery *recovery, int64_t offset, const char *suffix);

/* The folder has nothing of this topic: the log is empty and begins at its start. */
void recover_empty(struct log *log);

void recover_load_producers(struct log *log);
void recover_scan(struct log *log);
void recover_cut(struct log *log);
/* Cuts the file of segment recovery->segment to its size_bytes. */
void recover_truncate(struct log *log);
void recover_rewound(struct log *log);
/* Writes what lies beyond the recovery point in segment recovery->syncing, whose file is in use,
 * once more, then syncs it. */
void recover_rewrite(struct log *log);
void recover_sync(struct log *log);
/* Removes what is of no use, syncs what is not proven durable, and ends in recover_ready(). */
void recover_clean(struct log *log);
/* Drops a segment and its files, or all behind `last`. */
void recover_drop(struct log *log, struct segment *segment);
void recover_drop_after(struct log *log, uint32_t last);

/* truncate.c, reset.c */
void truncate_begin(struct log *log);
void truncate_drop_indexes(struct recovery *recovery, const struct segment *segment);
void truncate_remove_last(struct log *log);
/* What stays ends at the log's start, or before it: nothing stays, whose epochs would count. */
void truncate_to_start(struct log *log);
/* A range was given back. */
void truncate_unpinned(struct log *log);
/* Asked when nothing else is left to be done; false: it goes on, and asks again. */
bool truncate_is_done(struct log *log);
void reset_create(struct log *log);
void reset_created(struct log *log, int error);
void reset_start(struct log *log);

/* True when the bytes at `position` of a segment, whose rest is in `rest`, may be cut: nothing that
 * was ever durable is among them. `cut_off`: they begin like a batch that the file's end cuts off.
 */
bool damage_is_torn(struct span rest, uint64_t position, int64_t next_offset, bool cut_off);

/* True when a lost sector held the first bytes of the batch at `position`. */
bool damage_is_lost_begin(struct span batch, uint64_t position, int64_t next_offset);

#endif
