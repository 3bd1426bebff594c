/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots of the metadata image: files OFFSET-EPOCH.checkpoint beside the segments of the
 * metadata log, in Kafka's format: record batches, of which the first holds a header and the last a
 * footer. OFFSET is the first one that the snapshot does not contain, EPOCH that of the last in it.
 */
#ifndef CORE_META_SNAPSHOT_H
#define CORE_META_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/meta/image.h"

struct snapshot_id {
    int64_t offset;
    int32_t epoch;
};

/* "00000000000000000042-0000000003.checkpoint", terminated. */
#define SNAPSHOT_NAME_BYTES 43

/* Behind the name while the snapshot is being written. */
#define SNAPSHOT_PART_SUFFIX ".part"

void snapshot_name(struct snapshot_id id, char out[SNAPSHOT_NAME_BYTES]);

/* False for any other name. */
bool snapshot_parse_name(struct span name, struct snapshot_id *ret_id);

/* The snapshots of one folder, the oldest first. */
struct snapshot_ids {
    struct snapshot_id *items;
    uint32_t count;
    uint32_t capacity;
};

void snapshot_ids_free(struct snapshot_ids *ids, struct memory *memory);

/* Adds one at its place; a no-op when it is there. */
void snapshot_ids_add(struct snapshot_ids *ids, struct memory *memory, struct snapshot_id id);

/* Takes out the one at `index`. */
void snapshot_ids_remove(struct snapshot_ids *ids, uint32_t index);

/* All batches of a snapshot of `image` taken now, with the value of the voters record that counts
 * there (null: none): *ret_length bytes in a block of MEMORY_STATE of
 * *ret_capacity that is the caller's. */
uint8_t *snapshot_save(const struct image *image, struct span voters, int64_t wall_ms,
                       uint32_t *ret_length, uint32_t *ret_capacity);

/* True when the snapshot `id` begins with a header and ends with a footer, and every checksum,
 * offset and epoch between them is right: anything else is torn. */
bool snapshot_is_whole(struct span bytes, struct snapshot_id id);

/* Fills an empty image from a whole snapshot. On failure *ret_position is where in `bytes` the
 * batch begins that cannot be applied; see image_apply_batch() for the errors. */
int snapshot_restore(struct span bytes, struct snapshot_id id, struct image *image,
                     uint64_t *ret_position);

/* The value of the voters record in a whole snapshot, borrowed from it; null when it has none. */
struct span snapshot_voters(struct span bytes);

#endif
