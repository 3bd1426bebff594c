/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which leader epoch each offset of a log was written under (KIP-101, KIP-279), and the text file
 * leader-epoch-checkpoint that keeps it: a version line, a count line, then "EPOCH OFFSET" lines.
 */
#ifndef CORE_LOG_EPOCHS_H
#define CORE_LOG_EPOCHS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/span.h"

#define EPOCH_NONE        (-1)
#define EPOCH_END_UNKNOWN (-1)

struct epoch_start {
    int32_t epoch;
    int64_t offset; /* the first one that was written under it */
};

/* Epochs and offsets both rise strictly. */
struct epochs {
    struct memory *memory;
    struct epoch_start *entries;
    uint32_t count;
    uint32_t capacity;
    int32_t below; /* that of the last record below the log's start; EPOCH_NONE: not known */
};

void epochs_init(struct epochs *epochs, struct memory *memory);
void epochs_free(struct epochs *epochs);

/* `epoch` ≥ 0 begins at `offset`. Entries that this contradicts (a higher or the same epoch, or a
 * later start) are dropped, since the log's tail was replaced. True when anything changed: the file
 * has to be written. */
bool epochs_assign(struct epochs *epochs, int32_t epoch, int64_t offset);

/* The newest epoch; EPOCH_NONE when there is none. */
int32_t epochs_latest(const struct epochs *epochs);

/* The epoch that `offset` was, or would be, written under; EPOCH_NONE before the first. */
int32_t epochs_at(const struct epochs *epochs, int64_t offset);

/* The newest epoch that begins before `offset`; false when there is none. */
bool epochs_before(const struct epochs *epochs, int64_t offset, struct epoch_start *ret_start);

/* The largest known epoch ≤ `epoch` and the offset after its last record; `log_end` is that of the
 * newest epoch. EPOCH_NONE and EPOCH_END_UNKNOWN for one beyond the newest, or none. For one before
 * the first known: itself, and where the first known begins. */
void epochs_end(const struct epochs *epochs, int32_t epoch, int64_t log_end, int32_t *ret_epoch,
                int64_t *ret_end_offset);

/* The log now ends at `end_offset`, or starts at `start_offset`. True when anything changed. */
bool epochs_truncate_end(struct epochs *epochs, int64_t end_offset);
bool epochs_truncate_start(struct epochs *epochs, int64_t start_offset);

/* The file's text: writes at most `capacity` bytes and returns the length of the whole. */
size_t epochs_encode(const struct epochs *epochs, uint8_t *out, size_t capacity);

/* Reads the file's text into an initialised, empty `epochs`. ERR_MALFORMED for anything that
 * epochs_encode() would not write; `epochs` is then empty. */
int epochs_decode(struct epochs *epochs, struct span text);

#endif
