/* SPDX-License-Identifier: Apache-2.0 */
/* Reads schema files, and refuses what the protocol cannot express, naming file and line. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/wiregen.h"

#define LINE_BYTES_MAX 1024
#define WORDS_MAX      16
#define DEPTH_MAX      8
#define VERSION_MAX    INT16_MAX
#define TAG_MAX        63 /* the encoder has a bit for each */

const struct type_info type_infos[] = {
    [TYPE_BOOL] = {"bool", "bool", "WIRE_BOOL", 0, 0, 1, 1},
    [TYPE_INT8] = {"int8", "int8_t", "WIRE_INT8", INT8_MIN, INT8_MAX, 1, 1},
    [TYPE_INT16] = {"int16", "int16_t", "WIRE_INT16", INT16_MIN, INT16_MAX, 2, 2},
    [TYPE_UINT16] = {"uint16", "uint16_t", "WIRE_UINT16", 0, UINT16_MAX, 2, 2},
    [TYPE_INT32] = {"int32", "int32_t", "WIRE_INT32", INT32_MIN, INT32_MAX, 4, 4},
    [TYPE_UINT32] = {"uint32", "uint32_t", "WIRE_UINT32", 0, UINT32_MAX, 4, 4},
    [TYPE_INT64] = {"int64", "int64_t", "WIRE_INT64", INT64_MIN, INT64_MAX, 8, 8},
    [TYPE_FLOAT64] = {"float64", "double", "WIRE_FLOAT64", 0, 0, 8, 8},
    [TYPE_UUID] = {"uuid", "struct uuid", "WIRE_UUID", 0, 0, 16, 16},
    [TYPE_STRING] = {"string", "struct span", "WIRE_STRING", 0, 0, 2, 1},
    [TYPE_BYTES] = {"bytes", "struct span", "WIRE_BYTES", 0, 0, 4, 1},
    [TYPE_RECORDS] = {"records", "struct span", "WIRE_RECORDS", 0, 0, 4, 1},
    [TYPE_STRUCT] = {"", NULL, "WIRE_STRUCT", 0, 0, 0, 0},
};

#define TYPES_NAMED TYPE_STRUCT

struct parser {
    struct schema *schema;
    const char *file;
    int line;
    char *words[WORDS_MAX];
    int words_count;
    struct api *api;               /* whose request and response are still to come, or under way */
    struct message *message;       /* whose fields are being read */
    struct shape *open[DEPTH_MAX]; /* [0]: the message's, then the structs inside */
    int depth;                     /* how many of them are open */
};

#define FAIL(parser, ...) fail_at((parser)->file, (parser)->line, __VA_ARGS__)

static void split_words(struct parser *parser, char *line)
{
    parser->words_count = 0;
    for (char *word = strsep(&line, " "); word != NULL; word = strsep(&line, " ")) {
        if (*word == '\0')
            continue;
        if (parser->words_count == WORDS_MAX)
            FAIL(parser, "more than %d words", WORDS_MAX);
        parser->words[parser->words_count++] = word;
    }
}

/* The word at `index`; a line that ends before it is wrong. */
static const char *word_at(const struct parser *parser, int index, const char *what)
{
    if (index >= parser->words_count)
        FAIL(parser, "%s is missing", what);
    return parser->words[index];
}

static bool word_is(const struct parser *parser, int index, const char *word)
{
    return index < parser->words_count && strcmp(parser->words[index], word) == 0;
}

static bool number_read(const char *word, char **ret_end, int *ret_number)
{
    errno = 0;
    const long number = strtol(word, ret_end, 10);
    if (!isdigit((unsigned char)*word) || errno != 0 || number > VERSION_MAX)
        return false;
    *ret_number = (int)number;
    return true;
}

static int number_at(const struct parser *parser, int index, const char *what)
{
    const char *word = word_at(parser, index, what);
    char *end = NULL;
    int number = 0;
    if (!number_read(word, &end, &number) || *end != '\0')
        FAIL(parser, "%s has to be a number up to %d, not \"%s\"", what, VERSION_MAX, word);
    return number;
}

/* "4+", "-12", "3-7" or "3": what is left open is filled from `all`. */
static bool versions_read(const char *word, struct versions all, struct versions *ret_versions)
{
    struct versions versions = all;
    char *end = NULL;

    if (*word == '-') {
        if (!number_read(word + 1, &end, &versions.last) || *end != '\0')
            return false;
    } else {
        if (!number_read(word, &end, &versions.first))
            return false;
        if (*end == '\0')
            versions.last = versions.first;
        else if (strcmp(end, "+") != 0 &&
                 (*end != '-' || !number_read(end + 1, &end, &versions.last) || *end != '\0'))
            return false;
    }
    *ret_versions = versions;
    return true;
}

/* A range that takes something away from `all`, and leaves something. */
static struct versions versions_within(const struct parser *parser, const char *word,
                                       struct versions all)
{
    struct versions versions;
    if (!versions_read(word, all, &versions))
        FAIL(parser, "\"%s\" is not a range of versions", word);
    if (versions.first < all.first || versions.last > all.last || versions.first > versions.last)
        FAIL(parser, "versions %s do not lie within %d-%d", word, all.first, all.last);
    if (versions.first == all.first && versions.last == all.last)
        FAIL(parser, "versions %s leave nothing out of %d-%d", word, all.first, all.last);
    return versions;
}

static const char *name_at(const struct parser *parser, int index)
{
    const char *name = word_at(parser, index, "the name");
    bool good = islower((unsigned char)*name);
    for (const char *at = name; *at != '\0'; at++)
        good = good && (islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_');
    if (!good)
        FAIL(parser, "\"%s\" is not a name in snake_case", name);
    return text("%s", name);
}

/* The shape's place in the list is before its parent's, so that its C struct is declared first. */
static struct shape *shape_new(struct parser *parser, const char *name, struct versions versions)
{
    for (const struct shape *other = parser->schema->shapes; other != NULL; other = other->next)
        if (strcmp(other->name, name) == 0)
            FAIL(parser, "struct %s is declared twice", name);
    struct shape *shape = take(sizeof(*shape));
    shape->name = name;
    shape->versions = versions;
    shape->next = parser->schema->shapes;
    parser->schema->shapes = shape;
    return shape;
}

static struct message *message_new(struct parser *parser, const char *name,
                                   struct versions versions, int flexible)
{
    struct message *message = take(sizeof(*message));
    message->name = name;
    message->versions = versions;
    message->flexible = flexible;
    message->prefix = -1;
    message->shape = shape_new(parser, name, versions);
    struct message **last = &parser->schema->messages;
    while (*last != NULL)
        last = &(*last)->next;
    *last = message;
    parser->message = message;
    parser->open[0] = message->shape;
    parser->depth = 1;
    return message;
}

/* "versions A-B [flexible V]" and the end of the line, from the word at `index` on. */
static struct versions versions_clause(const struct parser *parser, int index, int *ret_flexible)
{
    struct versions versions = {0, -1};
    if (!word_is(parser, index, "versions"))
        FAIL(parser, "\"versions A-B\" is missing");
    const char *word = word_at(parser, index + 1, "the range of versions");
    if (!versions_read(word, versions, &versions) || versions.last < versions.first)
        FAIL(parser, "\"%s\" is not a range of versions", word);
    index += 2;
    *ret_flexible = INT_MAX;
    if (word_is(parser, index, "flexible")) {
        *ret_flexible = number_at(parser, index + 1, "the first flexible version");
        if (*ret_flexible > versions.last)
            FAIL(parser, "flexible %d lies above the last version", *ret_flexible);
        index += 2;
    }
    if (index < parser->words_count)
        FAIL(parser, "\"%s\" is not expected here", parser->words[index]);
    return versions;
}

static void api_finished(const struct parser *parser)
{
    if (parser->api != NULL && parser->api->response == NULL)
        fail_at(parser->file, parser->api->line, "api %s needs a request and a response",
                parser->api->name);
}

static void parse_api(struct parser *parser)
{
    struct api *api = take(sizeof(*api));
    api->name = name_at(parser, 1);
    api->key = number_at(parser, 2, "the API's key");
    api->versions = versions_clause(parser, 3, &api->flexible);
    api->file = parser->file;
    api->line = parser->line;
    struct api **place = &parser->schema->apis;
    while (*place != NULL && (*place)->key < api->key)
        place = &(*place)->next;
    if (*place != NULL && (*place)->key == api->key)
        FAIL(parser, "key %d is that of %s, in %s:%d", api->key, (*place)->name, (*place)->file,
             (*place)->line);
    api->next = *place;
    *place = api;
    parser->api = api;
    parser->message = NULL;
}

static void parse_half(struct parser *parser, bool response)
{
    struct api *api = parser->api;
    const char *half = parser->words[0];

    if (parser->words_count > 1)
        FAIL(parser, "\"%s\" is not expected here", parser->words[1]);
    if (api == NULL || api->response != NULL || (api->request != NULL) != response)
        FAIL(parser, "a %s stands here that belongs to no api", half);
    struct message *message =
        message_new(parser, text("%s_%s", api->name, half), api->versions, api->flexible);
    if (response)
        api->response = message;
    else
        api->request = message;
}

static void parse_single(struct parser *parser, bool record)
{
    const char *name = name_at(parser, 1);
    int flexible = INT_MAX;
    int type = -1;
    int index = 2;

    if (record) {
        if (!word_is(parser, index, "type"))
            FAIL(parser, "\"type T\" is missing");
        type = number_at(parser, index + 1, "the record's type");
        index += 2;
    }
    const struct versions versions = versions_clause(parser, index, &flexible);
    struct message *message = message_new(parser, name, versions, flexible);
    const size_t length = strlen(name);
    if (record && length > 4 && strcmp(name + length - 4, "_key") == 0) {
        if (versions.last != 0)
            FAIL(parser, "a key is prefixed by its type, so it can have no version but 0");
        message->prefix = type;
    }
}

static void parse_message_line(struct parser *parser)
{
    const char *word = parser->words[0];

    if (strcmp(word, "request") == 0 || strcmp(word, "response") == 0) {
        parse_half(parser, strcmp(word, "response") == 0);
        return;
    }
    api_finished(parser);
    parser->api = NULL;
    if (strcmp(word, "api") == 0)
        parse_api(parser);
    else if (strcmp(word, "record") == 0)
        parse_single(parser, true);
    else if (strcmp(word, "header") == 0 || strcmp(word, "data") == 0)
        parse_single(parser, false);
    else
        FAIL(parser, "\"%s\" begins no message", word);
}

static void parse_type(struct parser *parser, struct field *field, const char *word)
{
    const char *name = word;
    if (*name == '?') {
        field->nullable = true;
        name++;
    }
    if (strncmp(name, "[]", 2) == 0) {
        field->array = true;
        name += 2;
    }
    if (strcmp(name, field->array ? "" : "{}") == 0) {
        field->type = TYPE_STRUCT;
        return;
    }
    for (int type = 0; type < TYPES_NAMED; type++) {
        if (strcmp(name, type_infos[type].name) != 0)
            continue;
        field->type = (enum type)type;
        if (field->nullable && !field->array && type < TYPE_STRING)
            FAIL(parser, "%s has no null", name);
        if (field->array && type == TYPE_RECORDS)
            FAIL(parser, "there are no arrays of records");
        return;
    }
    FAIL(parser, "\"%s\" is not a type", word);
}

/* "-1", "0x7fffffff", "true" or "null" behind the equals sign. */
static void parse_default(struct parser *parser, struct field *field, const char *word)
{
    const struct type_info *info = &type_infos[field->type];
    char *end = NULL;

    if (strcmp(word, "null") == 0) {
        if (!field->nullable || field->null.first != field->versions.first ||
            field->null.last != field->versions.last)
            FAIL(parser, "the default null needs a type that is nullable in every version");
        field->default_null = true;
        return;
    }
    field->has_default = true;
    if (field->type == TYPE_BOOL && !field->array && strcmp(word, "true") == 0) {
        field->default_value = 1;
        return;
    }
    errno = 0;
    const long long value = strtoll(word, &end, 0);
    if (field->array || info->max == 0 || end == word || *end != '\0')
        FAIL(parser, "\"%s\" is not a default of this type", word);
    if (errno != 0 || value < info->min || value > info->max)
        FAIL(parser, "the default %s does not fit %s", word, info->name);
    field->default_value = value;
}

static void check_tag(const struct parser *parser, const struct field *field)
{
    if (field->tag > TAG_MAX)
        FAIL(parser, "tags end at %d", TAG_MAX);
    if (field->versions.first < parser->message->flexible)
        FAIL(parser, "tag %d is not possible below the first flexible version", field->tag);
    if (field->type == TYPE_STRUCT && !field->array && field->nullable)
        FAIL(parser, "a nullable struct cannot be tagged");
    for (const struct field *other = parser->open[parser->depth - 1]->fields; other != NULL;
         other = other->next)
        if (other->tag == field->tag && other->versions.first <= field->versions.last &&
            field->versions.first <= other->versions.last)
            FAIL(parser, "tag %d is that of %s", field->tag, other->name);
}

/* Everything behind name and type, in the order that the language has it. */
static void parse_attributes(struct parser *parser, struct field *field)
{
    int index = 2;

    if (index < parser->words_count &&
        (isdigit((unsigned char)parser->words[index][0]) || parser->words[index][0] == '-'))
        field->versions = versions_within(parser, parser->words[index++], field->versions);
    field->null = field->versions;
    if (word_is(parser, index, "null")) {
        if (!field->nullable)
            FAIL(parser, "\"null\" needs a nullable type");
        field->null = versions_within(
            parser, word_at(parser, index + 1, "the range of versions with null"), field->versions);
        index += 2;
    }
    if (word_is(parser, index, "tag")) {
        field->tag = number_at(parser, index + 1, "the tag");
        check_tag(parser, field);
        index += 2;
    }
    if (word_is(parser, index, "plain")) {
        if (field->type != TYPE_STRING || field->array)
            FAIL(parser, "\"plain\" needs a string");
        field->plain = true;
        index++;
    }
    if (word_is(parser, index, "=")) {
        parse_default(parser, field, word_at(parser, index + 1, "the default"));
        index += 2;
    }
    if (index < parser->words_count)
        FAIL(parser, "\"%s\" is not expected here", parser->words[index]);
}

/* The singular of an array's name, for its element's struct. */
static const char *singular(const char *name)
{
    const size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, "ies") == 0)
        return text("%.*sy", (int)length - 3, name);
    if (length > 1 && name[length - 1] == 's')
        return text("%.*s", (int)length - 1, name);
    return name;
}

static void parse_field(struct parser *parser, int depth)
{
    if (parser->message == NULL)
        FAIL(parser, "a field stands here that belongs to no message");
    if (depth > parser->depth)
        FAIL(parser, "a field stands deeper than the struct that it could be in");
    parser->depth = depth;
    struct shape *shape = parser->open[depth - 1];
    struct field *field = take(sizeof(*field));
    field->name = name_at(parser, 0);
    field->tag = -1;
    field->file = parser->file;
    field->line = parser->line;
    field->versions = shape->versions;
    parse_type(parser, field, word_at(parser, 1, "the type"));
    parse_attributes(parser, field);
    if (field->type == TYPE_STRUCT && !field->array && field->nullable && !field->default_null)
        FAIL(parser, "a nullable struct has the default null, which has to be said");
    struct field **last = &shape->fields;
    for (; *last != NULL; last = &(*last)->next)
        if (strcmp((*last)->name, field->name) == 0)
            FAIL(parser, "field %s is declared twice", field->name);
    *last = field;
    if (field->type != TYPE_STRUCT)
        return;
    if (depth == DEPTH_MAX)
        FAIL(parser, "structs are nested deeper than %d", DEPTH_MAX);
    const char *name = field->array ? singular(field->name) : field->name;
    field->shape = shape_new(parser, text("%s_%s", shape->name, name), field->versions);
    parser->open[parser->depth++] = field->shape;
}

static void parse_line(struct parser *parser, char *line)
{
    line[strcspn(line, "#\n")] = '\0';
    const size_t indent = strspn(line, " ");
    split_words(parser, line);
    if (parser->words_count == 0)
        return;
    if (indent == 0)
        parse_message_line(parser);
    else if (indent % 2 != 0 || indent / 2 > DEPTH_MAX)
        FAIL(parser, "the indentation is not two spaces a level");
    else
        parse_field(parser, (int)(indent / 2));
}

void parse_file(struct schema *schema, const char *file)
{
    struct parser parser = {.schema = schema, .file = file};
    char line[LINE_BYTES_MAX];
    FILE *in = fopen(file, "r");

    if (in == NULL)
        fail_at(file, 0, "%s", strerror(errno));
    while (fgets(line, sizeof(line), in) != NULL) {
        parser.line++;
        if (strchr(line, '\n') == NULL)
            FAIL(&parser, "the line is longer than %d bytes, or has no end", LINE_BYTES_MAX);
        if (strchr(line, '\t') != NULL)
            FAIL(&parser, "there is a tab");
        parse_line(&parser, line);
    }
    if (ferror(in))
        FAIL(&parser, "%s", strerror(errno));
    fclose(in);
    api_finished(&parser);
}
