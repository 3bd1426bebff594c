/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers metadata records into record batches. */
#ifndef CORE_META_WRITER_H
#define CORE_META_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/meta/record.h"

/* Records of one proposal are one batch, which is there as a whole or not at all. */
#define META_BATCH_BYTES_MAX (4 * 1024 * 1024)

struct meta_writer {
    struct arena arena;  /* frames until they are in the batch */
    int64_t base_offset; /* that the first record will get */
    uint32_t count;
    size_t bytes; /* of all records so far */
    struct meta_frame *first;
    struct meta_frame *last;
};

void meta_writer_init(struct meta_writer *writer, struct memory *memory, int64_t base_offset);
void meta_writer_free(struct meta_writer *writer);

/* Adds one record; ERR_POLICY_VIOLATION past META_BATCH_BYTES_MAX, and then the proposal has to be
 * given up. */
int meta_write(struct meta_writer *writer, const struct meta_record *record);

/* The offset of the record that is written next. */
int64_t meta_writer_next_offset(const struct meta_writer *writer);

/* Forgets everything written after the first `count` records: a part of a proposal failed, or it
 * was only to be checked. */
void meta_writer_cut(struct meta_writer *writer, uint32_t count);

/* All records, of which there is at least one, as one batch of the leader epoch: a buffer with one
 * reference, of exactly the batch's size. */
struct buffer *meta_writer_batch(const struct meta_writer *writer, int32_t leader_epoch,
                                 int64_t wall_ms);

#endif
