/* SPDX-License-Identifier: Apache-2.0 */
/* Making batches of our own: uncompressed, without producer, into memory whose size is known
 * before. */
#ifndef CORE_RECORDS_BUILDER_H
#define CORE_RECORDS_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"
#include "core/records/batch.h"

struct batch_builder {
    uint8_t *out;
    size_t capacity;
    size_t length; /* of what is there */
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int32_t record_count;
};

/* The bytes that the record number `index` of a batch takes; its time is `timestamp_delta_ms` after
 * the batch's. A batch takes BATCH_HEADER_BYTES and its records. */
size_t batch_record_size(int32_t index, int64_t timestamp_delta_ms, struct span key,
                         struct span value);

/* Begins a batch in `capacity` bytes at `out`; the base offset and leader epoch are 0 and -1 until
 * batch_patch(). A control batch has what the core says to itself, not what clients read. */
void batch_builder_start(struct batch_builder *builder, uint8_t *out, size_t capacity,
                         int64_t base_timestamp_ms, bool control);

/* Adds a record; key and value may be null. The room has to be there. */
void batch_builder_add(struct batch_builder *builder, int64_t timestamp_ms, struct span key,
                       struct span value);

/* Completes the batch, which has at least one record; returns its length. */
size_t batch_builder_finish(struct batch_builder *builder);

#endif
