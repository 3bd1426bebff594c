/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wire/random.h"

#include <string.h>

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/scalar.h"

struct filler {
    const struct wire_tables *tables;
    struct rng *rng;
    struct arena *arena;
};

static uint64_t below(struct filler *filler, uint64_t limit)
{
    return rng_next(filler->rng) % limit;
}

static void fill_struct(struct filler *filler, const struct wire_plan *plan, uint8_t *object);

static void *take(struct filler *filler, size_t count, size_t size)
{
    void *piece = arena_array(filler->arena, count, size);
    CHECK(piece != NULL);
    return piece;
}

/* Now and then longer than a compact length of one byte can say. Strings are letters, so that
 * Kafka, which keeps them as text, gives them back as they were. */
static struct span random_span(struct filler *filler, bool letters, bool nullable)
{
    if (nullable && below(filler, 3) == 0)
        return SPAN_NULL;
    const size_t length =
        below(filler, 8) == 0 ? below(filler, RANDOM_BYTES_MAX + 1) : below(filler, 12);
    uint8_t *bytes = take(filler, length, 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = letters ? (uint8_t)('a' + below(filler, 26)) : (uint8_t)rng_next(filler->rng);
    return span_of(bytes, length);
}

static void fill_scalar(struct filler *filler, unsigned kind, bool nullable, uint8_t *field)
{
    static const uint64_t edges[] = {0, 1, UINT64_MAX, 0x7f, 0x80, 0x7fffffffffffffff};
    uint64_t bits = rng_next(filler->rng);

    if (kind >= WIRE_STRING) {
        const struct span span = random_span(filler, kind == WIRE_STRING, nullable);
        memcpy(field, &span, sizeof(span));
    } else if (kind == WIRE_BOOL) {
        *(bool *)field = (bits & 1) != 0;
    } else if (kind == WIRE_UUID) {
        const struct uuid uuid = below(filler, 4) == 0 ? (struct uuid){{0}} : rng_uuid(filler->rng);
        memcpy(field, &uuid, sizeof(uuid));
    } else {
        if (below(filler, 2) == 0)
            bits = edges[below(filler, sizeof(edges) / sizeof(edges[0]))];
        memcpy(field, &bits, wire_scalar_size(kind));
    }
}

static void fill_items(struct filler *filler, const struct wire_step *step, uint8_t *field)
{
    const bool nullable = (step->flags & WIRE_NULLABLE) != 0;
    const struct wire_plan *plan =
        step->kind == WIRE_ARRAY ? &filler->tables->plans[step->child] : NULL;
    const struct wire_shape *shape = plan == NULL ? NULL : &filler->tables->shapes[plan->shape];
    const size_t size = shape == NULL ? wire_scalar_size(step->child) : shape->size;
    const int32_t count =
        nullable && below(filler, 3) == 0 ? -1 : (int32_t)below(filler, RANDOM_ITEMS_MAX + 1);
    uint8_t *items = count > 0 ? take(filler, (size_t)count, size) : NULL;

    memcpy(field, &items, sizeof(items));
    memcpy(WIRE_COUNT_OFFSET(field), &count, sizeof(count));
    for (int32_t i = 0; i < count; i++, items += size) {
        if (shape == NULL) {
            fill_scalar(filler, step->child, false, items);
            continue;
        }
        if (shape->defaults != NULL)
            memcpy(items, shape->defaults, size);
        fill_struct(filler, plan, items);
    }
}

static void fill_field(struct filler *filler, const struct wire_step *step, uint8_t *field)
{
    const struct wire_plan *plan = &filler->tables->plans[step->child];
    uint8_t *object = NULL;

    switch (step->kind) {
    case WIRE_LIST:
    case WIRE_ARRAY:
        fill_items(filler, step, field);
        break;
    case WIRE_STRUCT:
        fill_struct(filler, plan, field);
        break;
    case WIRE_OPTIONAL:
        if (below(filler, 3) > 0) {
            const struct wire_shape *shape = &filler->tables->shapes[plan->shape];
            object = take(filler, 1, shape->size);
            if (shape->defaults != NULL)
                memcpy(object, shape->defaults, shape->size);
            fill_struct(filler, plan, object);
        }
        memcpy(field, &object, sizeof(object));
        break;
    default:
        fill_scalar(filler, step->kind, (step->flags & WIRE_NULLABLE) != 0, field);
    }
}

/* Tagged fields stay at their defaults now and then, so that they are left out. */
static void fill_struct(struct filler *filler, const struct wire_plan *plan, uint8_t *object)
{
    const struct wire_step *step = &filler->tables->steps[plan->first];

    for (unsigned i = 0; i < plan->count + plan->tagged_count; i++, step++)
        if (i < plan->count || below(filler, 3) > 0)
            fill_field(filler, step, object + step->offset);
}

void *random_message(const struct wire_schema *schema, int16_t version, struct rng *rng,
                     struct arena *arena)
{
    struct filler filler = {.tables = schema->tables, .rng = rng, .arena = arena};
    void *message = take(&filler, 1, schema->size);

    wire_defaults(schema, message);
    fill_struct(&filler, wire_plan_of(schema, version), message);
    return message;
}

static const char *struct_difference(const struct wire_tables *tables, const struct wire_plan *plan,
                                     const uint8_t *a, const uint8_t *b);

static bool spans_differ(const uint8_t *a, const uint8_t *b)
{
    struct span left;
    struct span right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return span_is_null(left) != span_is_null(right) || !span_equal(left, right);
}

static bool scalars_differ(unsigned kind, const uint8_t *a, const uint8_t *b)
{
    return kind >= WIRE_STRING ? spans_differ(a, b) : memcmp(a, b, wire_scalar_size(kind)) != 0;
}

static bool items_differ(const struct wire_tables *tables, const struct wire_step *step,
                         const uint8_t *a, const uint8_t *b)
{
    const struct wire_plan *plan = step->kind == WIRE_ARRAY ? &tables->plans[step->child] : NULL;
    const size_t size =
        plan == NULL ? wire_scalar_size(step->child) : tables->shapes[plan->shape].size;
    const uint8_t *left = NULL;
    const uint8_t *right = NULL;
    int32_t count = 0;

    memcpy(&count, WIRE_COUNT_OFFSET(a), sizeof(count));
    if (memcmp(&count, WIRE_COUNT_OFFSET(b), sizeof(count)) != 0)
        return true;
    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    for (int32_t i = 0; i < count; i++, left += size, right += size)
        if (plan == NULL ? scalars_differ(step->child, left, right)
                         : struct_difference(tables, plan, left, right) != NULL)
            return true;
    return false;
}

static bool fields_differ(const struct wire_tables *tables, const struct wire_step *step,
                          const uint8_t *a, const uint8_t *b)
{
    const struct wire_plan *plan = &tables->plans[step->child];
    const uint8_t *left = a;
    const uint8_t *right = b;

    switch (step->kind) {
    case WIRE_LIST:
    case WIRE_ARRAY:
        return items_differ(tables, step, a, b);
    case WIRE_OPTIONAL:
        memcpy(&left, a, sizeof(left));
        memcpy(&right, b, sizeof(right));
        if (left == NULL || right == NULL)
            return left != right;
        return struct_difference(tables, plan, left, right) != NULL;
    case WIRE_STRUCT:
        return struct_difference(tables, plan, left, right) != NULL;
    default:
        return scalars_differ(step->kind, a, b);
    }
}

static const char *struct_difference(const struct wire_tables *tables, const struct wire_plan *plan,
                                     const uint8_t *a, const uint8_t *b)
{
    const struct wire_step *step = &tables->steps[plan->first];

    for (unsigned i = 0; i < plan->count + plan->tagged_count; i++, step++)
        if (fields_differ(tables, step, a + step->offset, b + step->offset))
            return tables->names + step->name;
    return NULL;
}

const char *random_difference(const struct wire_schema *schema, int16_t version, const void *a,
                              const void *b)
{
    return struct_difference(schema->tables, wire_plan_of(schema, version), a, b);
}
