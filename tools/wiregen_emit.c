/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the C structs and the constant tables. */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/wiregen.h"

/* What an index in the tables can be (core/wire/schema.h). */
#define INDEX_MAX UINT16_MAX

#define BANNER "/* Made by tools/wiregen.c from schema files. */\n"

static char *in_capitals(const char *name)
{
    char *out = text("%s", name);
    for (char *at = out; *at != '\0'; at++)
        *at = (char)(isalnum((unsigned char)*at) ? toupper((unsigned char)*at) : '_');
    return out;
}

/* "InitProducerId" for init_producer_id. */
static char *in_camel_case(const char *name)
{
    char *out = text("%s", name);
    char *to = out;
    bool start = true;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at != '_')
            *to++ = (char)(start ? toupper((unsigned char)*at) : *at);
        start = *at == '_';
    }
    *to = '\0';
    return out;
}

static void emit_field(FILE *out, const struct field *field)
{
    const bool pointer = field->array || (field->shape != NULL && field->nullable);

    if (field->shape != NULL)
        fprintf(out, "    struct %s ", field->shape->name);
    else
        fprintf(out, "    %s ", type_infos[field->type].c);
    fprintf(out, "%s%s;\n", pointer ? "*" : "", field->name);
    if (field->array)
        fprintf(out, "    int32_t %s_count;\n", field->name);
}

void emit_header(FILE *out, const struct schema *schema, const char *stem)
{
    char *guard = in_capitals(stem);

    fprintf(out, BANNER "#ifndef %s_H\n#define %s_H\n\n", guard, guard);
    fprintf(out, "#include \"core/wire/schema.h\"\n\n");
    if (schema->apis != NULL) {
        fprintf(out, "enum wire_api_key {\n");
        for (const struct api *api = schema->apis; api != NULL; api = api->next)
            fprintf(out, "    API_%s = %d,\n", in_capitals(api->name), api->key);
        fprintf(out, "};\n\n");
    }
    for (const struct shape *shape = schema->shapes; shape != NULL; shape = shape->next) {
        fprintf(out, "struct %s {\n", shape->name);
        for (const struct field *field = shape->fields; field != NULL; field = field->next)
            emit_field(out, field);
        fprintf(out, "};\n");
        if (!shape->zero)
            fprintf(out, "extern const struct %s wire_default_%s;\n", shape->name, shape->name);
        fprintf(out, "\n");
    }
    for (const struct message *message = schema->messages; message != NULL; message = message->next)
        fprintf(out, "extern const struct wire_schema wire_%s;\n", message->name);
    fprintf(out, "\n#endif\n");
}

/* Names are kept once, in one string, so that the tables need no pointers to them. */
static const char **names;
static size_t names_count;
static size_t names_bytes;

static size_t name_place(const char *name)
{
    size_t place = 0;
    for (size_t i = 0; i < names_count; i++) {
        if (strcmp(names[i], name) == 0)
            return place;
        place += strlen(names[i]) + 1;
    }
    names = realloc(names, (names_count + 1) * sizeof(*names));
    if (names == NULL)
        abort();
    names[names_count++] = name;
    names_bytes += strlen(name) + 1;
    return place;
}

static void emit_number(FILE *out, enum type type, int64_t value)
{
    if (value == INT64_MIN)
        fprintf(out, "INT64_MIN");
    else if (value == INT32_MIN)
        fprintf(out, "INT32_MIN");
    else if (type == TYPE_INT64)
        fprintf(out, "INT64_C(%" PRId64 ")", value);
    else
        fprintf(out, "%" PRId64, value);
}

/* Strings and bytes without a default are empty, which is not null; so are records that know no
 * null. */
static bool is_empty(const struct field *field)
{
    if (field->array || field->default_null)
        return false;
    return field->type == TYPE_STRING || field->type == TYPE_BYTES ||
           (field->type == TYPE_RECORDS && !field->nullable);
}

/* Whether the field's default is anything but zero bytes. */
static bool default_is_set(const struct field *field)
{
    if (field->type == TYPE_STRUCT && !field->array && !field->nullable)
        return !field->shape->zero;
    if (field->array)
        return field->default_null;
    return is_empty(field) || (field->has_default && field->default_value != 0);
}

static void emit_defaults(FILE *out, const struct shape *shape)
{
    const char *comma = "";

    fputc('{', out);
    for (const struct field *field = shape->fields; field != NULL; field = field->next) {
        if (!default_is_set(field))
            continue;
        fprintf(out, "%s.%s%s = ", comma, field->name, field->array ? "_count" : "");
        if (field->array)
            fprintf(out, "-1");
        else if (field->shape != NULL)
            emit_defaults(out, field->shape);
        else if (is_empty(field))
            fprintf(out, "{(const uint8_t *)\"\", 0}");
        else
            emit_number(out, field->type, field->default_value);
        comma = ", ";
    }
    fputc('}', out);
}

void find_zero_shapes(struct schema *schema)
{
    for (struct shape *shape = schema->shapes; shape != NULL; shape = shape->next) {
        shape->zero = true;
        for (const struct field *field = shape->fields; field != NULL; field = field->next)
            shape->zero = shape->zero && !default_is_set(field);
    }
}

static void emit_shapes(FILE *out, const struct schema *schema)
{
    unsigned count = 0;

    for (struct shape *shape = schema->shapes; shape != NULL; shape = shape->next) {
        shape->index = count++;
        if (shape->zero)
            continue;
        fprintf(out, "const struct %s wire_default_%s =\n    ", shape->name, shape->name);
        emit_defaults(out, shape);
        fprintf(out, ";\n");
    }
    fprintf(out, "\nstatic const struct wire_shape shapes[] = {\n");
    for (const struct shape *shape = schema->shapes; shape != NULL; shape = shape->next)
        fprintf(out, "    {%s%s, sizeof(struct %s)},\n", shape->zero ? "NULL" : "&wire_default_",
                shape->zero ? "" : shape->name, shape->name);
    fprintf(out, "};\n\n");
}

static void emit_step(FILE *out, const struct plan *plan, const struct step *step)
{
    const struct field *field = step->field;
    const char *kind = type_infos[field->type].wire_kind;
    const char *flags = step->compact
                            ? (step->nullable ? "WIRE_COMPACT | WIRE_NULLABLE" : "WIRE_COMPACT")
                            : (step->nullable ? "WIRE_NULLABLE" : "0");
    char *child = field->shape != NULL ? text("%u", step->child) : text("0");

    if (field->array && field->shape != NULL)
        kind = "WIRE_ARRAY";
    else if (field->array) {
        child = text("%s", kind);
        kind = "WIRE_LIST";
    } else if (field->shape != NULL && field->nullable)
        kind = "WIRE_OPTIONAL";
    fprintf(out, "    {%s, %s, offsetof(struct %s, %s), %s, %d, %zu},\n", kind, flags,
            plan->shape->name, field->name, child, field->tag < 0 ? 0 : field->tag,
            name_place(field->name));
}

static void emit_plans(FILE *out)
{
    unsigned steps_count = 0;

    fprintf(out, "static const struct wire_step steps[] = {\n");
    for (const struct plan *plan = plans_all(); plan != NULL; plan = plan->next) {
        fprintf(out, "    /* plan %u: %s%s */\n", plan->index, plan->shape->name,
                plan->flexible ? ", flexible" : "");
        for (unsigned i = 0; i < plan->steps_count; i++)
            emit_step(out, plan, &plan->steps[i]);
        steps_count += plan->steps_count;
        if (plan->index > INDEX_MAX || steps_count > INDEX_MAX || names_bytes > INDEX_MAX) {
            fprintf(stderr, "wiregen: the tables outgrow their indexes\n");
            exit(1);
        }
    }
    fprintf(out, "};\n\nstatic const struct wire_plan plans[] = {\n");
    for (const struct plan *plan = plans_all(); plan != NULL; plan = plan->next)
        fprintf(out, "    {%u, %u, %u, %u, %u, %s},\n", plan->first,
                plan->steps_count - plan->tagged_count, plan->tagged_count, plan->least,
                plan->shape->index, plan->flexible ? "true" : "false");
    fprintf(out, "};\n\nstatic const char names[] =");
    for (size_t i = 0; i < names_count; i++)
        fprintf(out, "\n    \"%s\\0\"", names[i]);
    fprintf(out,
            ";\n\nstatic const struct wire_tables tables = {steps, plans, shapes, names};\n\n");
}

static void emit_message(FILE *out, const struct message *message)
{
    const char *name = message->name;

    fprintf(out, "static const uint16_t %s_plans[] = {", name);
    for (int version = message->versions.first; version <= message->versions.last; version++)
        fprintf(out, "%s%u", version == message->versions.first ? "" : ", ",
                plan_of(message->shape, version, version >= message->flexible)->index);
    fprintf(out, "};\nconst struct wire_schema wire_%s = {\n", name);
    fprintf(out, "    .name = \"%s\",\n    .tables = &tables,\n    .plans = %s_plans,\n", name,
            name);
    fprintf(out, "    .size = sizeof(struct %s),\n    .shape = %u,\n", name, message->shape->index);
    fprintf(out, "    .version_min = %d,\n    .version_max = %d,\n    .prefix = %d,\n};\n\n",
            message->versions.first, message->versions.last, message->prefix);
}

static void emit_lists(FILE *out, const struct schema *schema)
{
    fprintf(out, "const struct wire_schema *const wire_schemas[] = {\n");
    for (const struct message *message = schema->messages; message != NULL; message = message->next)
        fprintf(out, "    &wire_%s,\n", message->name);
    fprintf(out, "};\n\nconst uint32_t wire_schemas_count =\n"
                 "    sizeof(wire_schemas) / sizeof(wire_schemas[0]);\n\n");
    fprintf(out, "const struct wire_api wire_apis[] = {\n");
    for (const struct api *api = schema->apis; api != NULL; api = api->next)
        fprintf(out, "    {\"%s\", &wire_%s, &wire_%s, %d, %d, %d, %d},\n",
                in_camel_case(api->name), api->request->name, api->response->name, api->key,
                api->versions.first, api->versions.last,
                api->flexible == INT_MAX ? INT16_MAX : api->flexible);
    fprintf(out,
            "};\n\nconst uint32_t wire_apis_count = sizeof(wire_apis) / sizeof(wire_apis[0]);\n");
}

void emit_source(FILE *out, const struct schema *schema, const char *stem)
{
    fprintf(out, BANNER "#include \"%s.h\"\n\n#include <assert.h>\n#include <stddef.h>\n\n", stem);
    emit_shapes(out, schema);
    for (const struct shape *shape = schema->shapes; shape != NULL; shape = shape->next)
        for (const struct field *field = shape->fields; field != NULL; field = field->next)
            if (field->array)
                fprintf(out,
                        "static_assert(WIRE_COUNT_OFFSET(offsetof(struct %s, %s)) ==\n"
                        "                  offsetof(struct %s, %s_count),\n"
                        "              \"the count follows the pointer\");\n",
                        shape->name, field->name, shape->name, field->name);
    fputc('\n', out);
    emit_plans(out);
    for (const struct message *message = schema->messages; message != NULL; message = message->next)
        emit_message(out, message);
    if (schema->apis != NULL)
        emit_lists(out, schema);
}
