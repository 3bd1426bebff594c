/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian integers at any address, and little-endian ones for what is not Kafka's. */
#ifndef CORE_BASE_ENDIAN_H
#define CORE_BASE_ENDIAN_H

#include <stdint.h>

static inline uint16_t get_be16(const uint8_t *at)
{
    return (uint16_t)((at[0] << 8) | at[1]);
}

static inline uint32_t get_be32(const uint8_t *at)
{
    return ((uint32_t)get_be16(at) << 16) | get_be16(at + 2);
}

static inline uint64_t get_be64(const uint8_t *at)
{
    return ((uint64_t)get_be32(at) << 32) | get_be32(at + 4);
}

static inline void put_be16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put_be32(uint8_t *at, uint32_t value)
{
    put_be16(at, (uint16_t)(value >> 16));
    put_be16(at + 2, (uint16_t)value);
}

static inline void put_be64(uint8_t *at, uint64_t value)
{
    put_be32(at, (uint32_t)(value >> 32));
    put_be32(at + 4, (uint32_t)value);
}

static inline uint64_t get_le64(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

#endif
