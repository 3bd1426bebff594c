/* SPDX-License-Identifier: Apache-2.0 */
/* Zig-zag variable-length integers, as records carry them: seven bits a byte, low bits first. */
#ifndef CORE_RECORDS_VARINT_H
#define CORE_RECORDS_VARINT_H

#include <stddef.h>
#include <stdint.h>

static inline int64_t varint_from_zigzag(uint64_t raw)
{
    return (int64_t)((raw >> 1) ^ (0 - (raw & 1)));
}

static inline uint64_t varint_to_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

/* What follows reads an integer at `at`, and returns what comes after it, or NULL when it does not
 * end before `end` or does not fit its type. Nearly all have one or two bytes. */

/* The rest of the work for integers of more than two bytes: up to `bits` bits. */
const uint8_t *varint_read_long(const uint8_t *at, const uint8_t *end, unsigned bits,
                                int64_t *ret_value);

static inline const uint8_t *varint_read_bits(const uint8_t *at, const uint8_t *end, unsigned bits,
                                              int64_t *ret_value)
{
    if (at < end && at[0] < 0x80) {
        *ret_value = varint_from_zigzag(at[0]);
        return at + 1;
    }
    if (end - at >= 2 && at[1] < 0x80) {
        *ret_value = varint_from_zigzag((at[0] & 0x7fu) | (unsigned)at[1] << 7);
        return at + 2;
    }
    return varint_read_long(at, end, bits, ret_value);
}

static inline const uint8_t *varlong_read(const uint8_t *at, const uint8_t *end, int64_t *ret_value)
{
    return varint_read_bits(at, end, 64, ret_value);
}

static inline const uint8_t *varint_read(const uint8_t *at, const uint8_t *end, int32_t *ret_value)
{
    int64_t value;

    at = varint_read_bits(at, end, 32, &value);
    if (at != NULL)
        *ret_value = (int32_t)value;
    return at;
}

/* The bytes that `value` takes. */
static inline size_t varlong_size(int64_t value)
{
    size_t size = 1;

    for (uint64_t raw = varint_to_zigzag(value); raw >= 0x80; raw >>= 7)
        size++;
    return size;
}

/* Writes `value`; returns what follows it. */
static inline uint8_t *varlong_write(uint8_t *at, int64_t value)
{
    uint64_t raw = varint_to_zigzag(value);

    for (; raw >= 0x80; raw >>= 7)
        *at++ = (uint8_t)(raw | 0x80);
    *at++ = (uint8_t)raw;
    return at;
}

#endif
