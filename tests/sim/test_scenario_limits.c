/* SPDX-License-Identifier: Apache-2.0 */
/* Every number, text and list at its limits, and one past them, by the table of words. */
#include <inttypes.h>
#include <stdlib.h>

#include "sim/scenario_words.h"
#include "tests/sim/quoted.h"
#include "tests/support/runner.h"

#define TEXT_BYTES  70000
#define VALUE_BYTES 60000

/* A file in which a word stands, with `value`. */
static void put_word(char *text, enum scenario_object object, const struct scenario_word *word,
                     const char *value)
{
    static const char *const around[SCENARIO_OBJECTS][2] = {
        [OBJECT_SCENARIO] = {"", ""},
        [OBJECT_NODE] = {"'nodes': [{", "}]"},
        [OBJECT_TOPIC] = {"'topics': [{", "}]"},
        [OBJECT_CLIENT] = {"'clients': [{", "}]"},
        [OBJECT_FAULT] = {"'faults': [{", "}]"},
        [OBJECT_EXPECT] = {"'expect': {", "}"},
    };
    const struct scenario_object_info *info = scenario_object_info(object);
    char kind[100] = "";
    if (info->kind != NULL) {
        int value_of_kind = 0;
        while (word->kinds != 0 && (word->kinds >> value_of_kind & 1) == 0)
            value_of_kind++;
        snprintf(kind, sizeof(kind), "'kind': '%s', ",
                 scenario_choice_name(info->kind->choices, value_of_kind));
    }
    snprintf(text, TEXT_BYTES, "{%s%s%s'%s': %.*s%s}",
             strcmp(word->key, "tells") == 0 ? "" : "'tells': 'x', ", around[object][0], kind,
             word->key, VALUE_BYTES, value, around[object][1]);
}

/* The message; "" when nothing is wrong. */
static const char *try_value(enum scenario_object object, const struct scenario_word *word,
                             const char *value)
{
    static char text[TEXT_BYTES];
    static struct scenario_error error;
    struct scenario scenario;
    put_word(text, object, word, value);
    if (quoted_parse(text, &scenario, &error) != 0)
        return error.text;
    scenario_free(&scenario);
    return "";
}

static bool tells_limits(const struct scenario_word *word, const char *message)
{
    char limits[100];
    snprintf(limits, sizeof(limits), "%" PRIu64 " to %" PRIu64, word->least, word->most);
    return strstr(message, limits) != NULL;
}

static void number_put(char *value, uint64_t number)
{
    snprintf(value, VALUE_BYTES, "%" PRIu64, number);
}

static void text_put(char *value, uint64_t length)
{
    memset(value, 'x', length + 2);
    value[0] = value[length + 1] = '\'';
    value[length + 2] = '\0';
}

static void list_put(char *value, uint64_t count)
{
    size_t length = (size_t)snprintf(value, VALUE_BYTES, "[");
    for (uint64_t i = 0; i < count; i++)
        length += (size_t)snprintf(value + length, VALUE_BYTES - length, "%s0", i == 0 ? "" : ", ");
    snprintf(value + length, VALUE_BYTES - length, "]");
}

static void try_limits(enum scenario_object object, const struct scenario_word *word)
{
    static char value[VALUE_BYTES];
    void (*put)(char *value, uint64_t size) = NULL;
    if (word->type == WORD_NUMBER || word->type == WORD_RANGE)
        put = number_put;
    else if (word->type == WORD_TEXT || word->type == WORD_NAME)
        put = text_put;
    else if (word->type == WORD_LIST)
        put = list_put;
    else
        return;
    put(value, word->most + 1);
    ck_assert_msg(tells_limits(word, try_value(object, word, value)), "past %s", word->key);
    put(value, word->most);
    ck_assert_msg(!tells_limits(word, try_value(object, word, value)), "most of %s", word->key);
    if (word->least == 0)
        return;
    put(value, word->least);
    ck_assert_msg(!tells_limits(word, try_value(object, word, value)), "least of %s", word->key);
    put(value, word->least - 1);
    ck_assert_msg(tells_limits(word, try_value(object, word, value)), "below %s", word->key);
}

START_TEST(every_word_keeps_its_limits)
{
    for (int object = 0; object < SCENARIO_OBJECTS; object++) {
        const struct scenario_word *word = scenario_object_info(object)->words;
        for (; word->key != NULL; word++)
            try_limits(object, word);
    }
}
END_TEST

START_TEST(a_file_has_a_limit)
{
    struct scenario scenario;
    struct scenario_error error;
    const size_t length = SCENARIO_FILE_BYTES_MAX + 1;
    char *text = malloc(length);
    ck_assert_ptr_nonnull(text);
    memset(text, ' ', length);
    memcpy(text, "{\"tells\": \"x\"}", 14);
    ck_assert_int_eq(scenario_parse(span_of(text, length), "x", &scenario, &error), -1);
    ck_assert_str_eq(error.text, "the file has more than 1048576 bytes");
    ck_assert_int_eq(scenario_parse(span_of(text, length - 1), "x", &scenario, &error), 0);
    scenario_free(&scenario);
    free(text);
}
END_TEST

START_TEST(settings_have_a_limit)
{
    char text[TEXT_BYTES] = "{'tells': 'x', 'nodes': [{'settings': {";
    struct scenario scenario;
    struct scenario_error error;
    for (int i = 0; i <= SCENARIO_SETTINGS_MAX; i++) {
        const size_t length = strlen(text);
        snprintf(text + length, TEXT_BYTES - length, "%s'x%d': 1", i == 0 ? "" : ", ", i);
    }
    const size_t length = strlen(text);
    snprintf(text + length, TEXT_BYTES - length, "}}]}");
    ck_assert_int_eq(quoted_parse(text, &scenario, &error), -1);
    ck_assert_str_eq(error.text, "settings are an object of at most 64 keys and values");
}
END_TEST

SUITE(scenario_limits)
{
    TCase *tcase = tcase_create("limits");
    tcase_add_test(tcase, every_word_keeps_its_limits);
    tcase_add_test(tcase, a_file_has_a_limit);
    tcase_add_test(tcase, settings_have_a_limit);
    suite_add_tcase(suite, tcase);
}
