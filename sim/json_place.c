/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/json_place.h"

#include "core/base/check.h"

void json_place_enter(struct json_place *place, uint32_t step)
{
    CHECK(place->depth < JSON_PLACE_DEPTH_MAX);
    place->steps[place->depth++] = step;
}

void json_place_leave(struct json_place *place)
{
    CHECK(place->depth > 0);
    place->depth--;
}

static char at(struct span text, size_t offset)
{
    return offset < text.length ? (char)text.data[offset] : '\0';
}

static size_t after_blanks(struct span text, size_t offset)
{
    while (offset < text.length && strchr(" \t\r\n", at(text, offset)) != NULL)
        offset++;
    return offset;
}

static size_t after_string(struct span text, size_t offset)
{
    for (offset++; offset < text.length && at(text, offset) != '"'; offset++) {
        if (at(text, offset) == '\\')
            offset++;
    }
    return offset + 1;
}

/* Past the value that begins at `offset`. */
static size_t after_value(struct span text, size_t offset)
{
    uint32_t depth = 0;
    while (offset < text.length) {
        const char here = at(text, offset);
        if (here == '"') {
            offset = after_string(text, offset);
        } else if (here == '[' || here == '{') {
            depth++;
            offset++;
        } else if (depth == 0 && strchr(",]} \t\r\n", here) != NULL) {
            return offset;
        } else {
            depth -= here == ']' || here == '}';
            offset++;
        }
        if (depth == 0 && (here == '"' || here == ']' || here == '}'))
            return offset;
    }
    return offset;
}

/* The beginning of member or item number `step` of the value at `offset`; of a member its key, or
 * else its value. */
static size_t find_step(struct span text, size_t offset, uint32_t step, bool is_key)
{
    const bool is_object = at(text, offset) == '{';
    offset = after_blanks(text, offset + 1);
    for (;; step--) {
        const size_t key = offset;
        if (is_object) {
            offset = after_blanks(text, after_string(text, offset));
            offset = after_blanks(text, offset + 1); /* the colon */
        }
        if (step == 0)
            return is_object && is_key ? key : offset;
        offset = after_blanks(text, after_value(text, offset));
        offset = after_blanks(text, offset + 1); /* the comma */
    }
}

void json_place_find(struct span text, const struct json_place *place, uint32_t *ret_line,
                     uint32_t *ret_column)
{
    size_t offset = after_blanks(text, 0);
    for (uint32_t i = 0; i < place->depth; i++)
        offset = find_step(text, offset, place->steps[i], place->is_key && i + 1 == place->depth);
    *ret_line = 1;
    *ret_column = 1;
    for (size_t i = 0; i < offset && i < text.length; i++) {
        if (at(text, i) == '\n') {
            (*ret_line)++;
            *ret_column = 1;
        } else if ((text.data[i] & 0xc0) != 0x80) {
            (*ret_column)++;
        }
    }
}
