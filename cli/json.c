/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/json.h"

/* The length of the UTF-8 sequence at the beginning of `text`; 0 when there is none (RFC 3629). */
static size_t utf8_length(struct span text)
{
    const uint8_t first = text.data[0];
    const size_t length = first < 0x80   ? 1
                          : first < 0xc2 ? 0
                          : first < 0xe0 ? 2
                          : first < 0xf0 ? 3
                          : first < 0xf5 ? 4
                                         : 0;
    if (length == 0 || length > text.length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
    }
    if (length == 3 &&
        ((first == 0xe0 && text.data[1] < 0xa0) || (first == 0xed && text.data[1] > 0x9f)))
        return 0;
    if (length == 4 &&
        ((first == 0xf0 && text.data[1] < 0x90) || (first == 0xf4 && text.data[1] > 0x8f)))
        return 0;
    return length;
}

bool json_is_text(struct span text)
{
    while (text.length > 0) {
        const size_t length = utf8_length(text);
        const uint8_t byte = text.data[0];
        if (length == 0 || byte == 0x7f ||
            (byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r'))
            return false;
        text = span_of(text.data + length, text.length - length);
    }
    return true;
}

void json_text(FILE *out, struct span text)
{
    if (span_is_null(text)) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    while (text.length > 0) {
        const size_t length = utf8_length(text);
        const uint8_t byte = text.data[0];
        if (length == 0)
            fputs("\\ufffd", out);
        else if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < ' ' || byte == 0x7f)
            fprintf(out, "\\u%04x", byte);
        else if (byte == 0xc2 && text.data[1] < 0xa0) /* C1: a terminal obeys these, too */
            fprintf(out, "\\u%04x", text.data[1]);
        else
            fwrite(text.data, 1, length, out);
        const size_t step = length == 0 ? 1 : length;
        text = span_of(text.data + step, text.length - step);
    }
    fputc('"', out);
}
