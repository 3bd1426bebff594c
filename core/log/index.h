/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sparse indexes of one segment, in the very bytes of Kafka's files: .index has a relative
 * offset and a file position in each entry, .timeindex a timestamp and a relative offset. Offsets
 * are those of the last record of a batch.
 */
#ifndef CORE_LOG_INDEX_H
#define CORE_LOG_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/span.h"
#include "core/records/batch.h"

#define OFFSET_ENTRY_BYTES 8
#define TIME_ENTRY_BYTES   12

/* Entries of one file, one after another. */
struct index_entries {
    uint8_t *bytes;
    uint32_t count;
    uint32_t capacity;
};

struct index {
    struct memory *memory;
    int64_t base_offset; /* of the segment */
    struct index_entries offsets;
    struct index_entries times;
    uint64_t bytes_since_entry;   /* of batches since the last entry */
    int64_t max_timestamp_ms;     /* of all batches; BATCH_NO_TIMESTAMP when there is none */
    int64_t max_timestamp_offset; /* the last offset of the first batch that has it */
};

struct index_settings {
    uint64_t interval_bytes; /* index.interval.bytes */
    uint64_t limit_bytes;    /* segment.index.bytes, of each file */
};

void index_init(struct index *index, struct memory *memory, int64_t base_offset);
void index_free(struct index *index);

/* Notes the batch at `position` of the segment's file; its offsets are those in the log. An entry
 * is made when more than the interval's bytes came since the last one. */
void index_append(struct index *index, const struct index_settings *settings,
                  const struct batch_info *info, uint32_t position);

/* True when a file has no room for another entry beside the last one: time to roll. */
bool index_is_full(const struct index *index, const struct index_settings *settings);

/* Before the segment is closed or rolled: the latest time gets an entry if it has none yet. */
void index_finish(struct index *index);

/* The position of a batch at or before the one that holds `offset`; 0 when no entry helps. */
uint32_t index_position(const struct index *index, int64_t offset);

/* An offset such that no record before it has a time ≥ `timestamp_ms`: where to begin looking. */
int64_t index_offset_by_time(const struct index *index, int64_t timestamp_ms);

/* Drops entries at or beyond `end_offset`. The latest time is then that of the last entry left;
 * batches after index_position(end_offset) are to be noted again by index_note_time(). */
void index_truncate(struct index *index, int64_t end_offset);

/* Notes only the latest time of a batch, for one that was found again after loading. */
void index_note_time(struct index *index, const struct batch_info *info);

/* The files' bytes, borrowed until the next change. */
struct span index_offset_bytes(const struct index *index);
struct span index_time_bytes(const struct index *index);

/* Takes over both files' bytes for a segment of `segment_bytes`, into an initialised, empty index.
 * Zeros at the end, which Kafka leaves after a crash, are ignored. ERR_MALFORMED when entries do
 * not rise, or point beyond the segment: it has to be built anew; the index is then empty. */
int index_load(struct index *index, struct span offset_bytes, struct span time_bytes,
               uint64_t segment_bytes);

#endif
