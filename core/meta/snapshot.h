/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots of the metadata image: files OFFSET-EPOCH.checkpoint beside the segments of the
 * metadata log, in Kafka's format: record batches, of which the first holds a header and the last a
 * footer. OFFSET is the first one that the snapshot does not contain, EPOCH that of the last one in
 * it.
 *
 * A snapshot is written under another name, synced, renamed and its folder synced; one that is torn
 * all the same (its footer is missing or a checksum is wrong) is passed over for the one before.
 */
#ifndef CORE_META_SNAPSHOT_H
#define CORE_META_SNAPSHOT_H

#include <stdint.h>

#include "core/io.h"
#include "core/meta/image.h"

/* A larger file is not read: no image within the limits of core/meta/image.h needs it. */
#define SNAPSHOT_BYTES_MAX ((uint64_t)1024 * 1024 * 1024)

/* The newest ones that are kept: the second is there for the day on which the first is torn. */
#define SNAPSHOTS_KEPT 2

struct snapshot_id {
    int64_t offset;
    int32_t epoch;
};

/* "00000000000000000042-0000000003.checkpoint"; false for any other name. */
bool snapshot_parse_name(struct span name, struct snapshot_id *ret_id);

/* All batches of a snapshot of `image` taken now, in one block of MEMORY_STATE that the caller
 * gives back: *ret_block of *ret_length bytes. */
void snapshot_save(const struct image *image, int64_t wall_ms, uint8_t **ret_block,
                   size_t *ret_length);

/* True when `bytes` begins with a header, ends with a footer, and every checksum between is right.
 */
bool snapshot_is_whole(struct span bytes);

/* Fills an empty image from a whole snapshot. On failure *ret_place is the byte at which the batch
 * begins that could not be applied. */
int snapshot_restore(struct span bytes, const struct snapshot_id *id, struct image *image,
                     uint64_t *ret_place);

#endif
