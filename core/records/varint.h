/* SPDX-License-Identifier: Apache-2.0 */
/* Zig-zag variable-length integers, as records carry them: seven bits a byte, low bits first. */
#ifndef CORE_RECORDS_VARINT_H
#define CORE_RECORDS_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define VARINT_BYTES_MAX  5
#define VARLONG_BYTES_MAX 10

static inline int64_t varint_from_zigzag(uint64_t raw)
{
    return (int64_t)((raw >> 1) ^ (0 - (raw & 1)));
}

static inline uint64_t varint_to_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

/* Reads an integer of up to ten bytes at `at`; returns what follows it, or NULL when it does not
 * end before `end` or does not fit 64 bits. */
static inline const uint8_t *varlong_read(const uint8_t *at, const uint8_t *end, int64_t *ret_value)
{
    uint64_t raw = 0;

    for (unsigned shift = 0; at < end; shift += 7) {
        const uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return NULL;
        raw |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = varint_from_zigzag(raw);
            return at;
        }
    }
    return NULL;
}

/* The same for up to five bytes and 32 bits. */
static inline const uint8_t *varint_read(const uint8_t *at, const uint8_t *end, int32_t *ret_value)
{
    uint32_t raw = 0;

    for (unsigned shift = 0; at < end; shift += 7) {
        const uint8_t byte = *at++;
        if (shift == 28 && byte > 0x0f)
            return NULL;
        raw |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = (int32_t)varint_from_zigzag(raw);
            return at;
        }
    }
    return NULL;
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
