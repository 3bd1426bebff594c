/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plain.h"

/* How many bytes the control character takes that `text` begins with; 0: it begins with none. */
static size_t control_length(const uint8_t *text, size_t length)
{
    if (text[0] < ' ' || text[0] == 0x7f)
        return 1;
    return length > 1 && text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0 ? 2 : 0;
}

void plain_make(char *text, size_t length)
{
    size_t left = 0; /* of the control character */
    for (size_t i = 0; i < length; i++) {
        if (left == 0)
            left = control_length((const uint8_t *)text + i, length - i);
        if (left > 0) {
            text[i] = '?';
            left--;
        }
    }
}

void plain_print(FILE *out, struct span text)
{
    size_t left = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (left == 0)
            left = control_length(text.data + i, text.length - i);
        fputc(left > 0 ? '?' : text.data[i], out);
        left -= left > 0;
    }
}
