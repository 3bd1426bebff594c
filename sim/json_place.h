/* SPDX-License-Identifier: Apache-2.0 */
/* Where something stands in a JSON text: a parser keeps values, and forgets their places. */
#ifndef SIM_JSON_PLACE_H
#define SIM_JSON_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"

#define JSON_PLACE_DEPTH_MAX 8

/* The way from the text's only value to one within: `steps[0]` is the number, from 0, of a member
 * of an object or of an item of an array, and so on. */
struct json_place {
    uint32_t steps[JSON_PLACE_DEPTH_MAX];
    uint32_t depth;
    bool is_key; /* the last member's key, not its value */
};

/* Goes one step further; past JSON_PLACE_DEPTH_MAX it stays. */
void json_place_enter(struct json_place *place, uint32_t step);
void json_place_leave(struct json_place *place);

/* The line and the column, both from 1 and in characters, of a place in a text that is valid JSON
 * and has it. */
void json_place_find(struct span text, const struct json_place *place, uint32_t *ret_line,
                     uint32_t *ret_column);

#endif
