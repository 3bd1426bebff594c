/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what the worst power loss would leave of one partition's log, batch by batch, and goes on
 * where it was when more has become durable: nothing is read twice.
 */
#ifndef SIM_DURABLE_LOG_H
#define SIM_DURABLE_LOG_H

#include "core/records/batch.h"
#include "sim/files.h"

struct file_node;

#define DURABLE_LOG_NAME_BYTES 320

struct durable_log {
    char name[DURABLE_LOG_NAME_BYTES]; /* "topic-0" */
    int64_t segment;                   /* base offset of the one that it is in; -1: none yet */
    size_t position;                   /* in that file */
    int64_t next_offset;
    size_t last_position; /* of the batch that was read last … */
    uint32_t last_crc;    /* … by which it is known again */
    bool has_last;
};

enum durable_found {
    DURABLE_BATCH,
    DURABLE_END,  /* nothing more is durable */
    DURABLE_GONE, /* what was read is not there any more: it was cut, or removed as a whole */
};

/* At the beginning of the log of `topic`'s partition `index`. */
void durable_log_init(struct durable_log *log, struct span topic, int32_t index);

/* The next batch, whole and with a checksum that fits; its bytes are borrowed until the disk
 * changes. Offsets that it skips went with older segments. */
enum durable_found durable_log_next(struct durable_log *log, const struct files *files,
                                    struct span *ret_batch, struct batch_info *ret_info);

/* Goes on with the next segment though something is missing before it; false when there is none. */
bool durable_log_skip(struct durable_log *log, const struct files *files);

/* Goes back to the beginning. */
void durable_log_rewind(struct durable_log *log);

/* False when the folder has no whole partition.metadata, or that of a topic other than this: a
 * start sets it aside, with all it has. */
bool durable_log_is_adopted(const struct durable_log *log, const struct files *files,
                            struct uuid topic);

#endif
