/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario_schema.h"

#include <inttypes.h>

#include "core/conf/keys.h"
#include "sim/scenario_words.h"

/* A JSON string of text that is ours: UTF-8 without control characters. */
static void print_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_integer(FILE *out, const struct scenario_word *word)
{
    fprintf(out, "\"type\": \"integer\", \"minimum\": %" PRIu64 ", \"maximum\": %" PRIu64,
            word->least, word->most);
}

static void print_choices(FILE *out, const struct scenario_word *word)
{
    fprintf(out, "\"oneOf\": [");
    for (const struct scenario_choice *choice = word->choices; choice->name != NULL; choice++) {
        fprintf(out, "%s\n          {\"const\": ", choice == word->choices ? "" : ",");
        print_string(out, choice->name);
        fprintf(out, ", \"description\": ");
        print_string(out, choice->tells);
        fputc('}', out);
    }
    fputc(']', out);
}

static void print_type(FILE *out, const struct scenario_word *word)
{
    switch (word->type) {
    case WORD_NOTE:
        fprintf(out, "\"type\": \"string\"");
        break;
    case WORD_TEXT:
    case WORD_NAME:
        fprintf(out, "\"type\": \"string\", \"minLength\": %" PRIu64 ", \"maxLength\": %" PRIu64,
                word->least, word->most);
        break;
    case WORD_FLAG:
        fprintf(out, "\"type\": \"boolean\"");
        break;
    case WORD_NUMBER:
        print_integer(out, word);
        break;
    case WORD_RANGE:
        fprintf(out, "\"oneOf\": [{");
        print_integer(out, word);
        fprintf(out, "}, {\"type\": \"array\", \"items\": {");
        print_integer(out, word);
        fprintf(out, "}, \"minItems\": 2, \"maxItems\": 2}]");
        break;
    case WORD_CHOICE:
        print_choices(out, word);
        break;
    case WORD_SETTINGS:
        fprintf(out, "\"$ref\": \"#/$defs/settings\"");
        break;
    case WORD_CONFIG:
        fprintf(out, "\"$ref\": \"#/$defs/config\"");
        break;
    case WORD_OBJECT:
        fprintf(out, "\"$ref\": \"#/$defs/%s\"", scenario_object_info(word->object)->name);
        break;
    case WORD_LIST:
        fprintf(out,
                "\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/%s\"}, \"minItems\": %" PRIu64
                ", \"maxItems\": %" PRIu64,
                scenario_object_info(word->object)->name, word->least, word->most);
        break;
    }
}

/* The default, where it is a value. */
static void print_preset(FILE *out, const struct scenario_word *word)
{
    const struct range preset = word->preset;
    if (word->otherwise != NULL || word->is_required)
        return;
    fprintf(out, ", \"default\": ");
    if (word->type == WORD_FLAG)
        fprintf(out, "%s", preset.least != 0 ? "true" : "false");
    else if (word->type == WORD_CHOICE)
        print_string(out, scenario_choice_name(word->choices, (int)preset.least));
    else if (preset.least == preset.most)
        fprintf(out, "%" PRIu64, preset.least);
    else
        fprintf(out, "[%" PRIu64 ", %" PRIu64 "]", preset.least, preset.most);
}

/* Of a fault or a client: each kind has some of the words alone. */
static void print_kinds(FILE *out, const struct scenario_object_info *info)
{
    fprintf(out, ",\n      \"allOf\": [");
    for (const struct scenario_choice *choice = info->kind->choices; choice->name != NULL;
         choice++) {
        const char *comma = "";
        fprintf(out, "%s\n        {\"if\": {\"properties\": {\"%s\": {\"const\": \"%s\"}}}, ",
                choice == info->kind->choices ? "" : ",", info->kind->key, choice->name);
        fprintf(out, "\"then\": {\"propertyNames\": {\"enum\": [");
        for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
            if (word->kinds != 0 && (word->kinds >> choice->value & 1) == 0)
                continue;
            fprintf(out, "%s\"%s\"", comma, word->key);
            comma = ", ";
        }
        fprintf(out, "]}}}");
    }
    fprintf(out, "]");
}

static void print_object(FILE *out, const struct scenario_object_info *info)
{
    fprintf(out, "    \"%s\": {\n      \"description\": ", info->name);
    print_string(out, info->tells);
    fprintf(out, ",\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n"
                 "      \"properties\": {");
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        fprintf(out, "%s\n        \"%s\": {\"description\": ", word == info->words ? "" : ",",
                word->key);
        print_string(out, word->tells);
        fprintf(out, ", ");
        print_type(out, word);
        print_preset(out, word);
        fprintf(out, "}");
    }
    fprintf(out, "},\n      \"required\": [");
    const char *comma = "";
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        if (!word->is_required)
            continue;
        fprintf(out, "%s\"%s\"", comma, word->key);
        comma = ", ";
    }
    fprintf(out, "]");
    if (info->kind != NULL)
        print_kinds(out, info);
    fprintf(out, "},\n");
}

static void print_key(FILE *out, bool is_first, const char *name, const char *documentation)
{
    fprintf(out, "%s\n        \"%s\": {\"$ref\": \"#/$defs/value\", \"description\": ",
            is_first ? "" : ",", name);
    print_string(out, documentation);
    fputc('}', out);
}

static void print_settings_begin(FILE *out, const char *name)
{
    fprintf(out,
            "    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n"
            "      \"maxProperties\": %d,\n      \"properties\": {",
            name, SCENARIO_SETTINGS_MAX);
}

static void print_settings(FILE *out)
{
    print_settings_begin(out, "settings");
    for (int i = 0; i < CONF_KEYS; i++) {
        const struct conf_key_info *info = conf_key_info((enum conf_key)i);
        print_key(out, i == 0, info->name, info->documentation);
    }
    fprintf(out, "}},\n");
    print_settings_begin(out, "config");
    for (int i = 0; i < TOPIC_CONF_KEYS; i++) {
        const struct topic_conf_key_info *info = topic_conf_key_info((enum topic_conf_key)i);
        print_key(out, i == 0, info->name, info->documentation);
    }
    fprintf(out, "}},\n    \"value\": {\"type\": [\"string\", \"number\", \"boolean\"]}\n");
}

void scenario_schema_print(FILE *out)
{
    fprintf(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                 "  \"title\": \"A scenario of the chronik simulator\",\n"
                 "  \"$ref\": \"#/$defs/scenario\",\n"
                 "  \"$defs\": {\n");
    for (int object = 0; object < SCENARIO_OBJECTS; object++)
        print_object(out, scenario_object_info((enum scenario_object)object));
    print_settings(out);
    fprintf(out, "  }\n}\n");
}
