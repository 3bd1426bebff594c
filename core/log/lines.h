/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's checkpoint files are lines of text: the parts that they have in common. */
#ifndef CORE_LOG_LINES_H
#define CORE_LOG_LINES_H

#include <stdint.h>

#include "core/base/span.h"

/* Text that may be longer than its room: `length` is that of the whole. */
struct text_writer {
    uint8_t *out;
    size_t capacity;
    size_t length;
};

/* Appends a formatted piece (core/base/format.h). */
void text_write(struct text_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the text up to the next line feed off `text`. 0, or -1 when there is no line feed. */
int line_take(struct span *text, struct span *ret_line);

/* Takes a whole line that is one number between `least` and `most`; 0, or -1. */
int line_take_number(struct span *text, int64_t least, int64_t most, int64_t *ret_value);

/* Takes a word off a line, up to the next space, which goes too, or to its end; 0, or -1 when the
 * word is empty. */
int word_take(struct span *line, struct span *ret_word);

/* The same for a number between `least` and `most`, written as we write it. */
int number_take(struct span *line, int64_t least, int64_t most, int64_t *ret_value);

#endif
