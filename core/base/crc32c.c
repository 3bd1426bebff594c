/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if HAVE_ISAL
#include <isa-l/crc.h>
#endif

/* Both ends of the sum are inverted (RFC 3720); in between, parts can be summed one by one. */
#define CRC_MASK UINT32_C(0xffffffff)

/* The sum is linear: an entry is the exclusive or of those of its set bits, 128 first. */
#define PART(i, bit, value) ((((i) >> (bit)) & 1) * UINT32_C(value))
#define ENTRY(i, b7, b6, b5, b4, b3, b2, b1, b0)                                         \
    PART(i, 7, b7) ^ PART(i, 6, b6) ^ PART(i, 5, b5) ^ PART(i, 4, b4) ^ PART(i, 3, b3) ^ \
        PART(i, 2, b2) ^ PART(i, 1, b1) ^ PART(i, 0, b0)
#define ENTRIES_4(i, ...)                                                            \
    ENTRY(i, __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__), ENTRY((i) + 2, __VA_ARGS__), \
        ENTRY((i) + 3, __VA_ARGS__)
#define ENTRIES_16(i, ...)                                                                       \
    ENTRIES_4(i, __VA_ARGS__), ENTRIES_4((i) + 4, __VA_ARGS__), ENTRIES_4((i) + 8, __VA_ARGS__), \
        ENTRIES_4((i) + 12, __VA_ARGS__)
#define ENTRIES_64(i, ...)                                         \
    ENTRIES_16(i, __VA_ARGS__), ENTRIES_16((i) + 16, __VA_ARGS__), \
        ENTRIES_16((i) + 32, __VA_ARGS__), ENTRIES_16((i) + 48, __VA_ARGS__)
#define ROW(...)                                                                               \
    {                                                                                          \
        ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__), \
            ENTRIES_64(192, __VA_ARGS__)                                                       \
    }

/* table[k][b]: what byte b adds when k bytes follow it (slicing by 8: Kounavis and Berry, 2005).
 * Written as powers of x modulo the reflected polynomial 0x82f63b78, one shift apart. */
static const uint32_t table[8][256] = {
    ROW(0x82f63b78, 0x417b1dbc, 0x20bd8ede, 0x105ec76f, 0x8ad958cf, 0xc79a971f, 0xe13b70f7,
        0xf26b8303),
    ROW(0xfbc3faf9, 0xff17c604, 0x7f8be302, 0x3fc5f181, 0x9d14c3b8, 0x4e8a61dc, 0x274530ee,
        0x13a29877),
    ROW(0x8b277743, 0xc76580d9, 0xe144fb14, 0x70a27d8a, 0x38513ec5, 0x9edea41a, 0x4f6f520d,
        0xa541927e),
    ROW(0x52a0c93f, 0xaba65fe7, 0xd725148b, 0xe964b13d, 0xf64463e6, 0x7b2231f3, 0xbf672381,
        0xdd45aab8),
    ROW(0x6ea2d55c, 0x37516aae, 0x1ba8b557, 0x8f2261d3, 0xc5670b91, 0xe045beb0, 0x7022df58,
        0x38116fac),
    ROW(0x1c08b7d6, 0x0e045beb, 0x85f4168d, 0xc00c303e, 0x6006181f, 0xb2f53777, 0xdb8ca0c3,
        0xef306b19),
    ROW(0xf56e0ef4, 0x7ab7077a, 0x3d5b83bd, 0x9c5bfaa6, 0x4e2dfd53, 0xa5e0c5d1, 0xd0065990,
        0x68032cc8),
    ROW(0x34019664, 0x1a00cb32, 0x0d006599, 0x847609b4, 0x423b04da, 0x211d826d, 0x9278fa4e,
        0x493c7d27),
};

static uint32_t load_little_endian(const uint8_t *at)
{
    return at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *at = data;

    crc ^= CRC_MASK;
    for (; length >= 8; at += 8, length -= 8) {
        const uint32_t low = crc ^ load_little_endian(at);
        const uint32_t high = load_little_endian(at + 4);
        crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^
              table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][(high >> 8) & 0xff] ^
              table[1][(high >> 16) & 0xff] ^ table[0][high >> 24];
    }
    for (; length > 0; at++, length--)
        crc = (crc >> 8) ^ table[0][(crc ^ *at) & 0xff];
    return crc ^ CRC_MASK;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

/* Below this many bytes the plain instruction beats ISA-L's folding, which has to warm up. */
#define ISAL_BYTES_MIN 256

/* What ISA-L takes at once: its length is an int. */
#define ISAL_BYTES_MAX ((size_t)1 << 30)

__attribute__((target("sse4.2"))) static uint32_t
crc32c_instruction(uint32_t crc, const uint8_t *at, size_t length)
{
    uint64_t sum = crc ^ CRC_MASK;

    for (; length >= 8; at += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        sum = _mm_crc32_u64(sum, word);
    }
    for (; length > 0; at++, length--)
        sum = _mm_crc32_u8((uint32_t)sum, *at);
    return (uint32_t)sum ^ CRC_MASK;
}

#if HAVE_ISAL
static uint32_t crc32c_isal(uint32_t crc, const uint8_t *at, size_t length)
{
    while (length > 0) {
        const size_t part = length < ISAL_BYTES_MAX ? length : ISAL_BYTES_MAX;
        /* ISA-L leaves the inversions to its caller, and only reads despite its prototype. */
        crc = ~crc32_iscsi((unsigned char *)(uintptr_t)at, (int)part, ~crc);
        at += part;
        length -= part;
    }
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t length)
{
    /* Reads a word that the compiler's own start-up code has filled: no state of ours. */
    if (!__builtin_cpu_supports("sse4.2"))
        return crc32c_portable(crc, data, length);
#if HAVE_ISAL
    if (length >= ISAL_BYTES_MIN)
        return crc32c_isal(crc, data, length);
#endif
    return crc32c_instruction(crc, data, length);
}

#else

uint32_t crc32c(uint32_t crc, const void *data, size_t length)
{
    return crc32c_portable(crc, data, length);
}

#endif
