/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/wire/codec.h"
#include "tests/core/wire/sample.h"
#include "tests/support/runner.h"

struct text {
    char bytes[4096];
    size_t length;
};

static void gather(void *context, struct span piece)
{
    struct text *text = context;
    ck_assert_uint_lt(text->length + piece.length, sizeof(text->bytes));
    memcpy(text->bytes + text->length, piece.data, piece.length);
    text->length += piece.length;
}

static struct text printed;

static void prints(const struct sample_print *message, size_t bytes_max, const char *json)
{
    const struct wire_printer printer = {
        .print = gather, .context = &printed, .bytes_max = bytes_max};

    memset(&printed, 0, sizeof(printed));
    wire_print(&wire_sample_print, 0, message, &printer);
    ck_assert_str_eq(printed.bytes, json);
}

#define REST ",\"ratio\":\"0x0.0000000000000p+0\",\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"

static const struct {
    const char *bytes;
    const char *json;
} texts[] = {
    {"plain", "\"plain\""},
    {"", "\"\""},
    {"a \"quoted\" \\", "\"a \\\"quoted\\\" \\\\\""},
    {"line\nand\ttab\x7f", "\"line\\u000aand\\u0009tab\\u007f\""},
    {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
    {"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},
    {"\xff", "\"\\ufffd\""},
    {"\x80x", "\"\\ufffdx\""},
    {"\xc3", "\"\\ufffd\""},
    {"\xc3x", "\"\\ufffdx\""},
    {"\xc0\x80", "\"\\ufffd\\ufffd\""},
    {"\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""},
    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
    {"\xe2\x82x", "\"\\ufffd\\ufffdx\""},
    {"\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
};

START_TEST(text_is_json)
{
    struct sample_print message = {.text = span_text(texts[_i].bytes), .blob = SPAN("")};
    char json[256];

    snprintf(json, sizeof(json), "{\"text\":%s,\"blob\":\"\"" REST, texts[_i].json);
    prints(&message, 4, json);
}
END_TEST

START_TEST(bytes_are_cut)
{
    struct sample_print message = {.text = SPAN_NULL, .blob = SPAN("\x01\xfe\x03\x04")};

    prints(&message, 4, "{\"text\":null,\"blob\":\"01fe0304\"" REST);
    prints(&message, 2, "{\"text\":null,\"blob\":\"01fe... 4 bytes\"" REST);
    message.blob = SPAN_NULL;
    prints(&message, 2, "{\"text\":null,\"blob\":null" REST);
}
END_TEST

static const struct {
    double value;
    const char *json;
} ratios[] = {
    {1.0, "\"0x1.0000000000000p+0\""},
    {-0.5, "\"-0x1.0000000000000p-1\""},
    {0.1, "\"0x1.999999999999ap-4\""},
    {-0.0, "\"-0x0.0000000000000p+0\""},
    {0x1p-1074, "\"0x0.0000000000001p-1022\""},
    {HUGE_VAL, "\"inf\""},
    {-HUGE_VAL, "\"-inf\""},
};

START_TEST(ratios_are_exact)
{
    struct sample_print message = {.text = SPAN_NULL, .ratio = ratios[_i].value};
    const char *found = NULL;

    const struct wire_printer printer = {.print = gather, .context = &printed};
    memset(&printed, 0, sizeof(printed));
    wire_print(&wire_sample_print, 0, &message, &printer);
    found = strstr(printed.bytes, "\"ratio\":");
    ck_assert_ptr_nonnull(found);
    found += strlen("\"ratio\":");
    ck_assert_mem_eq(found, ratios[_i].json, strlen(ratios[_i].json));
}
END_TEST

START_TEST(long_text_comes_in_pieces)
{
    char text[1000];
    struct sample_print message = {.text = span_of(text, sizeof(text))};
    const struct wire_printer printer = {.print = gather, .context = &printed};

    memset(text, 'y', sizeof(text));
    memset(&printed, 0, sizeof(printed));
    wire_print(&wire_sample_print, 0, &message, &printer);
    ck_assert_mem_eq(printed.bytes + strlen("{\"text\":\""), text, sizeof(text));
    ck_assert_int_eq(printed.bytes[printed.length - 1], '}');
}
END_TEST

START_TEST(records_in_a_file_are_counted)
{
    struct sample message;
    const struct wire_printer printer = {.print = gather, .context = &printed, .bytes_max = 8};

    wire_defaults(&wire_sample, &message);
    message.batch = (struct span){NULL, 77};
    memset(&printed, 0, sizeof(printed));
    wire_print(&wire_sample, 0, &message, &printer);
    ck_assert_ptr_nonnull(strstr(printed.bytes, "\"batch\":\"... 77 bytes\""));
}
END_TEST

SUITE(print)
{
    TCase *tcase = tcase_create("print");
    tcase_add_loop_test(tcase, text_is_json, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tcase, bytes_are_cut);
    tcase_add_loop_test(tcase, ratios_are_exact, 0, sizeof(ratios) / sizeof(ratios[0]));
    tcase_add_test(tcase, long_text_comes_in_pieces);
    tcase_add_test(tcase, records_in_a_file_are_counted);
    suite_add_tcase(suite, tcase);
}
