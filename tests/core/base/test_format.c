/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/format.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/runner.h"

/* Our text is the C library's, for every conversion that we know. */
#define CHECK_SAME(...)                                                     \
    do {                                                                    \
        char ours[200];                                                     \
        char theirs[200];                                                   \
        const size_t length = format_text(ours, sizeof(ours), __VA_ARGS__); \
        snprintf(theirs, sizeof(theirs), __VA_ARGS__);                      \
        ck_assert_str_eq(ours, theirs);                                     \
        ck_assert_uint_eq(length, strlen(theirs));                          \
    } while (0)

START_TEST(text_is_what_printf_gives)
{
    CHECK_SAME("plain");
    CHECK_SAME("%s and %s", "one", "two");
    CHECK_SAME("[%8s]", "right");
    CHECK_SAME("[%.*s]", 3, "cut short");
    CHECK_SAME("[%.*s]", 30, "ends early");
    CHECK_SAME("[%6.*s]", 2, "wide");
    CHECK_SAME("100%% %c", 'c');
    CHECK_SAME("%d %d %d", 0, INT32_MAX, INT32_MIN);
    CHECK_SAME("[%5d] [%05d] [%05d] [%2d]", 42, 42, -42, 12345);
    CHECK_SAME("%u %x %X", UINT32_MAX, 0xbeefU, 0xbeefU);
    CHECK_SAME("%08x %02X", 0xabcU, 7U);
    CHECK_SAME("%hd %hu %hhd %hhu", (short)-3, (unsigned short)3, (signed char)-4,
               (unsigned char)200);
    CHECK_SAME("%ld %lu %lx", INT64_MIN, UINT64_MAX, UINT64_MAX);
    CHECK_SAME("%lld %llu", (long long)INT64_MIN, (unsigned long long)UINT64_MAX);
    CHECK_SAME("%zu %zd %ju %jd", SIZE_MAX, (ssize_t)-1, UINTMAX_MAX, INTMAX_MIN);
    CHECK_SAME("%" PRId64 " %020" PRIu64 " %" PRIx64, INT64_MIN, UINT64_C(12), UINT64_C(255));
}
END_TEST

START_TEST(text_is_cut_and_its_whole_length_told)
{
    char out[8];

    memset(out, 'x', sizeof(out));
    ck_assert_uint_eq(format_text(out, 5, "%s", "123456"), 6);
    ck_assert_str_eq(out, "1234");
    ck_assert_int_eq(out[5], 'x');
    ck_assert_uint_eq(format_text(out, 1, "ab%d", 1), 3);
    ck_assert_str_eq(out, "");
    ck_assert_uint_eq(format_text(NULL, 0, "ab%d", 12), 4);
}
END_TEST

START_TEST(null_span_formats_as_nothing)
{
    char out[8];
    const volatile struct span none = SPAN_NULL;

    ck_assert_uint_eq(format_text(out, sizeof(out), "[%.*s]", SPAN_ARGS(none)), 2);
    ck_assert_str_eq(out, "[]");
}
END_TEST

START_TEST(unknown_conversion_aborts)
{
    char out[8];
    const char *volatile format = "%f";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    format_text(out, sizeof(out), format, 1.0);
#pragma GCC diagnostic pop
}
END_TEST

static const struct {
    const char *text;
    bool valid;
    int64_t value;
} numbers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"007", true, 7},
    {"-1", true, -1},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"18446744073709551616", false, 0},
    {"99999999999999999999999", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"+1", false, 0},
    {"--1", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1x", false, 0},
    {"0x1", false, 0},
};

START_TEST(number_is_read_whole_or_not_at_all)
{
    int64_t value = 4711;

    ck_assert_int_eq(parse_int64(span_text(numbers[_i].text), &value) == 0, numbers[_i].valid);
    ck_assert_int_eq(value, numbers[_i].valid ? numbers[_i].value : 4711);
}
END_TEST

SUITE(format)
{
    TCase *tcase = tcase_create("format");
    tcase_add_test(tcase, text_is_what_printf_gives);
    tcase_add_test(tcase, text_is_cut_and_its_whole_length_told);
    tcase_add_test(tcase, null_span_formats_as_nothing);
    tcase_add_test_raise_signal(tcase, unknown_conversion_aborts, SIGABRT);
    tcase_add_loop_test(tcase, number_is_read_whole_or_not_at_all, 0,
                        sizeof(numbers) / sizeof(numbers[0]));
    suite_add_tcase(suite, tcase);
}
