/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/record_value.h"

#include "core/base/check.h"
#include "core/base/endian.h"

#define MARK 0x73696d31 /* "sim1" */

static uint8_t filler(const struct record_value *value, size_t at)
{
    return (uint8_t)(value->number * 31 + value->client * 7 + at);
}

void record_value_write(const struct record_value *value, uint8_t *out, size_t length)
{
    CHECK(length >= RECORD_VALUE_BYTES_LEAST);
    put_be32(out, MARK);
    put_be32(out + 4, value->client);
    put_be32(out + 8, value->partition);
    put_be64(out + 12, value->number);
    put_be32(out + 20, value->session);
    for (size_t at = RECORD_VALUE_BYTES_LEAST; at < length; at++)
        out[at] = filler(value, at);
}

bool record_value_read(struct span bytes, struct record_value *ret_value)
{
    if (bytes.length < RECORD_VALUE_BYTES_LEAST || get_be32(bytes.data) != MARK)
        return false;
    const struct record_value value = {.client = get_be32(bytes.data + 4),
                                       .partition = get_be32(bytes.data + 8),
                                       .number = get_be64(bytes.data + 12),
                                       .session = get_be32(bytes.data + 20)};
    for (size_t at = RECORD_VALUE_BYTES_LEAST; at < bytes.length; at++) {
        if (bytes.data[at] != filler(&value, at))
            return false;
    }
    *ret_value = value;
    return true;
}
