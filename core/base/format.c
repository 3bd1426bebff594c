/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/format.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/check.h"

/* UINT64_MAX in decimal. */
#define DIGITS_MAX 20

struct text {
    char *out;
    size_t capacity;
    size_t length; /* of the whole text, also of what did not fit */
};

/* One conversion: %[0][width][.*][h|hh|l|ll|z|j]letter */
struct conversion {
    bool zero_fill;
    size_t width;
    bool has_precision;
    size_t precision;
    enum { SIZE_INT, SIZE_LONG, SIZE_LONG_LONG, SIZE_SIZE, SIZE_MAX_INT } size;
    char letter;
};

static void text_put(struct text *text, const char *bytes, size_t length)
{
    if (text->length < text->capacity) {
        const size_t room = text->capacity - text->length;
        memcpy(text->out + text->length, bytes, length < room ? length : room);
    }
    text->length += length;
}

static void text_fill(struct text *text, char filler, size_t count)
{
    for (; count > 0; count--)
        text_put(text, &filler, 1);
}

static uint64_t take_unsigned(const struct conversion *conversion, va_list *arguments)
{
    switch (conversion->size) {
    case SIZE_INT:
        return va_arg(*arguments, unsigned);
    case SIZE_LONG:
        return va_arg(*arguments, unsigned long);
    case SIZE_LONG_LONG:
        return va_arg(*arguments, unsigned long long);
    case SIZE_SIZE:
        return va_arg(*arguments, size_t);
    case SIZE_MAX_INT:
        return va_arg(*arguments, uintmax_t);
    }
    abort();
}

static int64_t take_signed(const struct conversion *conversion, va_list *arguments)
{
    switch (conversion->size) {
    case SIZE_INT:
        return va_arg(*arguments, int);
    case SIZE_LONG:
        return va_arg(*arguments, long);
    case SIZE_LONG_LONG:
        return va_arg(*arguments, long long);
    case SIZE_SIZE:
        return va_arg(*arguments, ptrdiff_t);
    case SIZE_MAX_INT:
        return va_arg(*arguments, intmax_t);
    }
    abort();
}

static void put_number(struct text *text, const struct conversion *conversion, bool negative,
                       uint64_t value)
{
    const char *digits = conversion->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    const unsigned base = conversion->letter == 'x' || conversion->letter == 'X' ? 16 : 10;
    char reversed[DIGITS_MAX];
    size_t count = 0;

    do {
        reversed[count++] = digits[value % base];
        value /= base;
    } while (value > 0);
    const size_t taken = count + (negative ? 1 : 0);
    const size_t fill = conversion->width > taken ? conversion->width - taken : 0;
    if (!conversion->zero_fill)
        text_fill(text, ' ', fill);
    if (negative)
        text_put(text, "-", 1);
    if (conversion->zero_fill)
        text_fill(text, '0', fill);
    while (count > 0)
        text_put(text, &reversed[--count], 1);
}

static void put_string(struct text *text, const struct conversion *conversion, const char *string)
{
    size_t length = 0;

    if (!conversion->has_precision)
        length = strlen(string);
    else
        /* A span's bytes have no terminator; its length is exact. */
        while (length < conversion->precision && string[length] != '\0')
            length++;
    if (conversion->width > length)
        text_fill(text, ' ', conversion->width - length);
    if (length > 0)
        text_put(text, string, length);
}

static void put_conversion(struct text *text, const struct conversion *conversion,
                           va_list *arguments)
{
    switch (conversion->letter) {
    case 's':
        put_string(text, conversion, va_arg(*arguments, const char *));
        return;
    case 'c': {
        const char letter = (char)va_arg(*arguments, int);
        text_put(text, &letter, 1);
        return;
    }
    case '%':
        text_put(text, "%", 1);
        return;
    case 'd': {
        const int64_t value = take_signed(conversion, arguments);
        put_number(text, conversion, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value);
        return;
    }
    case 'u':
    case 'x':
    case 'X':
        put_number(text, conversion, false, take_unsigned(conversion, arguments));
        return;
    default:
        abort();
    }
}

/* Reads the size letters; returns what follows them. h and hh come as int anyway. */
static const char *read_size(const char *format, struct conversion *conversion)
{
    while (*format == 'h')
        format++;
    if (*format == 'l') {
        format++;
        conversion->size = SIZE_LONG;
        if (*format == 'l') {
            format++;
            conversion->size = SIZE_LONG_LONG;
        }
    } else if (*format == 'z') {
        format++;
        conversion->size = SIZE_SIZE;
    } else if (*format == 'j') {
        format++;
        conversion->size = SIZE_MAX_INT;
    }
    return format;
}

/* Reads one conversion from behind its '%'; returns what follows it. */
static const char *read_conversion(const char *format, va_list *arguments,
                                   struct conversion *ret_conversion)
{
    struct conversion conversion = {.size = SIZE_INT};

    if (*format == '0') {
        conversion.zero_fill = true;
        format++;
    }
    for (; *format >= '0' && *format <= '9'; format++)
        conversion.width = conversion.width * 10 + (size_t)(*format - '0');
    if (*format == '.') {
        CHECK(format[1] == '*');
        const int precision = va_arg(*arguments, int);
        conversion.has_precision = precision >= 0;
        conversion.precision = precision >= 0 ? (size_t)precision : 0;
        format += 2;
    }
    format = read_size(format, &conversion);
    conversion.letter = *format;
    *ret_conversion = conversion;
    return format + 1;
}

size_t format_text_v(char *out, size_t capacity, const char *format, va_list arguments)
{
    struct text text = {.out = out, .capacity = capacity > 0 ? capacity - 1 : 0};
    va_list taken;

    va_copy(taken, arguments);
    while (*format != '\0') {
        size_t plain = 0;
        while (format[plain] != '\0' && format[plain] != '%')
            plain++;
        text_put(&text, format, plain);
        format += plain;
        if (*format == '%') {
            struct conversion conversion;
            format = read_conversion(format + 1, &taken, &conversion);
            put_conversion(&text, &conversion, &taken);
        }
    }
    va_end(taken);
    if (capacity > 0)
        out[text.length < text.capacity ? text.length : text.capacity] = '\0';
    return text.length;
}

size_t format_text(char *out, size_t capacity, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const size_t length = format_text_v(out, capacity, format, arguments);
    va_end(arguments);
    return length;
}

int parse_int64(struct span text, int64_t *ret_value)
{
    const bool negative = text.length > 0 && text.data[0] == '-';
    const uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;
    size_t at = negative ? 1 : 0;

    if (at == text.length)
        return -1;
    for (; at < text.length; at++) {
        if (text.data[at] < '0' || text.data[at] > '9')
            return -1;
        const uint64_t digit = (uint64_t)(text.data[at] - '0');
        if (value > (limit - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}
