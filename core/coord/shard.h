/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups whose records lie in one partition of __consumer_offsets.
 *
 *               every record replayed, high watermark there
 *     LOADING ──────────────────────────────────────────────▶ ACTIVE ──▶ GONE
 *        └───────────────────────────────────────────────────────────────▲
 *              the partition moved, or an append was lost: nothing here is true any more
 *
 * Changes are made in memory when their record is handed to the log; whoever asked for one is
 * answered when the record is as safe as acks=all makes it. So memory may run ahead of the log, and
 * when a record is lost the whole shard is dropped and loaded anew.
 */
#ifndef CORE_COORD_SHARD_H
#define CORE_COORD_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/map.h"
#include "core/coord/group.h"
#include "core/coord/record.h"
#include "core/coord/write.h"
#include "core/io.h"
#include "core/records/codec.h"

/* Records that one turn may gather for one shard; past it changes are refused until the turn
 * ends. */
#define SHARD_TURN_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* What one batch may decode to while it is replayed. */
#define SHARD_REPLAY_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* What a shard needs of its partition. */
struct shard_log {
    /* The largest batch that it takes. */
    uint32_t (*batch_bytes_max)(struct shard_log *log);
    /* Appends one batch of `length` bytes; the offset behind it is *ret_end_offset. */
    int (*append)(struct shard_log *log, struct buffer *batch, uint32_t length,
                  int64_t *ret_end_offset);
    int64_t (*high_watermark)(struct shard_log *log);
    /* An append failed: the shard is to be dropped, in a later call. */
    void (*failed)(struct shard_log *log, int error);
};

enum shard_state { SHARD_LOADING, SHARD_ACTIVE, SHARD_GONE };

struct shard_record;

struct shard {
    struct group_host host;
    struct shard_log *log;
    const struct codecs *codecs; /* may be NULL: then compressed batches are passed over */
    enum shard_state state;
    struct map groups;  /* struct group, by id */
    struct list writes; /* struct coord_write, in the order of the log */
    struct turn_task task;
    struct arena arena; /* the records of this turn */
    struct shard_record *records;
    struct shard_record **records_end;
    size_t batch_bytes; /* of the batch that is open */
    int32_t batch_count;
    uint32_t unread_count; /* records that could not be read while loading */
};

/* A LOADING shard without groups. */
void shard_init(struct shard *shard, struct io *io, const struct group_settings *settings,
                const struct codecs *codecs, struct shard_log *log);

/* Answers everyone who waits with `error` and forgets everything. */
void shard_drop(struct shard *shard, int error);

/* Takes the records of one whole batch in, while LOADING; what cannot be read is counted and
 * left out, so that one record does not take the others with it. */
void shard_replay(struct shard *shard, struct span batch);

/* Every batch was replayed: ACTIVE. */
void shard_loaded(struct shard *shard);

/* The log's high watermark moved. */
void shard_advanced(struct shard *shard);

/* The offset that the high watermark has to reach for the oldest write; -1: nobody waits. */
int64_t shard_awaits(const struct shard *shard);

/* The group of this id, or NULL. */
struct group *shard_find(const struct shard *shard, struct span group_id);

/* The same, made if there is none. */
struct group *shard_open(struct shard *shard, struct span group_id);

/* The group after `group` in the order of creation, or the first for NULL; NULL after the last. */
struct group *shard_next(const struct shard *shard, const struct group *group);

/* Hands `count` records to the log in one batch; `write` is done when they are safe. Errors, and
 * then nothing was written: ERR_NOT_COORDINATOR (not ACTIVE), ERR_MESSAGE_TOO_LARGE (for one
 * batch), ERR_COORDINATOR_NOT_AVAILABLE (too much in this turn, or a record without key: no room
 * for it). */
int shard_write(struct shard *shard, const struct coord_record *records, uint32_t count,
                struct coord_write *write);

/* Where records for shard_write() are made; emptied at the end of the turn. */
struct arena *shard_arena(struct shard *shard);

/* Deletes an EMPTY group with its offsets: tombstones, and the group is gone at once. */
int shard_delete(struct shard *shard, struct group *group, struct coord_write *write);

/* A value was committed in `group`: it may expire some day. */
void shard_committed(struct group *group, const struct offset_value *value);

/* Removes a group that holds nothing and was never written: its JoinGroup was refused. */
void shard_tidy(struct shard *shard, struct group *group);

/* The topic was deleted: nobody's offsets of it are kept. */
void shard_forget_topic(struct shard *shard, struct span topic);

#endif
