/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/wire/codec.h"
#include "core/wire/scalar.h"

/* How much text is gathered before it is handed over. */
#define CHUNK_BYTES 256

#define DIGITS_MAX 19 /* of an INT64_MIN */

struct print {
    const struct wire_printer *printer;
    const struct wire_tables *tables;
    size_t length; /* of what is gathered */
    uint8_t chunk[CHUNK_BYTES];
};

static void print_struct(struct print *print, const struct wire_plan *plan, const uint8_t *object);

static void print_flush(struct print *print)
{
    if (print->length > 0)
        print->printer->print(print->printer->context, span_of(print->chunk, print->length));
    print->length = 0;
}

static void print_byte(struct print *print, char byte)
{
    if (print->length == CHUNK_BYTES)
        print_flush(print);
    print->chunk[print->length++] = (uint8_t)byte;
}

static void print_raw(struct print *print, const void *bytes, size_t length)
{
    while (length > 0) {
        if (print->length == CHUNK_BYTES)
            print_flush(print);
        const size_t room = CHUNK_BYTES - print->length;
        const size_t part = length < room ? length : room;
        memcpy(print->chunk + print->length, bytes, part);
        print->length += part;
        bytes = (const uint8_t *)bytes + part;
        length -= part;
    }
}

static void print_text(struct print *print, const char *text)
{
    print_raw(print, text, strlen(text));
}

/* Most of what is printed are numbers: they do not go through format_text(). */
static void print_int(struct print *print, int64_t value)
{
    char text[DIGITS_MAX + 1];
    size_t at = sizeof(text);
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        text[--at] = '-';
    print_raw(print, text + at, sizeof(text) - at);
}

/* How many bytes the UTF-8 sequence at the beginning of `text` has (RFC 3629); 0 if there is
 * none. */
static size_t utf8_length(struct span text)
{
    const uint8_t first = text.data[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t length = 0;

    if (first >= 0xc2 && first <= 0xdf)
        length = 2;
    else if ((first & 0xf0) == 0xe0)
        length = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        length = 4;
    if (length == 0 || length > text.length)
        return 0;
    if (first == 0xe0)
        low = 0xa0; /* below: what two bytes can say */
    else if (first == 0xed)
        high = 0x9f; /* above: surrogates */
    else if (first == 0xf0)
        low = 0x90; /* below: what three bytes can say */
    else if (first == 0xf4)
        high = 0x8f; /* above: beyond U+10FFFF */
    if (text.data[1] < low || text.data[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static void print_string(struct print *print, struct span text)
{
    char escape[8];

    print_byte(print, '"');
    while (text.length > 0) {
        const uint8_t byte = text.data[0];
        size_t length = byte < 0x80 ? 1 : utf8_length(text);
        if (length == 0) {
            print_text(print, "\\ufffd");
            length = 1;
        } else if (byte == '"' || byte == '\\') {
            print_byte(print, '\\');
            print_byte(print, (char)byte);
        } else if (byte < ' ' || byte == 0x7f) {
            format_text(escape, sizeof(escape), "\\u%04x", (unsigned)byte);
            print_text(print, escape);
        } else {
            print_raw(print, text.data, length);
        }
        text = span_of(text.data + length, text.length - length);
    }
    print_byte(print, '"');
}

/* Bytes that are not in memory (a split) count as cut. */
static void print_bytes(struct print *print, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    size_t shown = bytes.data == NULL ? 0 : bytes.length;

    if (shown > print->printer->bytes_max)
        shown = print->printer->bytes_max;
    print_byte(print, '"');
    for (size_t i = 0; i < shown; i++) {
        print_byte(print, digits[bytes.data[i] >> 4]);
        print_byte(print, digits[bytes.data[i] & 15]);
    }
    if (shown < bytes.length) {
        print_text(print, "... ");
        print_int(print, (int64_t)bytes.length);
        print_text(print, " bytes");
    }
    print_byte(print, '"');
}

/* 16 bytes are 22 digits of base64url (RFC 4648 section 5), without padding. */
static void print_uuid(struct print *print, const uint8_t *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned held = 0;

    print_byte(print, '"');
    for (size_t i = 0; i < sizeof(struct uuid); i++) {
        bits = (bits << 8) | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            print_byte(print, digits[(bits >> (held - 6)) & 63]);
    }
    print_byte(print, digits[(bits << (6 - held)) & 63]);
    print_byte(print, '"');
}

/* IEEE 754 binary64, in the notation of C's %a. */
static void print_float(struct print *print, const uint8_t *field)
{
    uint64_t bits = 0;

    memcpy(&bits, field, sizeof(bits));
    const int exponent = (int)((bits >> 52) & 0x7ff);
    const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    print_text(print, (bits >> 63) != 0 ? "\"-" : "\"");
    if (exponent == 0x7ff) {
        print_text(print, fraction != 0 ? "nan" : "inf");
    } else {
        char text[40];
        const int shown = exponent != 0 ? exponent - 1023 : fraction != 0 ? -1022 : 0;
        format_text(text, sizeof(text), "0x%d.%013llxp%c%d", exponent != 0,
                    (unsigned long long)fraction, shown < 0 ? '-' : '+',
                    shown < 0 ? -shown : shown);
        print_text(print, text);
    }
    print_byte(print, '"');
}

static void print_scalar(struct print *print, unsigned kind, const uint8_t *field)
{
    struct span span = SPAN_NULL;

    if (kind == WIRE_STRING || kind == WIRE_BYTES || kind == WIRE_RECORDS)
        memcpy(&span, field, sizeof(span));
    switch (kind) {
    case WIRE_BOOL:
        print_text(print, *(const bool *)field ? "true" : "false");
        break;
    case WIRE_INT8:
        print_int(print, *(const int8_t *)field);
        break;
    case WIRE_INT16:
        print_int(print, *(const int16_t *)(const void *)field);
        break;
    case WIRE_UINT16:
        print_int(print, *(const uint16_t *)(const void *)field);
        break;
    case WIRE_INT32:
        print_int(print, *(const int32_t *)(const void *)field);
        break;
    case WIRE_UINT32:
        print_int(print, *(const uint32_t *)(const void *)field);
        break;
    case WIRE_INT64:
        print_int(print, *(const int64_t *)(const void *)field);
        break;
    case WIRE_FLOAT64:
        print_float(print, field);
        break;
    case WIRE_UUID:
        print_uuid(print, field);
        break;
    default:
        if (span_is_null(span) && span.length == 0)
            print_text(print, "null");
        else if (kind == WIRE_STRING)
            print_string(print, span);
        else
            print_bytes(print, span);
    }
}

static void print_items(struct print *print, const struct wire_step *step, const uint8_t *field)
{
    const struct wire_plan *plan =
        step->kind == WIRE_ARRAY ? &print->tables->plans[step->child] : NULL;
    const size_t size =
        plan == NULL ? wire_scalar_size(step->child) : print->tables->shapes[plan->shape].size;
    const uint8_t *item = NULL;
    int32_t count = 0;

    memcpy(&item, field, sizeof(item));
    memcpy(&count, WIRE_COUNT_OFFSET(field), sizeof(count));
    if (count < 0) {
        print_text(print, "null");
        return;
    }
    print_byte(print, '[');
    for (int32_t i = 0; i < count; i++) {
        if (i > 0)
            print_byte(print, ',');
        if (plan == NULL)
            print_scalar(print, step->child, item);
        else
            print_struct(print, plan, item);
        item += size;
    }
    print_byte(print, ']');
}

static void print_field(struct print *print, const struct wire_step *step, const uint8_t *field)
{
    const uint8_t *object = field;

    switch (step->kind) {
    case WIRE_LIST:
    case WIRE_ARRAY:
        print_items(print, step, field);
        return;
    case WIRE_OPTIONAL:
        memcpy(&object, field, sizeof(object));
        if (object == NULL) {
            print_text(print, "null");
            return;
        }
        print_struct(print, &print->tables->plans[step->child], object);
        return;
    case WIRE_STRUCT:
        print_struct(print, &print->tables->plans[step->child], object);
        return;
    default:
        print_scalar(print, step->kind, field);
    }
}

static void print_struct(struct print *print, const struct wire_plan *plan, const uint8_t *object)
{
    const struct wire_step *step = &print->tables->steps[plan->first];

    print_byte(print, '{');
    for (unsigned i = 0; i < plan->count + plan->tagged_count; i++, step++) {
        if (i > 0)
            print_byte(print, ',');
        print_byte(print, '"');
        print_text(print, print->tables->names + step->name);
        print_text(print, "\":");
        print_field(print, step, object + step->offset);
    }
    print_byte(print, '}');
}

void wire_print(const struct wire_schema *schema, int16_t version, const void *message,
                const struct wire_printer *printer)
{
    struct print print = {.printer = printer, .tables = schema->tables};

    CHECK(version >= schema->version_min && version <= schema->version_max);
    print_struct(&print, wire_plan_of(schema, version), message);
    print_flush(&print);
}
