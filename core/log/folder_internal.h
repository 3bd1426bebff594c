/* SPDX-License-Identifier: Apache-2.0 */
/* What core/log knows of a data folder. */
#ifndef CORE_LOG_FOLDER_INTERNAL_H
#define CORE_LOG_FOLDER_INTERNAL_H

#include "core/log/internal.h"

/* A partition's name: of a folder or a checkpoint's line that was found, or of a log. */
struct found {
    struct map_node node; /* by name */
    bool has_folder;
    bool claimed;           /* a log has, or had, the name; what was found is its matter */
    struct log *log;        /* that has it now */
    int64_t recovery_point; /* -1: no line */
    int64_t log_start;      /* -1: no line */
    size_t name_length;
    uint8_t name[];
};

enum folder_state { FOLDER_NEW, FOLDER_LOADING, FOLDER_SERVING, FOLDER_OFFLINE };

struct folder {
    struct io *io;
    uint32_t number;
    struct folder_observer *observer;
    enum folder_state state;
    bool was_clean;
    int error; /* of loading */
    struct list waiters;
    struct op op; /* loading and closing */
    struct map found;
    struct list logs;
    uint32_t logs_count;

    struct list idle_files; /* struct segment, used least recently first */
    uint32_t idle_files_count;
    uint32_t open_files_max; /* FOLDER_OPEN_FILES_MAX */
    struct list indexes;     /* struct segment, used least recently first */
    uint64_t indexes_bytes;
    uint64_t indexes_bytes_max; /* FOLDER_INDEX_BYTES_MAX */

    struct list load_queue; /* struct recovery, for their turn */
    uint32_t loads_count;
    struct turn_task turn; /* the next ones begin */

    /* The folder's own entries: one sync serves all that asked before it began. */
    struct op sync_op;
    struct list sync_now;
    struct list sync_next;
    struct list names_next; /* logs whose folder waits until one of the same name has gone */
    uint32_t deleting;      /* logs that are deleted and not renamed yet */
    struct turn_task root_turn;
    struct wait wait; /* of loading and closing */

    /* Checkpoints. */
    bool checkpoint_busy;
    bool checkpoint_again;
    bool lines_forgotten;        /* the files still name logs that are gone */
    struct list checkpoint_now;  /* struct log_waiter */
    struct list checkpoint_next; /* struct log_waiter */
    struct turn_task checkpoint_turn;
    struct wait checkpoint_wait;
    uint64_t unsettled_bytes;
    uint64_t since_settle_bytes;
    uint32_t unsettled_logs;
    struct timer settle_timer;

    struct list removals;
    uint32_t reads_given_up; /* under way; their bytes still have to come */
    struct log_waiter close_waiter;
    uint64_t mark_file;
    bool closing;
};

#define RECOVERY_POINT_CHECKPOINT SPAN("recovery-point-offset-checkpoint")
#define LOG_START_CHECKPOINT      SPAN("log-start-offset-checkpoint")

/* A partition's name, "topic-7", as topic and partition; false: no partition is called so. */
bool folder_name_split(struct span name, struct span *ret_topic, int32_t *ret_partition);

/* Gives a name to a log, which may have been another one's before; what was found under it. */
struct found *folder_claim(struct folder *folder, struct span name, struct log *log);
/* The log has gone. */
void folder_unclaim(struct folder *folder, const struct log *log);

/* Loads in turn: true when the log may begin now, else recover_list() is called later. */
bool folder_load_begin(struct folder *folder, struct recovery *recovery);
void folder_load_end(struct folder *folder);

/* A read goes on that nobody waits for any more; or has ended. The folder closes after the last. */
void folder_read_given_up(struct folder *folder);
void folder_read_ended(struct folder *folder);

/* A log has `bytes` more behind its recovery point; or begins to move it; or has moved it. */
void folder_unsettled(struct folder *folder, struct log *log, uint64_t bytes);
void folder_settling(struct folder *folder, struct log *log);
void folder_settled(struct folder *folder);

/* The checkpoints still have lines of a log that is gone: before its name is used again, they have
 * to be written (folder_checkpoint), lest the lines are taken for those of the new one. */
void folder_forget_lines(struct folder *folder);

#endif
