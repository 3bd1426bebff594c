/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one partition remembers of its idempotent producers (KIP-98): their epoch and last five
 * batches, by which a batch sent again is known and a gap is refused; and the file
 * OFFSET.snapshot that keeps these, in Kafka's format: an entry for each batch, of which Kafka,
 * which writes one for each producer, takes the last.
 */
#ifndef CORE_LOG_PRODUCERS_H
#define CORE_LOG_PRODUCERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/span.h"
#include "core/records/batch.h"

/* An idempotent producer has at most as many requests in flight. */
#define PRODUCER_BATCHES_MAX 5

/* Producers that a partition remembers; beyond it, the one that wrote least recently is forgotten.
 */
#define PRODUCERS_MAX 65536

/* A batch that was appended. */
struct producer_batch {
    int32_t last_sequence;
    int32_t offset_delta; /* last offset minus base offset, and so with the sequences */
    int64_t last_offset;
    int64_t timestamp_ms; /* its latest */
};

struct producers {
    struct memory *memory;
    struct map by_id;
    struct list by_age; /* least recently written first */
};

void producers_init(struct producers *producers, struct memory *memory, uint64_t seed);

/* Forgets all producers; the memory is given back, the state may be used again. */
void producers_clear(struct producers *producers);

uint32_t producers_count(const struct producers *producers);

/* Judges a batch from a client that carries a producer id. ERR_NONE: it may be appended.
 * ERR_DUPLICATE_SEQUENCE_NUMBER: it was appended before, `ret_original` says as what.
 * ERR_OUT_OF_ORDER_SEQUENCE_NUMBER: a gap, or a new epoch that does not begin at 0.
 * ERR_INVALID_PRODUCER_EPOCH: a newer instance of the producer has written. A producer that is not
 * known (any more) may begin at any sequence. */
int producers_check(const struct producers *producers, const struct batch_info *info,
                    struct producer_batch *ret_original);

/* Notes a batch that was appended at the offsets in `info`, from a client, another replica or the
 * log's own files, at `now_ms` by the wall clock. A batch without producer id is ignored. */
void producers_update(struct producers *producers, const struct batch_info *info, int64_t now_ms);

/* Forgets producers of which nothing was noted for `expiration_ms` at `now_ms`: times of records
 * say nothing about that, for they may be of long ago. Returns the time at which the next one
 * expires, or INT64_MAX. */
int64_t producers_expire(struct producers *producers, int64_t now_ms, int64_t expiration_ms);

/* The bytes of the snapshot file, and the file itself at `out`. */
size_t producers_snapshot_size(const struct producers *producers);
void producers_snapshot_write(const struct producers *producers, uint8_t *out);

/* Takes over a snapshot file into initialised, empty producers, as noted at `now_ms`.
 * ERR_MALFORMED for a wrong version, checksum, length or value; the producers are then empty. */
int producers_snapshot_read(struct producers *producers, struct span bytes, int64_t now_ms);

#endif
