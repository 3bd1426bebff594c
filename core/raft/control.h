/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control records of the metadata log: what the nodes say to one another there, and no client
 * reads. Their key says what they are: a version, then a type.
 */
#ifndef CORE_RAFT_CONTROL_H
#define CORE_RAFT_CONTROL_H

#include "core/base/buffer.h"
#include "core/records/batch.h"
#include "core/wire/schema.h"

/* Kafka's numbers. */
enum control_type {
    CONTROL_LEADER_CHANGE = 2,
    CONTROL_VOTERS = 6,
};

/* The value of the first record of that type in a whole batch, borrowed from it; SPAN_NULL when
 * it is no control batch or has no such record. ERR_CORRUPT_MESSAGE when its records cannot be
 * read. */
int control_find(struct span batch, enum control_type type, struct span *ret_value);

/* A control batch with one record at `base_offset` under `epoch`: a buffer with one reference, of
 * exactly the batch's size. */
struct buffer *control_batch(struct memory *memory, enum control_type type,
                             const struct wire_schema *schema, const void *message,
                             int64_t base_offset, int32_t epoch, int64_t wall_ms);

#endif
