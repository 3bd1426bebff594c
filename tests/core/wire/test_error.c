/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/error.h"

#include <stdint.h>
#include <string.h>

#include "tests/support/runner.h"

/* The greatest code that Kafka 4.3 has. */
#define KAFKA_CODE_MAX 133

static const struct {
    int code;
    int number;
    const char *name;
} known[] = {
    {ERR_UNKNOWN_SERVER_ERROR, -1, "UNKNOWN_SERVER_ERROR"},
    {ERR_NONE, 0, "NONE"},
    {ERR_OFFSET_OUT_OF_RANGE, 1, "OFFSET_OUT_OF_RANGE"},
    {ERR_INVALID_TOPIC_EXCEPTION, 17, "INVALID_TOPIC_EXCEPTION"},
    {ERR_UNSUPPORTED_VERSION, 35, "UNSUPPORTED_VERSION"},
    {ERR_NON_EMPTY_GROUP, 68, "NON_EMPTY_GROUP"},
    {ERR_UNKNOWN_TOPIC_ID, 100, "UNKNOWN_TOPIC_ID"},
    {ERR_SHARE_SESSION_LIMIT_REACHED, 133, "SHARE_SESSION_LIMIT_REACHED"},
    {ERR_MALFORMED, -1001, "MALFORMED"},
};

START_TEST(numbers_and_names_are_kafkas)
{
    ck_assert_int_eq(known[_i].code, known[_i].number);
    ck_assert_str_eq(error_name(known[_i].number), known[_i].name);
}
END_TEST

START_TEST(every_code_of_kafka_has_a_text)
{
    for (int code = -1; code <= KAFKA_CODE_MAX; code++) {
        ck_assert_str_ne(error_name(code), "UNKNOWN");
        ck_assert_uint_gt(strlen(error_text(code)), 5);
    }
}
END_TEST

START_TEST(a_number_that_is_no_code_is_said_to_be_unknown)
{
    static const int numbers[] = {-2, KAFKA_CODE_MAX + 1, -1000, INT16_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        ck_assert_str_eq(error_name(numbers[i]), "UNKNOWN");
        ck_assert_str_ne(error_text(numbers[i]), error_text(ERR_NONE));
    }
}
END_TEST

SUITE(error)
{
    TCase *tcase = tcase_create("table");
    tcase_add_loop_test(tcase, numbers_and_names_are_kafkas, 0, sizeof(known) / sizeof(known[0]));
    tcase_add_test(tcase, every_code_of_kafka_has_a_text);
    tcase_add_test(tcase, a_number_that_is_no_code_is_said_to_be_unknown);
    suite_add_tcase(suite, tcase);
}
