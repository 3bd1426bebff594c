/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the metadata WAL share: core/meta/wal*.c. */
#ifndef CORE_META_WAL_INTERNAL_H
#define CORE_META_WAL_INTERNAL_H

#include "core/meta/snapshot_load.h"
#include "core/meta/snapshot_store.h"
#include "core/meta/wal.h"

/* Who comes back with less than it has acknowledged, be it an older copy, must not vote as who it
 * was: to the others it has to be somebody else. */
#define WAL_MEND                                                                                  \
    "mend=\"if there are other voters, empty this node's data folders, run chronik format, and "  \
    "have the voter that it was removed and this one added; if there are none, bring the folder " \
    "back from a copy, or empty the data folders to begin an empty cluster\""

/* A batch of the log that was not applied yet. */
struct recent {
    struct list place;
    struct buffer *buffer;
    const uint8_t *batch;
    uint32_t length;
    int64_t base_offset;
    int64_t end_offset;
};

struct wal {
    struct io *io;
    struct folder *folder;
    const struct codecs *codecs;
    struct image *image;
    struct wal_observer *observer;
    enum wal_state state;
    struct log *log;
    struct log_observer log_observer;
    struct log_waiter log_waiter;  /* for the log to be ready */
    struct log_waiter trim_waiter; /* for its start to move */
    bool is_trimming;
    struct log_waiter *boot_waiter;
    struct log_waiter *close_waiter;
    struct snapshot_load load;
    struct snapshot_store store;
    struct log_scan scan;
    bool is_scanning;
    struct arena arena;
    int64_t commit_end; /* never goes back: the log may have lost what is before it */
    int64_t told_end;   /* the image's, when the observer was told last */
    struct list recent; /* in the order of the log, without gaps, to its end */
    size_t recent_bytes;
    uint64_t snapshot_bytes; /* after which a snapshot is due */
    uint64_t suffix_bytes;   /* of the log behind the newest snapshot */
    struct wal_watch *watch; /* NULL: none */
    struct log_waiter cut_waiter;
    struct snapshot_id installing_id;
    uint8_t *installing; /* the bytes of a snapshot */
    size_t installing_bytes;
};

/* Told by whoever ends something: closes when that was the last, if closing was asked for. */
void wal_close_if_idle(struct wal *wal);

/* It cannot go on. While it boots the broker does not start; later every proposal is refused. */
void wal_fail(struct wal *wal, int error);

/* Logs that a record of the log cannot be. */
void wal_tell_damage(struct wal *wal, int64_t offset, int error);

/* Writes a snapshot if one is due. */
void wal_snapshot_if_due(struct wal *wal);

/* Keeps a batch that was appended until it is applied. */
void wal_recent_add(struct wal *wal, struct buffer *buffer, const struct log_append *append);

/* Forgets those that end beyond `end_offset`. */
void wal_recent_cut(struct wal *wal, int64_t end_offset);

/* The log may let go of what the image has, as far as the log reaches. */
void wal_mark(struct wal *wal);

/* Applies what is committed and here, now or as it is read. */
void wal_apply(struct wal *wal);

#endif
