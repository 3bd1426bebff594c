/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/mend.h"

#include "core/base/endian.h"
#include "core/records/batch.h"

void mend_batches(uint8_t *bytes, size_t length)
{
    while (length >= BATCH_HEADER_BYTES) {
        const uint64_t rest = get_be32(bytes + BATCH_AT_LENGTH);
        const uint64_t whole = BATCH_PREFIX_BYTES + rest;
        if (whole > length || whole < BATCH_HEADER_BYTES)
            return;
        put_be32(bytes + BATCH_AT_CRC, batch_checksum(bytes, (size_t)whole));
        bytes += whole;
        length -= (size_t)whole;
    }
}
