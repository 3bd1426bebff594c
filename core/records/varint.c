/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records/varint.h"

const uint8_t *varint_read_long(const uint8_t *at, const uint8_t *end, unsigned bits,
                                int64_t *ret_value)
{
    uint64_t raw = 0;

    for (unsigned shift = 0; at < end && shift < bits; shift += 7) {
        const uint8_t byte = *at++;
        /* What the last byte may still add: 4 of 32 bits, or 1 of 64. */
        if (bits - shift < 7 && byte >> (bits - shift) != 0)
            return NULL;
        raw |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = varint_from_zigzag(raw);
            return at;
        }
    }
    return NULL;
}
