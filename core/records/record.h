/* SPDX-License-Identifier: Apache-2.0 */
/* The records inside a batch. */
#ifndef CORE_RECORDS_RECORD_H
#define CORE_RECORDS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/records/batch.h"
#include "core/records/codec.h"

struct record {
    int64_t offset;
    int64_t timestamp_ms;
    struct span key;     /* may be null */
    struct span value;   /* may be null */
    struct span headers; /* for record_header_next() */
    int32_t headers_count;
};

/* A walk through one batch's records. */
struct record_cursor {
    const uint8_t *at;
    const uint8_t *end;
    int64_t base_offset;
    int32_t last_offset_delta;
    int64_t base_timestamp_ms;
    int64_t append_time_ms; /* of all records, when `has_append_time` */
    bool has_append_time;
    int32_t left;
    int error; /* why the walk ended early: ERR_CORRUPT_MESSAGE */
};

/* Begins a walk through `records`, the uncompressed records of the batch with that header. */
void record_cursor_init(struct record_cursor *cursor, const struct batch_info *info,
                        struct span records);

/* Begins a walk through a whole batch that batch_next() or batch_validate() has let pass.
 * Compressed records are decompressed into `arena`, `limit_bytes` at most; `codecs` and `arena` may
 * be NULL for batches that are known not to be compressed. Errors: those of decompression. */
int record_cursor_open(struct span batch, const struct codecs *codecs, size_t limit_bytes,
                       struct arena *arena, struct record_cursor *ret_cursor);

/* The next record, borrowing from the batch or the arena. False at the end, and when the bytes are
 * no record: then cursor->error says so. */
bool record_next(struct record_cursor *cursor, struct record *ret_record);

/* Takes the first header off `headers` (those of a record that record_next() gave). False when
 * there is none left. The value may be null. */
bool record_header_next(struct span *headers, struct span *ret_key, struct span *ret_value);

/* What one pass over a client's records found. */
struct record_survey {
    int64_t delta_min; /* the least and the largest difference from the batch's base timestamp */
    int64_t delta_max;
    bool keyless; /* some record has a null key */
};

/* Checks that `records` are exactly `count` ≥ 1 records with offset deltas 0, 1, 2, … and nothing
 * else. ERR_NONE, or ERR_INVALID_RECORD with the index of the record that is none. */
int record_survey(struct span records, int32_t count, struct record_survey *ret_survey,
                  int32_t *ret_index);

#endif
