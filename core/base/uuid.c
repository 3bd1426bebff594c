/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/uuid.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Bit number `at` of an id, the first being the highest of its first byte; 0 beyond the end. */
static unsigned uuid_bit(const struct uuid *uuid, size_t at)
{
    return at < 8 * sizeof(uuid->bytes) ? uuid->bytes[at / 8] >> (7 - at % 8) & 1u : 0;
}

struct uuid_text uuid_text(struct uuid uuid)
{
    struct uuid_text text = {{0}};

    for (size_t i = 0; i < UUID_TEXT_LENGTH; i++) {
        unsigned digit = 0;
        for (size_t bit = 6 * i; bit < 6 * i + 6; bit++)
            digit = digit << 1 | uuid_bit(&uuid, bit);
        text.text[i] = alphabet[digit];
    }
    return text;
}

int uuid_parse(struct span text, struct uuid *ret_uuid)
{
    struct uuid uuid = {{0}};

    if (text.length != UUID_TEXT_LENGTH)
        return -1;
    for (size_t i = 0; i < UUID_TEXT_LENGTH; i++) {
        const char *digit = memchr(alphabet, text.data[i], sizeof(alphabet) - 1);
        if (digit == NULL)
            return -1;
        for (size_t bit = 0; bit < 6; bit++) {
            const size_t at = 6 * i + bit;
            const unsigned value = (unsigned)(digit - alphabet) >> (5 - bit) & 1u;
            if (at < 8 * sizeof(uuid.bytes))
                uuid.bytes[at / 8] |= (uint8_t)(value << (7 - at % 8));
            else if (value != 0)
                return -1; /* the last digit has four bits too many */
        }
    }
    *ret_uuid = uuid;
    return 0;
}
