/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>

#include "sim/scenario_schema.h"
#include "sim/scenario_words.h"
#include "tests/support/runner.h"

static json_t *schema_read(void)
{
    char *text = NULL;
    size_t length = 0;
    json_error_t error;
    FILE *out = open_memstream(&text, &length);
    scenario_schema_print(out);
    ck_assert_int_eq(fclose(out), 0);
    json_t *schema = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (schema == NULL)
        ck_abort_msg("%d:%d: %s", error.line, error.column, error.text);
    free(text);
    return schema;
}

/* The words that the schema lets a client or fault of a kind have, as a set. */
static json_t *words_of_kind(json_t *definition, const char *kind)
{
    json_t *rules = json_object_get(definition, "allOf");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const char *name = NULL;
        json_t *names = NULL;
        ck_assert_int_eq(json_unpack(json_array_get(rules, i), "{s{s{s{ss}}}, s{s{so}}}", "if",
                                     "properties", "kind", "const", &name, "then", "propertyNames",
                                     "enum", &names),
                         0);
        if (strcmp(name, kind) == 0)
            return names;
    }
    ck_abort_msg("no rule for %s", kind);
}

static bool has(json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    }
    return false;
}

START_TEST(it_has_every_word)
{
    json_t *schema = schema_read();
    json_t *definitions = json_object_get(schema, "$defs");
    for (int object = 0; object < SCENARIO_OBJECTS; object++) {
        const struct scenario_object_info *info = scenario_object_info(object);
        json_t *definition = json_object_get(definitions, info->name);
        json_t *properties = json_object_get(definition, "properties");
        json_t *required = json_object_get(definition, "required");
        for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
            json_t *property = json_object_get(properties, word->key);
            ck_assert_str_eq(json_string_value(json_object_get(property, "description")),
                             word->tells);
            ck_assert_int_eq(has(required, word->key), word->is_required);
        }
    }
    json_decref(schema);
}
END_TEST

START_TEST(it_has_the_words_of_each_kind)
{
    json_t *schema = schema_read();
    json_t *definitions = json_object_get(schema, "$defs");
    json_t *fault = json_object_get(definitions, "fault");
    json_t *client = json_object_get(definitions, "client");
    ck_assert(has(words_of_kind(fault, "reset"), "percent"));
    ck_assert(has(words_of_kind(fault, "reset"), "kind"));
    ck_assert(!has(words_of_kind(fault, "crash"), "percent"));
    ck_assert(has(words_of_kind(client, "producer"), "acks"));
    ck_assert(!has(words_of_kind(client, "silent"), "acks"));
    json_decref(schema);
}
END_TEST

START_TEST(it_knows_the_settings)
{
    json_t *schema = schema_read();
    json_t *property = NULL;
    ck_assert_int_eq(json_unpack(schema, "{s{s{s{so}}}}", "$defs", "settings", "properties",
                                 "log.segment.bytes", &property),
                     0);
    ck_assert_int_eq(json_unpack(schema, "{s{s{s{so}}}}", "$defs", "config", "properties",
                                 "retention.ms", &property),
                     0);
    json_decref(schema);
}
END_TEST

SUITE(scenario_schema)
{
    TCase *tcase = tcase_create("schema");
    tcase_add_test(tcase, it_has_every_word);
    tcase_add_test(tcase, it_has_the_words_of_each_kind);
    tcase_add_test(tcase, it_knows_the_settings);
    suite_add_tcase(suite, tcase);
}
