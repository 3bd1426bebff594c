/* SPDX-License-Identifier: Apache-2.0 */
/* Batches for tests, made from records that are given as text. */
#ifndef TESTS_CORE_RECORDS_SAMPLE_H
#define TESTS_CORE_RECORDS_SAMPLE_H

#include "core/records/batch.h"
#include "core/records/codec.h"

/* The time of a sample's first record; each other is a millisecond later than the one before. */
#define SAMPLE_TIME_MS INT64_C(1700000000000)

#define SAMPLE_BYTES_MAX 4096

struct sample {
    uint8_t bytes[SAMPLE_BYTES_MAX];
    size_t length;
};

/* A batch with one record for each letter of `keys`: its key ('-': none), and the value "value". */
void sample_batch(struct sample *sample, const char *keys);

/* Overwrites a field of `size` bytes at `at`; the checksum fits again afterwards. */
void sample_put(struct sample *sample, size_t at, size_t size, int64_t value);

/* Makes `records` the records of the sample, with a new length and checksum. */
void sample_records(struct sample *sample, const void *records, size_t length);

/* The checksum fits again. */
void sample_sum(struct sample *sample);

/* Marks the sample as compressed with a codec that these codecs open: they give what they get,
 * refuse what begins with 0xff as malformed, and count their calls in `calls`. */
struct codecs sample_codecs(int *calls);

#endif
