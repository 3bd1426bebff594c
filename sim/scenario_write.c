/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario_write.h"

#include <inttypes.h>
#include <string.h>

#include "sim/scenario_words.h"

static void write_object(const void *object, const struct scenario_object_info *info, int depth,
                         FILE *out);

static void write_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte < 0x20)
            fprintf(out, "\\u%04x", byte);
        else
            fprintf(out, byte == '"' || byte == '\\' ? "\\%c" : "%c", *text);
    }
    fputc('"', out);
}

static int64_t number_of(const void *field, size_t bytes)
{
    int8_t narrow;
    int32_t word;
    int64_t wide = 0;
    if (bytes == sizeof(narrow)) {
        memcpy(&narrow, field, sizeof(narrow));
        return narrow;
    }
    if (bytes == sizeof(word)) {
        memcpy(&word, field, sizeof(word));
        return word;
    }
    memcpy(&wide, field, sizeof(wide));
    return wide;
}

static const struct range *range_of(const void *field)
{
    return field;
}

static const struct settings_list *settings_of(const void *field)
{
    return field;
}

static char *text_of(const void *field)
{
    char *text;
    memcpy(&text, field, sizeof(text));
    return text;
}

static bool words_are_preset(const void *object, const struct scenario_object_info *info);

/* True when the word says no more than its absence. */
static bool is_preset(const struct scenario_word *word, const void *object)
{
    const void *field = (const char *)object + word->offset;
    switch (word->type) {
    case WORD_NOTE:
        return true;
    case WORD_TEXT:
    case WORD_NAME:
        return text_of(field) == NULL;
    case WORD_SETTINGS:
    case WORD_CONFIG:
        return settings_of(field)->count == 0;
    case WORD_RANGE:
        /* Zero stands for the kind's own where it is no value of the word. */
        return (range_of(field)->most == 0 && word->least > 0) ||
               (range_of(field)->least == word->preset.least &&
                range_of(field)->most == word->preset.most);
    case WORD_LIST:
        return number_of((const char *)object + word->count_offset, sizeof(uint32_t)) == 0;
    case WORD_OBJECT:
        return words_are_preset(field, scenario_object_info(word->object));
    default:
        return number_of(field, word->bytes) == (int64_t)word->preset.least && !word->is_required;
    }
}

static bool words_are_preset(const void *object, const struct scenario_object_info *info)
{
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        if (!is_preset(word, object))
            return false;
    }
    return true;
}

static void write_settings(const struct settings_list *settings, FILE *out)
{
    for (uint32_t i = 0; i < settings->count; i++) {
        fputs(i == 0 ? "{" : ", ", out);
        write_string(settings->items[i].key, out);
        fputs(": ", out);
        write_string(settings->items[i].value, out);
    }
    fputc('}', out);
}

static void write_list(const struct scenario_word *word, const void *object, int depth, FILE *out)
{
    const char *items = text_of((const char *)object + word->offset);
    const int64_t count = number_of((const char *)object + word->count_offset, sizeof(uint32_t));
    for (int64_t i = 0; i < count; i++) {
        fprintf(out, "%s\n%*s", i == 0 ? "[" : ",", (depth + 1) * 2, "");
        write_object(items + (size_t)i * word->bytes, scenario_object_info(word->object), depth + 1,
                     out);
    }
    fprintf(out, "\n%*s]", depth * 2, "");
}

static void write_value(const struct scenario_word *word, const void *object, int depth, FILE *out)
{
    const void *field = (const char *)object + word->offset;
    switch (word->type) {
    case WORD_NOTE:
        break;
    case WORD_TEXT:
    case WORD_NAME:
        write_string(text_of(field), out);
        break;
    case WORD_FLAG:
        fputs(number_of(field, word->bytes) != 0 ? "true" : "false", out);
        break;
    case WORD_NUMBER:
        fprintf(out, "%" PRId64, number_of(field, word->bytes));
        break;
    case WORD_RANGE:
        if (range_of(field)->least == range_of(field)->most)
            fprintf(out, "%" PRIu64, range_of(field)->least);
        else
            fprintf(out, "[%" PRIu64 ", %" PRIu64 "]", range_of(field)->least,
                    range_of(field)->most);
        break;
    case WORD_CHOICE:
        write_string(scenario_choice_name(word->choices, (int)number_of(field, word->bytes)), out);
        break;
    case WORD_SETTINGS:
    case WORD_CONFIG:
        write_settings(settings_of(field), out);
        break;
    case WORD_OBJECT:
        write_object(field, scenario_object_info(word->object), depth, out);
        break;
    case WORD_LIST:
        write_list(word, object, depth, out);
        break;
    }
}

/* The outermost object has a line for each word; those within are one line each. */
static void write_object(const void *object, const struct scenario_object_info *info, int depth,
                         FILE *out)
{
    int64_t kind = -1;
    const char *between = depth == 0 ? "{\n  " : "{";
    if (info->kind != NULL)
        kind = number_of((const char *)object + info->kind->offset, info->kind->bytes);
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        const bool is_of = word->kinds == 0 || (kind >= 0 && (word->kinds >> kind & 1) != 0);
        if (!is_of || is_preset(word, object))
            continue;
        fprintf(out, "%s\"%s\": ", between, word->key);
        write_value(word, object, depth == 0 ? 1 : depth, out);
        between = depth == 0 ? ",\n  " : ", ";
    }
    fputs(between[0] == '{' ? "{}" : depth == 0 ? "\n}\n" : "}", out);
}

void scenario_write(const struct scenario *scenario, FILE *out)
{
    write_object(scenario, scenario_object_info(OBJECT_SCENARIO), 0, out);
}
