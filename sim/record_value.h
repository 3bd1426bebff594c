/* SPDX-License-Identifier: Apache-2.0 */
/* What simulated producers write into their records, so that judges know each one. */
#ifndef SIM_RECORD_VALUE_H
#define SIM_RECORD_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"

#define RECORD_VALUE_BYTES_LEAST 24

struct record_value {
    uint32_t client;
    uint32_t partition;
    uint64_t number;  /* one more with each record of the client to the partition */
    uint32_t session; /* of the producer: raised when it had to take a new producer id */
};

/* Fills `length` bytes, RECORD_VALUE_BYTES_LEAST or more; the rest follows from the value. */
void record_value_write(const struct record_value *value, uint8_t *out, size_t length);

/* Reads it back; false when these bytes are none, or not as they were written. */
bool record_value_read(struct span bytes, struct record_value *ret_value);

#endif
