/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/properties.h"

#include <stdbool.h>
#include <stdlib.h>

/* The text that is left, and the logical line under way, in which escapes are still as written. */
struct reader {
    struct span rest;
    uint32_t line;  /* of the next byte */
    uint8_t *bytes; /* of the logical line, joined; room for the whole text */
    size_t length;
    uint32_t first_line; /* where the logical line begins */
};

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\f';
}

/* Takes the next line of the file off, without its end; false when there is none. */
static bool take_line(struct reader *reader, struct span *ret_line)
{
    const uint8_t *data = reader->rest.data;
    const size_t length = reader->rest.length;
    size_t end = 0;
    if (length == 0)
        return false;
    while (end < length && data[end] != '\n' && data[end] != '\r')
        end++;
    *ret_line = span_of(data, end);
    size_t next = end + (end < length);
    if (next < length && data[end] == '\r' && data[next] == '\n')
        next++;
    reader->rest = span_of(data + next, length - next);
    reader->line++;
    return true;
}

static struct span without_indent(struct span line)
{
    while (line.length > 0 && is_blank(line.data[0]))
        line = span_of(line.data + 1, line.length - 1);
    return line;
}

/* An odd number of backslashes at the end: the last one is for the line's end. */
static bool is_continued(struct span line)
{
    size_t backslashes = 0;
    while (backslashes < line.length && line.data[line.length - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

/* Nothing of a logical line yet: blank, a comment, or nothing but joined to the next. */
static bool is_nothing(struct span line)
{
    return line.length == 0 || line.data[0] == '#' || line.data[0] == '!' ||
           (line.length == 1 && line.data[0] == '\\');
}

/* Joins the next logical line; false at the end of the file. */
static bool take_logical_line(struct reader *reader)
{
    struct span line;
    do {
        reader->first_line = reader->line + 1;
        if (!take_line(reader, &line))
            return false;
        line = without_indent(line);
    } while (is_nothing(line));
    reader->length = 0;
    for (;;) {
        const bool continued = is_continued(line);
        const size_t length = line.length - continued;
        if (length > 0)
            memcpy(reader->bytes + reader->length, line.data, length);
        reader->length += length;
        if (!continued || !take_line(reader, &line))
            return true;
        line = without_indent(line);
    }
}

/* The key ends at the first blank, '=' or ':' that is not escaped. */
static size_t key_end(const struct reader *reader)
{
    size_t at = 0;
    while (at < reader->length) {
        const uint8_t byte = reader->bytes[at];
        if (is_blank(byte) || byte == '=' || byte == ':')
            return at;
        at += byte == '\\' ? 2 : 1;
    }
    return reader->length;
}

/* The value begins behind blanks, of which one may be '=' or ':'. */
static size_t value_start(const struct reader *reader, size_t at)
{
    bool separated = false;
    while (at < reader->length) {
        const uint8_t byte = reader->bytes[at];
        const bool separator = byte == '=' || byte == ':';
        if (!is_blank(byte) && (!separator || separated))
            break;
        separated = separated || separator;
        at++;
    }
    return at;
}

/* Reads XXXX of \uXXXX; -1 when it is not four hexadecimal digits. */
static int32_t read_unit(struct span text)
{
    int32_t unit = 0;
    if (text.length < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t byte = text.data[i];
        if (byte >= '0' && byte <= '9')
            unit = unit * 16 + byte - '0';
        else if (byte >= 'a' && byte <= 'f')
            unit = unit * 16 + byte - 'a' + 10;
        else if (byte >= 'A' && byte <= 'F')
            unit = unit * 16 + byte - 'A' + 10;
        else
            return -1;
    }
    return unit;
}

/* Writes a code point as UTF-8 (RFC 3629), in at most four bytes. */
static size_t put_utf8(uint8_t *out, uint32_t point)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/* Reads what follows "\u" and writes it to `out`. Returns how many bytes were read, 0 when they are
 * no character. */
static size_t unescape_unit(struct span text, uint8_t *out, size_t *length)
{
    const int32_t first = read_unit(text);
    if (first <= 0 || (first >= 0xdc00 && first <= 0xdfff))
        return 0;
    if (first < 0xd800 || first > 0xdbff) {
        *length += put_utf8(out + *length, (uint32_t)first);
        return 4;
    }
    /* Beyond the first 65,536 characters two units make one (RFC 2781). */
    if (text.length < 10 || text.data[4] != '\\' || text.data[5] != 'u')
        return 0;
    const int32_t second = read_unit(span_of(text.data + 6, text.length - 6));
    if (second < 0xdc00 || second > 0xdfff)
        return 0;
    const uint32_t point =
        0x10000 + ((uint32_t)(first - 0xd800) << 10 | (uint32_t)(second - 0xdc00));
    *length += put_utf8(out + *length, point);
    return 10;
}

/* Undoes the escapes of `text` in place, since what they stand for is never longer. */
static const char *unescape(uint8_t *text, size_t *length)
{
    size_t out = 0;
    for (size_t at = 0; at < *length;) {
        if (text[at] == '\0')
            return "there is a zero byte: this is no file of settings";
        if (text[at] != '\\') {
            text[out++] = text[at++];
            continue;
        }
        at++;
        if (at == *length)
            break;
        const uint8_t byte = text[at++];
        if (byte == 'u') {
            const size_t read = unescape_unit(span_of(text + at, *length - at), text, &out);
            if (read == 0)
                return "\\u is not followed by the four hexadecimal digits of a character; for a "
                       "backslash write two";
            at += read;
            continue;
        }
        text[out++] = byte == 't'   ? '\t'
                      : byte == 'n' ? '\n'
                      : byte == 'r' ? '\r'
                      : byte == 'f' ? '\f'
                                    : byte;
    }
    *length = out;
    return NULL;
}

static const char *give_setting(struct reader *reader, properties_setting *setting, void *context)
{
    size_t key_length = key_end(reader);
    const size_t start = value_start(reader, key_length);
    size_t value_length = reader->length - start;
    const char *wrong = unescape(reader->bytes, &key_length);
    if (wrong == NULL)
        wrong = unescape(reader->bytes + start, &value_length);
    if (wrong == NULL && key_length == 0)
        wrong = "there is no key before the '=' or ':'";
    if (wrong == NULL)
        setting(context, reader->first_line, span_of(reader->bytes, key_length),
                span_of(reader->bytes + start, value_length));
    return wrong;
}

const char *properties_read(struct span text, properties_setting *setting, void *context,
                            uint32_t *ret_line)
{
    struct reader reader = {.rest = text};
    const char *wrong = NULL;
    if (text.length > PROPERTIES_FILE_BYTES_MAX) {
        *ret_line = 1;
        return "the file is longer than 1 MiB: this is no file of settings";
    }
    reader.bytes = malloc(text.length + 1);
    if (reader.bytes == NULL) {
        *ret_line = 1;
        return "out of memory";
    }
    while (wrong == NULL && take_logical_line(&reader))
        wrong = give_setting(&reader, setting, context);
    if (wrong != NULL)
        *ret_line = reader.first_line;
    free(reader.bytes);
    return wrong;
}
