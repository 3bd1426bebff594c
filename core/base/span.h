/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of bytes, and the text helpers that need one. */
#ifndef CORE_BASE_SPAN_H
#define CORE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes: never owned, never freed through the span. `data` NULL with `length` 0 is Kafka's
 * null; a non-NULL `data` with `length` 0 is the empty string or empty bytes. */
struct span {
    const uint8_t *data;
    size_t length;
};

/* A topic id, directory id or incarnation: 16 bytes in network order. */
struct uuid {
    uint8_t bytes[16];
};

#define SPAN_NULL ((struct span){NULL, 0})

/* A string literal as a span, without its terminator. */
#define SPAN(literal) ((struct span){(const uint8_t *)("" literal), sizeof(literal) - 1})

static inline struct span span_of(const void *data, size_t length)
{
    return (struct span){data, length};
}

static inline struct span span_text(const char *text)
{
    return (struct span){(const uint8_t *)text, text == NULL ? 0 : strlen(text)};
}

static inline bool span_is_null(struct span span)
{
    return span.data == NULL;
}

/* Equal in length and bytes; null equals empty. */
static inline bool span_equal(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Order by bytes, then by length: <0, 0, >0. */
static inline int span_compare(struct span a, struct span b)
{
    const size_t length = a.length < b.length ? a.length : b.length;
    const int order = length == 0 ? 0 : memcmp(a.data, b.data, length);
    if (order != 0)
        return order;
    return a.length < b.length ? -1 : a.length > b.length;
}

static inline bool uuid_equal(struct uuid a, struct uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static inline bool uuid_is_zero(struct uuid uuid)
{
    return uuid_equal(uuid, (struct uuid){{0}});
}

#endif
