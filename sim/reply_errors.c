/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reply_errors.h"

#include <string.h>

struct search {
    const struct wire_tables *tables;
    void (*found)(void *context, int16_t error);
    void *context;
};

static void search_struct(const struct search *search, const struct wire_plan *plan,
                          const uint8_t *object);

static bool names_an_error(const char *name)
{
    static const char end[] = "error_code";
    const size_t length = strlen(name);
    return length >= sizeof(end) - 1 && strcmp(name + length - (sizeof(end) - 1), end) == 0;
}

static void search_array(const struct search *search, const struct wire_plan *plan,
                         const uint8_t *field)
{
    const uint8_t *item;
    int32_t count;
    memcpy(&item, field, sizeof(item));
    memcpy(&count, WIRE_COUNT_OFFSET(field), sizeof(count));
    const size_t size = search->tables->shapes[plan->shape].size;
    for (int32_t i = 0; i < count; i++)
        search_struct(search, plan, item + (size_t)i * size);
}

static void search_field(const struct search *search, const struct wire_step *step,
                         const uint8_t *field)
{
    const struct wire_plan *plan = &search->tables->plans[step->child];
    const uint8_t *object;
    int16_t error;
    switch (step->kind) {
    case WIRE_INT16:
        memcpy(&error, field, sizeof(error));
        if (error != 0 && names_an_error(search->tables->names + step->name))
            search->found(search->context, error);
        break;
    case WIRE_ARRAY:
        search_array(search, plan, field);
        break;
    case WIRE_STRUCT:
        search_struct(search, plan, field);
        break;
    case WIRE_OPTIONAL:
        memcpy(&object, field, sizeof(object));
        if (object != NULL)
            search_struct(search, plan, object);
        break;
    default:
        break;
    }
}

static void search_struct(const struct search *search, const struct wire_plan *plan,
                          const uint8_t *object)
{
    for (uint32_t i = 0; i < (uint32_t)plan->count + plan->tagged_count; i++) {
        const struct wire_step *step = &search->tables->steps[plan->first + i];
        search_field(search, step, object + step->offset);
    }
}

void reply_errors(const struct exchange *exchange, void (*found)(void *context, int16_t error),
                  void *context)
{
    const struct wire_schema *schema = exchange->api->response;
    const struct search search = {.tables = schema->tables, .found = found, .context = context};
    const uint16_t plan = schema->plans[exchange->version - schema->version_min];
    search_struct(&search, &schema->tables->plans[plan], exchange->response);
}
