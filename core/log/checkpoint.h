/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's small text files of a data folder: recovery-point-offset-checkpoint and
 * log-start-offset-checkpoint (a version line, a count line, then "TOPIC PARTITION OFFSET" lines),
 * and partition.metadata, which names the topic's id.
 */
#ifndef CORE_LOG_CHECKPOINT_H
#define CORE_LOG_CHECKPOINT_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/log/lines.h"

/* Begins a file with `count` entries in `capacity` bytes at `out` (NULL and 0: only to measure). */
void checkpoint_write_head(struct text_writer *writer, uint8_t *out, size_t capacity,
                           uint64_t count);

/* One entry: as many as the head said. The whole text is valid if writer->length ≤ capacity. */
void checkpoint_write_entry(struct text_writer *writer, struct span topic, int32_t partition,
                            int64_t offset);

struct checkpoint_entry {
    struct span topic;
    int32_t partition;
    int64_t offset;
};

/* Reads a whole file; entries come from `arena`, their names borrow from `text`. ERR_MALFORMED for
 * anything that the writer above would not write, ERR_ARENA_FULL when the arena has no room. */
int checkpoint_read(struct span text, struct arena *arena, struct checkpoint_entry **ret_entries,
                    uint32_t *ret_count);

/* The bytes that partition.metadata has. */
#define PARTITION_METADATA_BYTES 44

void partition_metadata_write(struct uuid topic_id, uint8_t out[PARTITION_METADATA_BYTES]);

/* Reads partition.metadata. ERR_MALFORMED for anything else than version 0 with an id. */
int partition_metadata_read(struct span text, struct uuid *ret_topic_id);

#endif
