/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"

#include "core/base/endian.h"

/* '-' in the URL-safe base64 alphabet (RFC 4648 section 5). */
#define BASE64_MINUS 62

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        rng->state[i] = mixed ^ (mixed >> 31);
    }
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *state = rng->state;
    const uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    const uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

struct uuid rng_uuid(struct rng *rng)
{
    struct uuid uuid;

    /* The version bits alone keep it apart from the reserved ids. */
    do {
        put_be64(uuid.bytes, rng_next(rng));
        put_be64(uuid.bytes + 8, rng_next(rng));
    } while (uuid.bytes[0] >> 2 == BASE64_MINUS);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}
