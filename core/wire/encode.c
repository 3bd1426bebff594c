/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/scalar.h"

/* A writer without capacity only counts; so a size is found by the very code that writes. */
static void encode_struct(struct wire_writer *writer, const struct wire_tables *tables,
                          const struct wire_plan *plan, const uint8_t *object);

/* Room for `size` more bytes; NULL when there is none, or no room was left before. */
static inline uint8_t *reserve(struct wire_writer *writer, size_t size)
{
    const size_t at = writer->length;
    writer->length += size;
    return writer->length <= writer->capacity ? writer->data + at : NULL;
}

static inline void encode_varint(struct wire_writer *writer, uint32_t value)
{
    uint8_t bytes[5];
    size_t count = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (uint8_t)(value | 0x80);
    bytes[count++] = (uint8_t)value;
    uint8_t *at = reserve(writer, count);
    if (at != NULL)
        memcpy(at, bytes, count);
}

/* A length or count, -1 for null. */
static inline void encode_length(struct wire_writer *writer, unsigned flags, size_t width,
                                 int32_t length)
{
    if ((flags & WIRE_COMPACT) != 0) {
        encode_varint(writer, (uint32_t)length + 1);
        return;
    }
    uint8_t *at = reserve(writer, width);
    if (at == NULL)
        return;
    if (width == 2)
        put_be16(at, (uint16_t)length);
    else
        put_be32(at, (uint32_t)length);
}

/* Notes that `length` bytes come from elsewhere. */
static void split_note(struct wire_writer *writer, size_t length)
{
    if (writer->splits_count < writer->splits_capacity)
        writer->splits[writer->splits_count] =
            (struct wire_split){.position = writer->length, .length = length};
    writer->splits_count++;
    writer->splits_bytes += length;
}

static inline void encode_span(struct wire_writer *writer, unsigned kind, unsigned flags,
                               const void *field)
{
    struct span span;

    memcpy(&span, field, sizeof(span));
    if (kind == WIRE_STRING && span.length > WIRE_STRING_BYTES_MAX)
        span.length = WIRE_STRING_BYTES_MAX;
    CHECK(span.length <= INT32_MAX);
    const bool null = span_is_null(span) && span.length == 0 && (flags & WIRE_NULLABLE) != 0;
    encode_length(writer, flags, kind == WIRE_STRING ? 2 : 4, null ? -1 : (int32_t)span.length);
    if (span_is_null(span) && kind == WIRE_RECORDS && span.length > 0) {
        split_note(writer, span.length);
        return;
    }
    CHECK(span.data != NULL || span.length == 0);
    uint8_t *at = reserve(writer, span.length);
    if (at != NULL && span.length > 0)
        memcpy(at, span.data, span.length);
}

static inline void encode_scalar(struct wire_writer *writer, unsigned kind, unsigned flags,
                                 const void *field)
{
    uint8_t *at = NULL;
    uint64_t bits = 0;

    switch (kind) {
    case WIRE_BOOL:
        at = reserve(writer, 1);
        if (at != NULL)
            *at = *(const bool *)field ? 1 : 0;
        break;
    case WIRE_INT8:
        at = reserve(writer, 1);
        if (at != NULL)
            *at = *(const uint8_t *)field;
        break;
    case WIRE_INT16:
    case WIRE_UINT16:
        at = reserve(writer, 2);
        if (at != NULL)
            put_be16(at, *(const uint16_t *)field);
        break;
    case WIRE_INT32:
    case WIRE_UINT32:
        at = reserve(writer, 4);
        if (at != NULL)
            put_be32(at, *(const uint32_t *)field);
        break;
    case WIRE_INT64:
    case WIRE_FLOAT64:
        memcpy(&bits, field, sizeof(bits));
        at = reserve(writer, 8);
        if (at != NULL)
            put_be64(at, bits);
        break;
    case WIRE_UUID:
        at = reserve(writer, sizeof(struct uuid));
        if (at != NULL)
            memcpy(at, field, sizeof(struct uuid));
        break;
    default:
        encode_span(writer, kind, flags, field);
    }
}

/* An array's elements and count; an array that has no null here is written as empty. */
static const uint8_t *encode_items(struct wire_writer *writer, const struct wire_step *step,
                                   const uint8_t *field, int32_t *ret_count)
{
    const uint8_t *items = NULL;
    int32_t count = 0;

    memcpy(&items, field, sizeof(items));
    memcpy(&count, WIRE_COUNT_OFFSET(field), sizeof(count));
    CHECK(count >= -1 && (items != NULL || count <= 0));
    if (count == -1 && (step->flags & WIRE_NULLABLE) == 0)
        count = 0;
    encode_length(writer, step->flags, 4, count);
    *ret_count = count;
    return items;
}

static void encode_list(struct wire_writer *writer, const struct wire_step *step,
                        const uint8_t *field)
{
    const size_t size = wire_scalar_size(step->child);
    int32_t count = 0;
    const uint8_t *item = encode_items(writer, step, field, &count);

    for (int32_t i = 0; i < count; i++) {
        encode_scalar(writer, step->child, step->flags & WIRE_COMPACT, item);
        item += size;
    }
}

static void encode_array(struct wire_writer *writer, const struct wire_tables *tables,
                         const struct wire_step *step, const uint8_t *field)
{
    const struct wire_plan *plan = &tables->plans[step->child];
    const size_t size = tables->shapes[plan->shape].size;
    int32_t count = 0;
    const uint8_t *item = encode_items(writer, step, field, &count);

    for (int32_t i = 0; i < count; i++) {
        encode_struct(writer, tables, plan, item);
        item += size;
    }
}

static void encode_optional(struct wire_writer *writer, const struct wire_tables *tables,
                            const struct wire_step *step, const uint8_t *field)
{
    const uint8_t *object = NULL;

    memcpy(&object, field, sizeof(object));
    uint8_t *at = reserve(writer, 1);
    if (at != NULL)
        *at = object == NULL ? UINT8_MAX : 1;
    if (object != NULL)
        encode_struct(writer, tables, &tables->plans[step->child], object);
}

static inline void encode_field(struct wire_writer *writer, const struct wire_tables *tables,
                                const struct wire_step *step, const uint8_t *field)
{
    switch (step->kind) {
    case WIRE_LIST:
        encode_list(writer, step, field);
        break;
    case WIRE_ARRAY:
        encode_array(writer, tables, step, field);
        break;
    case WIRE_STRUCT:
        encode_struct(writer, tables, &tables->plans[step->child], field);
        break;
    case WIRE_OPTIONAL:
        encode_optional(writer, tables, step, field);
        break;
    default:
        encode_scalar(writer, step->kind, step->flags, field);
    }
}

static bool is_default(const struct wire_tables *tables, const struct wire_step *step,
                       const uint8_t *field, const uint8_t *value);

/* Whether every field of a struct that the version has is at its default. */
static bool is_default_struct(const struct wire_tables *tables, const struct wire_plan *plan,
                              const uint8_t *object)
{
    const struct wire_step *step = &tables->steps[plan->first];
    const struct wire_step *end = step + plan->count + plan->tagged_count;
    const uint8_t *defaults = tables->shapes[plan->shape].defaults;

    for (; step < end; step++)
        if (!is_default(tables, step, object + step->offset,
                        defaults == NULL ? NULL : defaults + step->offset))
            return false;
    return true;
}

/* Whether a field is what `value`, a field of a defaults struct, says (NULL: zero bytes), as far as
 * this version can tell null from empty. */
static bool is_default(const struct wire_tables *tables, const struct wire_step *step,
                       const uint8_t *field, const uint8_t *value)
{
    static const uint8_t zero[sizeof(struct span)];
    const bool nullable = (step->flags & WIRE_NULLABLE) != 0;
    const void *pointer = NULL;
    struct span span;
    int32_t count = 0;
    int32_t default_count = 0;

    switch (step->kind) {
    case WIRE_LIST:
    case WIRE_ARRAY:
        memcpy(&count, WIRE_COUNT_OFFSET(field), sizeof(count));
        if (value != NULL)
            memcpy(&default_count, WIRE_COUNT_OFFSET(value), sizeof(default_count));
        return count == default_count || (count <= 0 && !nullable);
    case WIRE_STRUCT:
        return is_default_struct(tables, &tables->plans[step->child], field);
    case WIRE_OPTIONAL:
        memcpy(&pointer, field, sizeof(pointer));
        return pointer == NULL;
    case WIRE_STRING:
    case WIRE_BYTES:
    case WIRE_RECORDS:
        memcpy(&span, field, sizeof(span));
        if (value != NULL)
            memcpy(&pointer, value, sizeof(pointer));
        return span.length == 0 && (!nullable || (span.data == NULL) == (pointer == NULL));
    default:
        return memcmp(field, value == NULL ? zero : value, wire_scalar_size(step->kind)) == 0;
    }
}

/* The tag section: fields at their default are left out. Each one's size is counted first. */
static void encode_tags(struct wire_writer *writer, const struct wire_tables *tables,
                        const struct wire_plan *plan, const uint8_t *object)
{
    const struct wire_step *step = &tables->steps[plan->first + plan->count];
    const uint8_t *defaults = tables->shapes[plan->shape].defaults;
    uint64_t present = 0;
    uint32_t count = 0;

    for (unsigned i = 0; i < plan->tagged_count; i++) {
        const uint16_t offset = step[i].offset;
        if (!is_default(tables, &step[i], object + offset,
                        defaults == NULL ? NULL : defaults + offset)) {
            present |= UINT64_C(1) << i;
            count++;
        }
    }
    encode_varint(writer, count);
    for (unsigned i = 0; present != 0; i++, present >>= 1) {
        if ((present & 1) == 0)
            continue;
        struct wire_writer counter = {0};
        encode_field(&counter, tables, &step[i], object + step[i].offset);
        encode_varint(writer, step[i].tag);
        encode_varint(writer, (uint32_t)(counter.length + counter.splits_bytes));
        encode_field(writer, tables, &step[i], object + step[i].offset);
    }
}

static void encode_struct(struct wire_writer *writer, const struct wire_tables *tables,
                          const struct wire_plan *plan, const uint8_t *object)
{
    const struct wire_step *step = &tables->steps[plan->first];
    const struct wire_step *end = step + plan->count;

    for (; step < end; step++)
        encode_field(writer, tables, step, object + step->offset);
    if (plan->flexible)
        encode_tags(writer, tables, plan, object);
}

int wire_encode(const struct wire_schema *schema, int16_t version, const void *message,
                struct wire_writer *writer)
{
    CHECK(version >= schema->version_min && version <= schema->version_max);
    encode_struct(writer, schema->tables, wire_plan_of(schema, version), message);
    const bool fits =
        writer->length <= writer->capacity && writer->splits_count <= writer->splits_capacity;
    return fits ? ERR_NONE : ERR_SHORT;
}

size_t wire_size(const struct wire_schema *schema, int16_t version, const void *message)
{
    struct wire_writer counter = {0};

    (void)wire_encode(schema, version, message, &counter);
    return counter.length + counter.splits_bytes;
}

int wire_encode_record(const struct wire_schema *schema, int16_t version, const void *message,
                       struct wire_writer *writer)
{
    uint8_t *at = reserve(writer, 2);
    if (at != NULL)
        put_be16(at, (uint16_t)(schema->prefix == WIRE_PREFIX_VERSION ? version : schema->prefix));
    return wire_encode(schema, version, message, writer);
}

size_t wire_record_size(const struct wire_schema *schema, int16_t version, const void *message)
{
    return 2 + wire_size(schema, version, message);
}
