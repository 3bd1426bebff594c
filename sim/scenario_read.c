/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the language, word by word as the table has them. */
#include <inttypes.h>

#include "core/base/nearest.h"
#include "sim/memory.h"
#include "sim/scenario_reader.h"

#define LIST_TEXT_BYTES 400

/* `names` joined by commas, with quotes. */
struct names {
    char text[LIST_TEXT_BYTES];
    size_t length;
};

static void names_add(struct names *names, const char *name)
{
    if (names->length + strlen(name) + 5 > sizeof(names->text))
        return;
    names->length +=
        (size_t)snprintf(names->text + names->length, sizeof(names->text) - names->length,
                         "%s\"%s\"", names->length == 0 ? "" : ", ", name);
}

static const char *article(const struct scenario_object_info *info)
{
    return strchr("aeiou", info->name[0]) == NULL ? "a" : "an";
}

static bool word_is_of(const struct scenario_word *word, int kind)
{
    return word->kinds == 0 || (kind >= 0 && (word->kinds >> kind & 1) != 0);
}

/* ---- Words without others within. ---- */

static bool number_fits(struct reader *reader, const struct scenario_word *word, json_t *json,
                        uint64_t *ret_number)
{
    if (!json_is_integer(json)) {
        reader_refuse(reader, "\"%s\" needs a whole number%s", word->key,
                      word->type == WORD_RANGE ? ", or a range as in [1, 5]" : "");
        return false;
    }
    const json_int_t number = json_integer_value(json);
    if (number < 0 || (uint64_t)number < word->least || (uint64_t)number > word->most) {
        reader_refuse(reader,
                      "\"%s\" is %" JSON_INTEGER_FORMAT ", and may be %" PRIu64 " to %" PRIu64,
                      word->key, number, word->least, word->most);
        return false;
    }
    *ret_number = (uint64_t)number;
    return true;
}

static void field_set(void *field, size_t bytes, uint64_t number)
{
    const int8_t narrow = (int8_t)number;
    const uint32_t word = (uint32_t)number;
    if (bytes == sizeof(narrow))
        memcpy(field, &narrow, bytes);
    else if (bytes == sizeof(word))
        memcpy(field, &word, bytes);
    else
        memcpy(field, &number, sizeof(number));
}

static void read_number(struct reader *reader, const struct scenario_word *word, json_t *json,
                        void *field)
{
    uint64_t number;
    if (number_fits(reader, word, json, &number))
        field_set(field, word->bytes, number);
}

static void read_range(struct reader *reader, const struct scenario_word *word, json_t *json,
                       struct range *range)
{
    json_t *ends[2] = {json, json};
    uint64_t numbers[2];
    const bool is_array = json_is_array(json);
    if (is_array && json_array_size(json) != 2) {
        reader_refuse(reader, "\"%s\" needs two numbers, the least and the most", word->key);
        return;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (is_array) {
            ends[i] = json_array_get(json, i);
            json_place_enter(&reader->place, i);
        }
        const bool fits = number_fits(reader, word, ends[i], &numbers[i]);
        if (is_array)
            json_place_leave(&reader->place);
        if (!fits)
            return;
    }
    if (numbers[0] > numbers[1])
        reader_refuse(reader, "\"%s\" is from more to less", word->key);
    else if (numbers[1] == 0 && word->above_zero)
        reader_refuse(reader, "\"%s\" has to be more than 0 at its upper end", word->key);
    else
        *range = (struct range){numbers[0], numbers[1]};
}

static void read_choice(struct reader *reader, const struct scenario_word *word, json_t *json,
                        void *field)
{
    const char *text = json_string_value(json);
    struct nearest nearest;
    struct names names = {.length = 0};
    nearest_start(&nearest, span_text(text == NULL ? "" : text));
    for (const struct scenario_choice *choice = word->choices; choice->name != NULL; choice++) {
        if (text != NULL && strcmp(text, choice->name) == 0) {
            field_set(field, word->bytes, (uint64_t)choice->value);
            return;
        }
        nearest_consider(&nearest, choice->name);
        names_add(&names, choice->name);
    }
    if (text != NULL && nearest.name != NULL)
        reader_refuse(reader, "\"%s\" cannot be \"%s\"; did you mean \"%s\"?", word->key, text,
                      nearest.name);
    else
        reader_refuse(reader, "\"%s\" is one of %s", word->key, names.text);
}

static bool is_name(const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return text[strspn(text, letters)] == '\0' && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static void read_text(struct reader *reader, const struct scenario_word *word, json_t *json,
                      char **field)
{
    const char *text = json_string_value(json);
    if (text == NULL)
        reader_refuse(reader, "\"%s\" needs a text in quotes", word->key);
    else if (strlen(text) < word->least || strlen(text) > word->most)
        reader_refuse(reader, "\"%s\" may have %" PRIu64 " to %" PRIu64 " bytes", word->key,
                      word->least, word->most);
    else if (word->type == WORD_NAME && !is_name(text))
        reader_refuse(reader, "\"%s\" may have letters, digits, '.', '_' and '-' alone", word->key);
    else
        *field = sim_text_copy(text, strlen(text));
}

/* ---- Words with others within. ---- */

static void read_list(struct reader *reader, const struct scenario_word *word, json_t *json,
                      uint8_t *base)
{
    if (!json_is_array(json)) {
        reader_refuse(reader, "\"%s\" needs an array, as in [{…}, {…}]", word->key);
        return;
    }
    const size_t count = json_array_size(json);
    if (count < word->least || count > word->most) {
        reader_refuse(reader, "\"%s\" has %zu items, and may have %" PRIu64 " to %" PRIu64,
                      word->key, count, word->least, word->most);
        return;
    }
    uint8_t *items = sim_allocate(NULL, count * word->bytes);
    memset(items, 0, count * word->bytes);
    const uint32_t items_count = (uint32_t)count;
    memcpy(base + word->offset, &items, sizeof(items));
    memcpy(base + word->count_offset, &items_count, sizeof(items_count));
    for (uint32_t i = 0; i < items_count && !reader->refused; i++) {
        json_place_enter(&reader->place, i);
        reader_object(reader, json_array_get(json, i), word->object, items + i * word->bytes);
        json_place_leave(&reader->place);
    }
}

static void read_word(struct reader *reader, const struct scenario_word *word, json_t *json,
                      uint8_t *base)
{
    void *field = base + word->offset;
    switch (word->type) {
    case WORD_NOTE:
        break;
    case WORD_TEXT:
    case WORD_NAME:
        read_text(reader, word, json, field);
        break;
    case WORD_FLAG:
        if (json_is_boolean(json))
            *(bool *)field = json_is_true(json);
        else
            reader_refuse(reader, "\"%s\" is true or false", word->key);
        break;
    case WORD_NUMBER:
        read_number(reader, word, json, field);
        break;
    case WORD_RANGE:
        read_range(reader, word, json, field);
        break;
    case WORD_CHOICE:
        read_choice(reader, word, json, field);
        break;
    case WORD_SETTINGS:
    case WORD_CONFIG:
        reader_settings(reader, json, word->type == WORD_SETTINGS, field);
        break;
    case WORD_OBJECT:
        reader_object(reader, json, word->object, field);
        break;
    case WORD_LIST:
        read_list(reader, word, json, base);
        break;
    }
}

/* ---- Objects. ---- */

static void preset(const struct scenario_object_info *info, int kind, uint8_t *base)
{
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        if (!word_is_of(word, kind) || (word->preset.least == 0 && word->preset.most == 0))
            continue;
        if (word->type == WORD_RANGE)
            memcpy(base + word->offset, &word->preset, sizeof(word->preset));
        else
            field_set(base + word->offset, word->bytes, word->preset.least);
    }
}

static const struct scenario_word *find(const struct scenario_object_info *info, const char *key)
{
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        if (strcmp(word->key, key) == 0)
            return word;
    }
    return NULL;
}

/* Refuses a key that is no word here, or not one of this kind. */
static void refuse_key(struct reader *reader, const struct scenario_object_info *info, int kind,
                       const char *key)
{
    const struct scenario_word *word = find(info, key);
    struct names names = {.length = 0};
    struct nearest nearest;
    reader->place.is_key = true;
    if (word != NULL) {
        for (const struct scenario_choice *choice = info->kind->choices; choice->name != NULL;
             choice++) {
            if (word_is_of(word, choice->value))
                names_add(&names, choice->name);
        }
        reader_refuse(reader, "\"%s\" is no word for \"%s\", but for %s", key,
                      scenario_choice_name(info->kind->choices, kind), names.text);
        return;
    }
    nearest_start(&nearest, span_text(key));
    for (word = info->words; word->key != NULL; word++) {
        if (!word_is_of(word, kind))
            continue;
        nearest_consider(&nearest, word->key);
        if (word->type != WORD_NOTE)
            names_add(&names, word->key);
    }
    if (nearest.name != NULL)
        reader_refuse(reader, "there is no word \"%s\" in %s %s; did you mean \"%s\"?", key,
                      article(info), info->name, nearest.name);
    else
        reader_refuse(reader, "there is no word \"%s\" in %s %s; there are %s", key, article(info),
                      info->name, names.text);
}

/* The value of the word that says which kind it is: 0 or more. -1 where there is no such word, or
 * after a refusal. */
static int read_kind(struct reader *reader, const struct scenario_object_info *info, json_t *json)
{
    if (info->kind == NULL)
        return -1;
    uint32_t kind = 0;
    json_t *value = json_object_get(json, info->kind->key);
    if (value == NULL) {
        reader_refuse(reader, "%s %s needs the word \"%s\"", article(info), info->name,
                      info->kind->key);
        return -1;
    }
    reader_enter(reader, json, info->kind->key);
    read_choice(reader, info->kind, value, &kind);
    json_place_leave(&reader->place);
    return reader->refused ? -1 : (int)kind;
}

void reader_object(struct reader *reader, json_t *json, enum scenario_object object,
                   void *ret_struct)
{
    const struct scenario_object_info *info = scenario_object_info(object);
    if (!json_is_object(json)) {
        reader_refuse(reader, "%s %s is an object, as in {\"%s\": …}", article(info), info->name,
                      info->words[0].key);
        return;
    }
    const int kind = read_kind(reader, info, json);
    if (reader->refused)
        return;
    preset(info, kind, ret_struct);
    const char *key;
    json_t *value;
    uint32_t number = 0;
    json_object_foreach(json, key, value)
    {
        json_place_enter(&reader->place, number++);
        const struct scenario_word *word = find(info, key);
        if (word == NULL || !word_is_of(word, kind))
            refuse_key(reader, info, kind, key);
        else
            read_word(reader, word, value, ret_struct);
        json_place_leave(&reader->place);
        if (reader->refused)
            return;
    }
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        if (word->is_required && json_object_get(json, word->key) == NULL)
            reader_refuse(reader, "%s %s needs the word \"%s\"", article(info), info->name,
                          word->key);
    }
}
