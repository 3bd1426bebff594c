/* SPDX-License-Identifier: Apache-2.0 */
/* Text without the C library's printf, which reads the locale and belongs to the world. */
#ifndef CORE_BASE_FORMAT_H
#define CORE_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/span.h"

/* For "%.*s": a span's length and bytes. */
#define SPAN_ARGS(span) (int)(span).length, (const char *)(span).data

/* Writes at most `capacity` bytes (always terminated when capacity > 0) and returns the length that
 * the whole text has. Knows %s %.*s %c %% and %d %u %x %X with h, l, ll, z and j, a zero flag and a
 * width; PRId64 and its kin therefore work. Anything else is a programming error and aborts. */
size_t format_text(char *out, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t format_text_v(char *out, size_t capacity, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Reads a whole decimal number, with an optional minus; returns 0, or -1 for anything else. */
int parse_int64(struct span text, int64_t *ret_value);

#endif
