/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/java_hash.h"

#define REPLACEMENT 0xfffdu

/* The bytes of the character that begins with `first`; 0: none does. */
static size_t character_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Reads one character at `at`; returns how many bytes it was. */
static size_t character_read(struct span text, size_t at, uint32_t *ret_character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = text.data + at;
    const size_t length = character_length(bytes[0]);
    *ret_character = REPLACEMENT;
    if (length == 0 || length > text.length - at)
        return 1;
    uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 1;
        character = character << 6 | (bytes[i] & 0x3fu);
    }
    if (character < least[length] || character > 0x10ffff ||
        (character >= 0xd800 && character < 0xe000))
        return 1;
    *ret_character = character;
    return length;
}

int32_t java_hash(struct span text)
{
    uint32_t hash = 0;
    for (size_t at = 0; at < text.length;) {
        uint32_t character;
        at += character_read(text, at, &character);
        if (character >= 0x10000) {
            hash = hash * 31 + (0xd800u + ((character - 0x10000) >> 10));
            character = 0xdc00u + ((character - 0x10000) & 0x3ffu);
        }
        hash = hash * 31 + character;
    }
    return (int32_t)hash;
}
