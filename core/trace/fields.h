/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and texts as a flight record has them. */
#ifndef CORE_TRACE_FIELDS_H
#define CORE_TRACE_FIELDS_H

#include "core/records/varint.h"

#include "core/base/span.h"

#define FIELD_NUMBER_BYTES_MAX 10

static inline size_t field_number_size(uint64_t number)
{
    return varlong_size((int64_t)number);
}

static inline size_t field_text_size(struct span text)
{
    return field_number_size(text.length) + text.length;
}

/* Both write at `at` and return what follows. */
static inline uint8_t *field_write_number(uint8_t *at, uint64_t number)
{
    return varlong_write(at, (int64_t)number);
}

static inline uint8_t *field_write_text(uint8_t *at, struct span text)
{
    at = field_write_number(at, text.length);
    if (text.length > 0)
        memcpy(at, text.data, text.length);
    return at + text.length;
}

/* Bytes that are read from the front. Once something did not fit, nothing more is read: numbers are
 * 0 and bytes are null, and what they are good for is asked at the end. */
struct fields {
    struct span rest;
    bool broken;
};

/* `length` bytes, borrowed. */
static inline struct span field_bytes(struct fields *fields, uint64_t length)
{
    fields->broken = fields->broken || length > fields->rest.length;
    if (fields->broken)
        return SPAN_NULL;
    const struct span bytes = span_of(fields->rest.data, (size_t)length);
    fields->rest = span_of(bytes.data + length, fields->rest.length - (size_t)length);
    return bytes;
}

static inline uint64_t field_number(struct fields *fields)
{
    int64_t number;
    if (fields->broken || fields->rest.length == 0) {
        fields->broken = true;
        return 0;
    }
    const uint8_t *end = fields->rest.data + fields->rest.length;
    const uint8_t *next = varlong_read(fields->rest.data, end, &number);
    fields->broken = next == NULL;
    if (fields->broken)
        return 0;
    fields->rest = span_of(next, (size_t)(end - next));
    return (uint64_t)number;
}

static inline uint64_t field_number_most(struct fields *fields, uint64_t most)
{
    const uint64_t number = field_number(fields);
    fields->broken = fields->broken || number > most;
    return fields->broken ? 0 : number;
}

static inline struct span field_text(struct fields *fields)
{
    return field_bytes(fields, field_number(fields));
}

#endif
