/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/lines.h"

#include <stdarg.h>

#include "core/base/check.h"
#include "core/base/format.h"

/* The longest piece that text_write() is asked for: a topic's name and two numbers. */
#define PIECE_BYTES_MAX 512

void text_write(struct text_writer *writer, const char *format, ...)
{
    char piece[PIECE_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    const size_t length = format_text_v(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    CHECK(length < sizeof(piece));
    if (writer->length < writer->capacity) {
        const size_t room = writer->capacity - writer->length;
        memcpy(writer->out + writer->length, piece, length < room ? length : room);
    }
    writer->length += length;
}

/* Takes what stands before `separator` off `text`, and the separator. */
static int take_until(struct span *text, char separator, struct span *ret_part)
{
    const uint8_t *end = text->length == 0 ? NULL : memchr(text->data, separator, text->length);

    if (end == NULL)
        return -1;
    const size_t length = (size_t)(end - text->data);
    *ret_part = span_of(text->data, length);
    *text = span_of(end + 1, text->length - length - 1);
    return 0;
}

int line_take(struct span *text, struct span *ret_line)
{
    return take_until(text, '\n', ret_line);
}

/* Reads a number that has neither needless zeros nor the minus of a zero. */
static int number_read(struct span text, int64_t least, int64_t most, int64_t *ret_value)
{
    char canonical[24];
    int64_t value;

    if (parse_int64(text, &value) != 0 || value < least || value > most)
        return -1;
    const size_t length = format_text(canonical, sizeof(canonical), "%jd", (intmax_t)value);
    if (!span_equal(text, span_of(canonical, length)))
        return -1;
    *ret_value = value;
    return 0;
}

int line_take_number(struct span *text, int64_t least, int64_t most, int64_t *ret_value)
{
    struct span line;

    if (line_take(text, &line) != 0)
        return -1;
    return number_read(line, least, most, ret_value);
}

int word_take(struct span *line, struct span *ret_word)
{
    struct span word;

    if (take_until(line, ' ', &word) != 0) {
        word = *line;
        *line = SPAN_NULL;
    }
    if (word.length == 0)
        return -1;
    *ret_word = word;
    return 0;
}

int number_take(struct span *line, int64_t least, int64_t most, int64_t *ret_value)
{
    struct span word;

    if (word_take(line, &word) != 0)
        return -1;
    return number_read(word, least, most, ret_value);
}
