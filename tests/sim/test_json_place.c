/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sim/json_place.h"
#include "tests/sim/quoted.h"
#include "tests/support/runner.h"

static const struct {
    const char *text;
    struct json_place place;
    uint32_t line;
    uint32_t column;
} places[] = {
    {"{}", {{0}, 0, false}, 1, 1},
    {"\n {}", {{0}, 0, false}, 2, 2},
    {"{'a': 1}", {{0}, 1, true}, 1, 2},
    {"{'a': 1}", {{0}, 1, false}, 1, 7},
    {"{'a': 1,\n'b' : 'x'}", {{1}, 1, true}, 2, 1},
    {"{'a': 1,\n'b' : 'x'}", {{1}, 1, false}, 2, 7},
    {"[1, 22, [3, 4]]", {{2}, 1, false}, 1, 9},
    {"[1, 22, [3, 4]]", {{2, 1}, 2, false}, 1, 13},
    /* What looks like the end of something, in a text. */
    {"{'a': '\\'}],{[', 'b': 1}", {{1}, 1, true}, 1, 18},
    {"{'\\',a': '\\\\', 'b': 1}", {{1}, 1, false}, 1, 21},
    {"[[], {}, [{'a': [{}]}], true]", {{3}, 1, false}, 1, 25},
    {"[[], {}, [{'a': [{}]}], true]", {{2, 0, 0, 0}, 4, false}, 1, 18},
    /* Characters, not bytes. */
    {"{'äöü': 1, 'b': 2}", {{1}, 1, true}, 1, 12},
    {"[\t1 ,\r\n\t2\r\n]", {{1}, 1, false}, 2, 2},
    {"[-1.5e3, null]", {{1}, 1, false}, 1, 10},
};

START_TEST(places_are_found)
{
    char *text = quoted(places[_i].text);
    uint32_t line;
    uint32_t column;
    json_place_find(span_text(text), &places[_i].place, &line, &column);
    free(text);
    ck_assert_uint_eq(line, places[_i].line);
    ck_assert_uint_eq(column, places[_i].column);
}
END_TEST

START_TEST(steps_are_taken_back)
{
    struct json_place place = {.depth = 0};
    json_place_enter(&place, 3);
    json_place_enter(&place, 4);
    json_place_leave(&place);
    ck_assert_uint_eq(place.depth, 1);
    ck_assert_uint_eq(place.steps[0], 3);
}
END_TEST

SUITE(json_place)
{
    TCase *tcase = tcase_create("find");
    tcase_add_loop_test(tcase, places_are_found, 0, sizeof(places) / sizeof(places[0]));
    tcase_add_test(tcase, steps_are_taken_back);
    suite_add_tcase(suite, tcase);
}
