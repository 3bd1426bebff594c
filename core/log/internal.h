/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/log share; nobody else includes it. */
#ifndef CORE_LOG_INTERNAL_H
#define CORE_LOG_INTERNAL_H

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/base/map.h"
#include "core/io.h"
#include "core/log/epochs.h"
#include "core/log/file.h"
#include "core/log/folder.h"
#include "core/log/index.h"
#include "core/log/log.h"
#include "core/log/producers.h"
#include "core/wire/error.h"

/* The file of a partition's folder that says: its segments do not prove those before them durable
 * (create.c). */
#define CACHE_MARK "write-caching"

/* Pieces of one gathered write. */
#define WRITE_PIECES_MAX 1024

/* Segment files that a data folder keeps open though nobody uses them at the moment. */
#define FOLDER_OPEN_FILES_MAX 4096

/* Bytes of closed segments' indexes that a data folder keeps in memory. */
#define FOLDER_INDEX_BYTES_MAX ((uint64_t)32 * 1024 * 1024)

/* Logs of a data folder that are loaded at the same time. */
#define FOLDER_LOADS_MAX 64

/* Bytes appended, over all logs of a folder, that recovery points may lie behind. */
#define FOLDER_UNSETTLED_BYTES_MAX ((uint64_t)64 * 1024 * 1024)

/* What changes the file's entry in its folder is waited for under this name. */
struct wait {
    struct list place;
    void (*done)(struct wait *wait, int error);
};

static inline bool wait_is_set(const struct wait *wait)
{
    return wait->place.next != NULL && !list_empty(&wait->place);
}

static inline void wait_add(struct list *waits, struct wait *wait,
                            void (*done)(struct wait *wait, int error))
{
    CHECK(!wait_is_set(wait));
    wait->done = done;
    list_append(waits, &wait->place);
}

/* Wakes all that wait now; those that wait anew meanwhile stay. */
void waits_wake(struct list *waits, int error);

/*
 * A segment: its files, and what memory knows of them.
 *
 *     written_bytes ≤ size_bytes; durable_bytes ≤ written_bytes ≤ reserved_bytes (when reserved)
 */
enum segment_file { FILE_CLOSED, FILE_OPENING, FILE_OPEN, FILE_CLOSING };

struct segment {
    struct log *log;
    int64_t base_offset;
    uint64_t size_bytes; /* with what is still to be written */
    uint64_t written_bytes;
    uint64_t durable_bytes;
    int64_t durable_end;     /* the offset at durable_bytes */
    uint64_t reserved_bytes; /* blocks that the file has, if more than it shows; else 0 */
    int64_t first_ms;        /* the time of its first batch; BATCH_NO_TIMESTAMP: not known */
    int64_t created_ms;      /* wall time of a roll, for batches without time */

    bool exists;        /* the file was created */
    bool entry_durable; /* and its folder synced since */
    bool removed;       /* not the log's any more */
    bool has_offsets_file;
    bool has_times_file;
    enum segment_file file_state;
    uint64_t file;
    uint32_t uses;         /* pins, and effects under way */
    uint32_t pins;         /* ranges that are being sent, */
    uint64_t pinned_bytes; /* none of which reaches beyond this */
    struct op file_op;
    struct span path; /* of the effect under way */
    struct list file_waits;
    struct list idle; /* in folder->idle_files, while open and unused */

    struct index *index; /* NULL: not in memory */
    struct list recent;  /* in folder->indexes */
    struct list index_waits;
    struct index_load *index_load;
    bool index_distrusted; /* it named a place where there is no batch */
    bool index_saved;      /* the files are right, as far as they go: */
    uint32_t offsets_saved;
    uint32_t times_saved;
    bool settling; /* its index is to be written, up to: */
    uint32_t offsets_settling;
    uint32_t times_settling;
    bool time_known; /* of a segment whose index may have left memory */
    int64_t max_timestamp_ms;
    int64_t max_timestamp_offset;
};

/* A batch on its way into the file. */
struct pending {
    struct segment *segment;
    struct buffer *buffer;
    const uint8_t *data;
    uint32_t length;
    int64_t end_offset;
};

/* Where a recent batch lies. */
struct recent_batch {
    int64_t base_offset;
    int64_t last_offset;
    uint64_t position;
};

#define RECENT_BATCHES_MAX 64

struct log {
    struct io *io;
    struct folder *folder;
    struct list place; /* in folder->logs */
    struct span name;
    struct uuid topic_id;
    const struct codecs *codecs;
    struct log_settings settings;
    struct log_observer *observer;
    enum log_state state;
    uint32_t refs; /* effects and jobs under way, cursors, uses of segments */
    struct list waiters;
    struct list close_waiters;
    struct list cursors;

    int64_t start; /* as wanted: told once it is durable */
    int64_t end;
    int64_t written_end;
    int64_t durable_end;
    int64_t high_watermark;
    int64_t recovery_point; /* below it all is durable, and indexes and snapshots need no more */

    struct segment **segments; /* by base offset; the last one is the active one */
    uint32_t segments_count;
    uint32_t segments_capacity;
    uint32_t durable_segment; /* the first one that is not durable to its end, or the active one */
    uint64_t size_bytes;
    int64_t damaged_segment; /* where a batch was found to be damaged last; -1: nowhere */
    uint64_t damaged_at;

    struct epochs epochs;
    bool epochs_changed; /* since leader-epoch-checkpoint was written */
    struct producers producers;
    int64_t producers_look_ms;   /* by the wall clock: when to look for silent ones */
    struct recent_batch *recent; /* a ring of the active segment's newest batches */
    uint32_t recent_count;       /* batches that it ever took: the newest lies at count - 1 */
    uint32_t recent_capacity;

    /* Appending. */
    struct turn_task turn;
    struct pending *pending; /* a ring */
    uint32_t pending_first;
    uint32_t pending_count;
    uint32_t pending_capacity;
    struct piece *pieces;
    uint32_t pieces_capacity;
    uint32_t writing_count; /* of pending */
    uint64_t writing_bytes;
    struct op write_op;
    struct wait write_wait; /* for the segment's file */
    struct segment *write_segment;
    struct create *create; /* making the folder or a segment's file */

    /* Reserving. */
    struct op reserve_op;
    struct wait reserve_wait;
    struct segment *reserve_segment;
    uint64_t reserve_step;
    uint64_t reserve_step_us; /* when the step was taken */
    uint64_t reserve_us;      /* when the log last grew */
    struct timer reserve_timer;
    bool truncating; /* reserve_segment, to its visible size */

    /* Syncing. */
    struct op sync_op;
    struct wait sync_wait;
    struct segment *sync_segment;
    uint64_t sync_bytes;
    int64_t sync_end;
    bool sync_wanted;
    bool sync_all; /* every write, though the settings do not ask for it */
    int64_t unsynced_messages;
    struct timer flush_timer;
    struct op entries_op;
    int64_t entries_base; /* segments up to this one are covered by it */
    struct wait root_wait;
    bool recovered;        /* it was READY in this process */
    bool has_folder;       /* the partition's folder is there, with its metadata */
    bool metadata_durable; /* which a sync has covered: before there is a segment */
    bool folder_durable;   /* and the data folder was synced since */
    bool has_cache_mark;   /* CACHE_MARK is there, or being made */

    /* Everything else that goes on, each in its own file. */
    struct recovery *recovery;
    struct truncation *truncation;
    struct settle *settle;
    bool settle_wanted;
    bool settle_due; /* small files are not as the log is, wherever its recovery point lies */
    uint64_t unsettled_bytes; /* written since the recovery point, as the folder counts */
    int64_t *snapshots;       /* the offsets of producer snapshots on disk, rising */
    uint32_t snapshots_count;
    uint32_t snapshots_capacity;
    struct timer retention_timer;
    struct wait retain_wait;
    bool retain_wanted;
    struct log_waiter retain_waiter; /* for the checkpoint with the new start */
    bool retain_waits;
    int64_t start_written; /* by the checkpoint under way, or the last */
    int64_t start_durable;
    bool closing;
    bool deleted;
    bool delete_renamed;
};

/* log.c */
void log_hold(struct log *log);
void log_release(struct log *log);
/* One of the log's own effects has ended: whoever waits for quiet goes on; then log_release(). */
void log_goes_on(struct log *log);
void log_set_state(struct log *log, enum log_state state);
void log_wake(struct log *log, int error);
void waiters_wake(struct list *waiters, int error);
void log_advanced(struct log *log);
/* True for what is no fault of the device and passes by: a full disk, a process without
 * descriptors. error_reason() says which, for the operator. */
bool error_passes(int error);
const char *error_reason(int error);
void log_go_offline(struct log *log); /* this log alone, or with its folder */
/* What lies at the cursor cannot stand there: tells the operator, once. ERR_CORRUPT_MESSAGE. */
int log_damage_met(const struct log_cursor *cursor);
struct segment *log_active(const struct log *log);
/* The path NAME, NAME/FILE or NAME/00000000000000000000SUFFIX, to be given back by
 * log_path_free(). */
struct span log_path(struct log *log, const char *file);
struct span log_path_of(struct log *log, int64_t offset, const char *suffix);
void log_path_free(struct log *log, struct span path);

/* segment.c */
struct segment *segment_new(struct log *log, int64_t base_offset);
void segment_add(struct log *log, struct segment *segment); /* as the log's last */
/* The index of the segment that holds `offset`: the last one whose base is not beyond it. */
uint32_t segment_find(const struct log *log, int64_t offset);
/* The index of the segment behind `segment`; 0 when that one was removed, from the front. */
uint32_t segment_behind(const struct log *log, const struct segment *segment);
int64_t segment_end(const struct log *log, uint32_t at); /* where the next begins, or the end */
/* Uses the file: true when it is open, else `wait` is told. An error takes the use back. */
bool segment_use(struct segment *segment, struct wait *wait,
                 void (*done)(struct wait *wait, int error));
void segment_hold(struct segment *segment);                  /* one more use */
void segment_release(struct segment *segment);               /* one use less */
void segment_opened(struct segment *segment, uint64_t file); /* by create.c */
/* Takes the segment out of memory once nobody uses it; its files are somebody else's matter. */
void segment_drop(struct segment *segment);
void segment_free(struct segment *segment); /* for log_free() */

/* segment_index.c */
bool segment_index_use(struct segment *segment, struct wait *wait,
                       void (*done)(struct wait *wait, int error));
/* The index is wrong: a closed segment's is built anew when it is next used, the active one's is
 * passed over until the segment is closed. */
void segment_index_distrust(struct segment *segment);
struct index *segment_index_new(struct segment *segment); /* empty, kept while active */
void segment_index_drop(struct segment *segment);
/* Keeps a closed segment's index in memory until it is dropped or rolled; false: there is none. */
bool segment_index_keep(struct segment *segment);
struct index_settings log_index_settings(const struct log *log);
void segment_index_rolled(struct segment *segment);

/* append.c */
void log_turn(struct log *log); /* writes and syncs at the end of the turn */
void log_turn_end(struct turn_task *task);
void append_fail(struct log *log, int error);
void append_drop(struct log *log);
void append_free(struct log *log);
/* The place of the batch that holds `offset`, or of the next one, when memory knows it. */
bool recent_find(const struct log *log, int64_t offset, uint64_t *ret_position,
                 uint64_t *ret_end_position);

/* roll.c */
/* True when a batch of so many bytes, with these last offset and latest time, begins a segment. */
bool roll_is_due(const struct log *log, uint32_t length, int64_t last_offset,
                 int64_t max_timestamp_ms);
void log_roll(struct log *log);

/* create.c */
void create_segment(struct log *log, struct segment *segment);
void create_free(struct log *log);

/* reserve.c */
void reserve_ahead(struct log *log, struct segment *segment);
/* Gives unused blocks back; true when there are none (left). */
bool reserve_release(struct log *log, bool closed_only);

/* sync.c */
void sync_written(struct log *log, int64_t messages);
void sync_start(struct log *log);
void sync_advance(struct log *log);

/* settle.c */
void settle_want(struct log *log); /* if something was written since */
void settle_must(struct log *log); /* in any case */
void settle_start(struct log *log);
/* Gives up one that waits for the log to be durable; one that writes ends by itself. */
void settle_cancel(struct log *log);
void settle_free(struct log *log);

/* close.c */
void close_continue(struct log *log);

/* delete.c */
void delete_continue(struct log *log);
struct span log_path_aside(struct log *log, struct uuid uuid, const char *suffix);

/* recover.c, rewind.c */
void recover_start(struct log *log);
void recover_turn(struct log *log);
void recover_rewind(struct log *log);
void recover_continue(struct log *log);
void recover_free(struct log *log);
bool recovery_keeps_files(const struct recovery *recovery);

/* truncate.c */
/* Begins with what was asked for, once all that was appended is written. */
void truncate_turn(struct log *log);
/* One that has not begun: its waiter is woken with the log's others. */
void truncation_give_up(struct log *log);
void truncation_free(struct log *log);

/* cursor.c */
enum cursor_state { CURSOR_READY, CURSOR_WAITS, CURSOR_FAILED };

void cursor_open(struct log_cursor *cursor, struct log *log,
                 void (*step)(struct log_cursor *cursor, int error));
void cursor_close(struct log_cursor *cursor); /* idempotent after the first cursor_open() */
bool cursor_is_open(const struct log_cursor *cursor);
/* Goes to a segment: true when its file is ready, else step() is called. */
bool cursor_enter(struct log_cursor *cursor, struct segment *segment, uint64_t position);
/* True when the segment's index is in memory, else step() is called when it is. */
bool cursor_index(struct log_cursor *cursor, struct segment *segment);
/* Goes to a batch at or before the one that holds `offset`, by an index that is checked against
 * what is there. CURSOR_WAITS as with cursor_want(): call it again. */
enum cursor_state cursor_seek(struct log_cursor *cursor, struct segment *segment, int64_t offset);
/* The bytes at the cursor, at least `least` of them or all up to `end_bytes`. CURSOR_WAITS: step()
 * is called after they were read, `most` of them at once; ask again then. CURSOR_FAILED: no memory.
 */
enum cursor_state cursor_want(struct log_cursor *cursor, uint32_t least, uint32_t most,
                              uint64_t end_bytes, struct span *ret_window);
void cursors_end(struct log *log, int error);

/* retain.c */
void retain_schedule(struct log *log);
void retain_start(struct log *log);
/* The start that a checkpoint held is durable: what lies below it will not be asked for again, and
 * its segments go. */
void retain_start_written(struct log *log);

/* folder.c */
void folder_fail(struct folder *folder, const char *what, struct span path);
/* Syncs the folder's entries that are there now, together with all others that ask for it. */
void folder_sync_root(struct folder *folder, struct wait *wait,
                      void (*done)(struct wait *wait, int error));

#endif
