/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes written as hexadecimal digits, with white space where it helps the reader. */
#ifndef TESTS_CORE_WIRE_HEX_H
#define TESTS_CORE_WIRE_HEX_H

#include <check.h>
#include <stdlib.h>

#include "core/base/span.h"

static inline struct span hex_read(const char *hex, uint8_t *bytes, size_t capacity)
{
    size_t length = 0;

    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        const char digits[3] = {hex[0], hex[1], '\0'};
        ck_assert_uint_lt(length, capacity);
        bytes[length++] = (uint8_t)strtoul(digits, NULL, 16);
        hex += 2;
    }
    return span_of(bytes, length);
}

#endif
