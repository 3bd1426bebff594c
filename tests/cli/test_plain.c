/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plain.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/runner.h"

static const struct {
    struct span text;
    const char *plain;
} rows[] = {
    {SPAN(""), ""},
    {SPAN("orders"), "orders"},
    {SPAN("\033[2J\t\n\177"), "?[2J???"},
    {SPAN("a\0b"), "a?b"},
    {SPAN("\xc2\x9b"
          "2J"),
     "??2J"},               /* C1: "\033[" to some terminals */
    {SPAN("\302"), "\302"}, /* cut short: no character */
    {SPAN("gr\303\274\303\237\302\240e"), "gr\303\274\303\237\302\240e"},
};

START_TEST(control_characters_are_not_shown)
{
    char *printed;
    size_t length;
    char text[32];
    FILE *out = open_memstream(&printed, &length);
    plain_print(out, rows[_i].text);
    fclose(out);
    ck_assert_uint_eq(length, rows[_i].text.length);
    ck_assert_str_eq(printed, rows[_i].plain);
    free(printed);
    memcpy(text, rows[_i].text.data, rows[_i].text.length);
    plain_make(text, rows[_i].text.length);
    ck_assert_mem_eq(text, rows[_i].plain, rows[_i].text.length);
}
END_TEST

START_TEST(null_is_nothing)
{
    char *printed;
    size_t length;
    FILE *out = open_memstream(&printed, &length);
    plain_print(out, SPAN_NULL);
    fclose(out);
    ck_assert_str_eq(printed, "");
    free(printed);
}
END_TEST

SUITE(plain)
{
    TCase *tcase = tcase_create("plain");
    tcase_add_loop_test(tcase, control_characters_are_not_shown, 0,
                        (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tcase, null_is_nothing);
    suite_add_tcase(suite, tcase);
}
