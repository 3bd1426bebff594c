/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/properties.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/format.h"
#include "tests/support/runner.h"

/* A file, and its settings as "line[key|value]" one after the other; or what is wrong, by line. */
static const struct {
    const char *text;
    const char *settings;
    const char *wrong;
    uint32_t line;
} files[] = {
    {"", "", NULL, 0},
    {"a=1", "1[a|1]", NULL, 0},
    {"a=1\nb=2\n", "1[a|1]2[b|2]", NULL, 0},
    {"a=1\r\nb=2\rc=3", "1[a|1]2[b|2]3[c|3]", NULL, 0},
    {"\n \t\f\n a = 1 \n", "3[a|1 ]", NULL, 0},
    {"# a=1\n  ! b=2\nc=#3", "3[c|#3]", NULL, 0},
    {"a:1\nb 2\nc\t=\t3\nd : = 4\ne", "1[a|1]2[b|2]3[c|3]4[d|= 4]5[e|]", NULL, 0},
    {"a=", "1[a|]", NULL, 0},
    {"a=b=c:d", "1[a|b=c:d]", NULL, 0},
    {"a=1,\\\n  2,\\\n\t3\nb=4", "1[a|1,2,3]4[b|4]", NULL, 0},
    {"a=1\\\r\n2", "1[a|12]", NULL, 0},
    {"a=1\\\\\nb=2", "1[a|1\\]2[b|2]", NULL, 0},
    {"a=1\\\\\\\nb=2", "1[a|1\\b=2]", NULL, 0},
    {"a=1\\", "1[a|1]", NULL, 0},
    {"a=1\\\n# no comment", "1[a|1# no comment]", NULL, 0},
    {"a=1\\\n\nb=2", "1[a|1]3[b|2]", NULL, 0},
    {"\\\n\n \\\n# a\n\\\n!\nb=2", "7[b|2]", NULL, 0},
    {"# a comment is not continued \\\nb=2", "2[b|2]", NULL, 0},
    {"a\\ b\\=c\\:d=e", "1[a b=c:d|e]", NULL, 0},
    {"\\#a=1", "1[#a|1]", NULL, 0},
    {"a=\\t\\n\\r\\f\\q\\\"", "1[a|\t\n\r\fq\"]", NULL, 0},
    {"a=\\ 1", "1[a| 1]", NULL, 0},
    {"a=\\u0041\\u00e4\\u20AC\\uD83D\\uDE00", "1[a|A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80]", NULL,
     0},
    {"a\\u003d=1", "1[a=|1]", NULL, 0},
    {"a=\xc3\xa4", "1[a|\xc3\xa4]", NULL, 0},
    {"a=1\nb=\\u12\nc=3", "1[a|1]",
     "\\u is not followed by the four hexadecimal digits of a character; for a backslash write two",
     2},
    {"a=\\u12g4", "",
     "\\u is not followed by the four hexadecimal digits of a character; for a backslash write two",
     1},
    {"a=\\ud83d", "",
     "\\u is not followed by the four hexadecimal digits of a character; for a backslash write two",
     1},
    {"a=\\ud83d\\u0041", "",
     "\\u is not followed by the four hexadecimal digits of a character; for a backslash write two",
     1},
    {"a=\\ude00", "",
     "\\u is not followed by the four hexadecimal digits of a character; for a backslash write two",
     1},
    {"a=\\u0000", "",
     "\\u is not followed by the four hexadecimal digits of a character; for a backslash write two",
     1},
    {"\n=1", "", "there is no key before the '=' or ':'", 2},
    {" : 1", "", "there is no key before the '=' or ':'", 1},
};

struct collected {
    char text[512];
    size_t length;
};

static void collect(void *context, uint32_t line, struct span key, struct span value)
{
    struct collected *all = context;
    all->length += (size_t)snprintf(all->text + all->length, sizeof(all->text) - all->length,
                                    "%u[%.*s|%.*s]", line, SPAN_ARGS(key), SPAN_ARGS(value));
    ck_assert_uint_lt(all->length, sizeof(all->text));
}

START_TEST(reads_what_java_reads)
{
    struct collected all = {.length = 0};
    uint32_t line = 0;
    const char *wrong = properties_read(span_text(files[_i].text), collect, &all, &line);
    ck_assert_pstr_eq(wrong, files[_i].wrong);
    ck_assert_str_eq(all.text, files[_i].settings);
    ck_assert_uint_eq(line, files[_i].line);
}
END_TEST

START_TEST(a_zero_byte_is_refused)
{
    struct collected all = {.length = 0};
    uint32_t line = 0;
    const char *wrong = properties_read(SPAN("a=1\nb=\0"), collect, &all, &line);
    ck_assert_pstr_eq(wrong, "there is a zero byte: this is no file of settings");
    ck_assert_uint_eq(line, 2);
}
END_TEST

START_TEST(a_file_has_a_limit)
{
    struct collected all = {.length = 0};
    uint32_t line = 0;
    uint8_t *bytes = calloc(1, PROPERTIES_FILE_BYTES_MAX + 1);
    memset(bytes, '#', PROPERTIES_FILE_BYTES_MAX + 1);
    ck_assert_ptr_null(
        properties_read(span_of(bytes, PROPERTIES_FILE_BYTES_MAX), collect, &all, &line));
    ck_assert_pstr_eq(
        properties_read(span_of(bytes, PROPERTIES_FILE_BYTES_MAX + 1), collect, &all, &line),
        "the file is longer than 1 MiB: this is no file of settings");
    ck_assert_uint_eq(line, 1);
    free(bytes);
}
END_TEST

SUITE(properties)
{
    TCase *tcase = tcase_create("properties");
    tcase_add_loop_test(tcase, reads_what_java_reads, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_test(tcase, a_zero_byte_is_refused);
    tcase_add_test(tcase, a_file_has_a_limit);
    suite_add_tcase(suite, tcase);
}
