/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario_parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "sim/memory.h"
#include "sim/scenario_reader.h"

__attribute__((format(printf, 3, 0))) static void
refuse(struct reader *reader, const struct json_place *place, const char *format, va_list arguments)
{
    if (reader->refused)
        return;
    reader->refused = true;
    json_place_find(reader->text, place, &reader->error->line, &reader->error->column);
    vsnprintf(reader->error->text, sizeof(reader->error->text), format, arguments);
}

void reader_refuse(struct reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse(reader, &reader->place, format, arguments);
    va_end(arguments);
}

/* The number of a member, in the order of the text; -1 when there is none. */
static int member_number(json_t *object, const char *key)
{
    const char *name;
    json_t *value;
    int number = 0;
    json_object_foreach(object, name, value)
    {
        if (strcmp(name, key) == 0)
            return number;
        number++;
    }
    return -1;
}

void reader_refuse_member(struct reader *reader, json_t *object, const char *key,
                          const char *format, ...)
{
    struct json_place place = reader->place;
    const int number = member_number(object, key);
    if (number >= 0)
        json_place_enter(&place, (uint32_t)number);
    va_list arguments;
    va_start(arguments, format);
    refuse(reader, &place, format, arguments);
    va_end(arguments);
}

void reader_enter(struct reader *reader, json_t *object, const char *key)
{
    json_place_enter(&reader->place, (uint32_t)member_number(object, key));
}

int scenario_parse(struct span text, const char *name, struct scenario *ret_scenario,
                   struct scenario_error *ret_error)
{
    *ret_error = (struct scenario_error){.line = 1, .column = 1};
    if (text.length > SCENARIO_FILE_BYTES_MAX) {
        snprintf(ret_error->text, sizeof(ret_error->text), "the file has more than %zu bytes",
                 SCENARIO_FILE_BYTES_MAX);
        return -1;
    }
    json_error_t error;
    json_t *root = json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        ret_error->line = error.line > 0 ? (uint32_t)error.line : 1;
        ret_error->column = error.column > 0 ? (uint32_t)error.column : 1;
        snprintf(ret_error->text, sizeof(ret_error->text), "this is not JSON: %s", error.text);
        return -1;
    }
    struct reader reader = {.text = text, .error = ret_error};
    struct scenario scenario = {0};
    reader_object(&reader, root, OBJECT_SCENARIO, &scenario);
    if (!reader.refused && scenario.nodes_count == 0) {
        scenario.nodes = sim_allocate(NULL, sizeof(*scenario.nodes));
        scenario.nodes[0] = (struct scenario_node){0};
        scenario.nodes_count = 1;
    }
    if (!reader.refused)
        reader_check(&reader, root, &scenario);
    json_decref(root);
    if (reader.refused) {
        scenario_free(&scenario);
        return -1;
    }
    scenario.name = sim_text_copy(name, strlen(name));
    *ret_scenario = scenario;
    return 0;
}

/* Reads a whole file of at most one byte more than is allowed. Returns its bytes, terminated, to be
 * freed; NULL with errno. */
static char *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    char *bytes = sim_allocate(NULL, SCENARIO_FILE_BYTES_MAX + 2);
    *ret_length = fread(bytes, 1, SCENARIO_FILE_BYTES_MAX + 1, file);
    bytes[*ret_length] = '\0';
    if (ferror(file)) {
        const int error = errno;
        free(bytes);
        bytes = NULL;
        errno = error;
    }
    const int error = errno;
    fclose(file);
    errno = error;
    return bytes;
}

/* The part of a path between the last '/' and the last '.'; owned by the caller. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    return sim_text_copy(name, dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name));
}

int scenario_load(const char *path, struct scenario *ret_scenario, char **ret_text, FILE *errors)
{
    size_t length = 0;
    struct scenario_error error;
    char *bytes = read_file(path, &length);
    if (bytes == NULL) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    char *name = name_of(path);
    const int result = scenario_parse(span_of(bytes, length), name, ret_scenario, &error);
    if (result != 0)
        fprintf(errors, "%s:%u:%u: %s\n", path, error.line, error.column, error.text);
    free(name);
    if (result != 0)
        free(bytes);
    else
        *ret_text = bytes;
    return result;
}
