/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/scalar.h"

struct decoder {
    const uint8_t *at;
    const uint8_t *end;
    const struct wire_tables *tables;
    struct arena *arena;
};

static int decode_struct(struct decoder *decoder, const struct wire_plan *plan, uint8_t *object);

static size_t left(const struct decoder *decoder)
{
    return (size_t)(decoder->end - decoder->at);
}

/* The next `length` bytes, or NULL when there are fewer. */
static inline const uint8_t *take(struct decoder *decoder, size_t length)
{
    const uint8_t *at = decoder->at;
    if (length > left(decoder))
        return NULL;
    decoder->at = at + length;
    return at;
}

/* An unsigned number in groups of seven bits, low ones first; at most 32 bits in five bytes. */
static inline int decode_varint(struct decoder *decoder, uint32_t *ret_value)
{
    uint32_t value = 0;

    for (unsigned shift = 0; shift < 35 && decoder->at < decoder->end; shift += 7) {
        const uint8_t byte = *decoder->at++;
        if (shift == 28 && byte > 0x0f)
            return ERR_MALFORMED;
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return ERR_NONE;
        }
    }
    return ERR_MALFORMED;
}

/* A length or count, -1 for null; `width` bytes of it unless compact. */
static inline int decode_length(struct decoder *decoder, unsigned flags, size_t width,
                                int64_t *ret_length)
{
    int64_t length = 0;

    if ((flags & WIRE_COMPACT) != 0) {
        uint32_t plus_one = 0;
        const int error = decode_varint(decoder, &plus_one);
        if (error != ERR_NONE)
            return error;
        length = (int64_t)plus_one - 1;
    } else {
        const uint8_t *at = take(decoder, width);
        if (at == NULL)
            return ERR_MALFORMED;
        length = width == 2 ? (int16_t)get_be16(at) : (int32_t)get_be32(at);
    }
    if (length < -1 || length > INT32_MAX || (length == -1 && (flags & WIRE_NULLABLE) == 0))
        return ERR_MALFORMED;
    *ret_length = length;
    return ERR_NONE;
}

static inline int decode_span(struct decoder *decoder, unsigned kind, unsigned flags, void *field)
{
    int64_t length = 0;
    int error = decode_length(decoder, flags, kind == WIRE_STRING ? 2 : 4, &length);
    if (error != ERR_NONE)
        return error;
    struct span span = SPAN_NULL;
    if (length >= 0) {
        if (kind == WIRE_STRING && length > WIRE_STRING_BYTES_MAX)
            return ERR_MALFORMED;
        span = span_of(take(decoder, (size_t)length), (size_t)length);
        if (span_is_null(span))
            return ERR_MALFORMED;
    }
    memcpy(field, &span, sizeof(span));
    return ERR_NONE;
}

/* A number, id, string or bytes. */
static inline int decode_scalar(struct decoder *decoder, unsigned kind, unsigned flags, void *field)
{
    const uint8_t *at = NULL;

    switch (kind) {
    case WIRE_BOOL:
        at = take(decoder, 1);
        if (at != NULL)
            *(bool *)field = *at != 0;
        break;
    case WIRE_INT8:
        at = take(decoder, 1);
        if (at != NULL)
            *(uint8_t *)field = *at;
        break;
    case WIRE_INT16:
    case WIRE_UINT16:
        at = take(decoder, 2);
        if (at != NULL)
            *(uint16_t *)field = get_be16(at);
        break;
    case WIRE_INT32:
    case WIRE_UINT32:
        at = take(decoder, 4);
        if (at != NULL)
            *(uint32_t *)field = get_be32(at);
        break;
    case WIRE_INT64:
    case WIRE_FLOAT64:
        at = take(decoder, 8);
        if (at != NULL) {
            const uint64_t bits = get_be64(at);
            memcpy(field, &bits, sizeof(bits));
        }
        break;
    case WIRE_UUID:
        at = take(decoder, sizeof(struct uuid));
        if (at != NULL)
            memcpy(field, at, sizeof(struct uuid));
        break;
    default:
        return decode_span(decoder, kind, flags, field);
    }
    return at == NULL ? ERR_MALFORMED : ERR_NONE;
}

/* The fewest bytes that a list's element takes on the wire. */
static size_t scalar_least_bytes(unsigned kind, unsigned flags)
{
    if (kind < WIRE_STRING)
        return wire_scalar_size(kind);
    if ((flags & WIRE_COMPACT) != 0)
        return 1;
    return kind == WIRE_STRING ? 2 : 4;
}

/* Reads an array's count and takes memory for it, once the bytes left could hold so many
 * elements. */
static int decode_items(struct decoder *decoder, const struct wire_step *step, size_t least_bytes,
                        size_t item_size, uint8_t *field, uint8_t **ret_items, int32_t *ret_count)
{
    int64_t count = 0;
    const int error = decode_length(decoder, step->flags, 4, &count);
    if (error != ERR_NONE)
        return error;
    if (count > 0 && (uint64_t)count > left(decoder) / least_bytes)
        return ERR_MALFORMED;
    uint8_t *items = NULL;
    if (count > 0) {
        items = arena_array(decoder->arena, (size_t)count, item_size);
        if (items == NULL)
            return ERR_ARENA_FULL;
    }
    *ret_items = items;
    *ret_count = (int32_t)count;
    memcpy(field, ret_items, sizeof(items));
    memcpy(WIRE_COUNT_OFFSET(field), ret_count, sizeof(*ret_count));
    return ERR_NONE;
}

/* An element of a list has the null of its list in no version. */
static int decode_list(struct decoder *decoder, const struct wire_step *step, uint8_t *field)
{
    const unsigned kind = step->child;
    const unsigned flags = step->flags & WIRE_COMPACT;
    const size_t size = wire_scalar_size(kind);
    uint8_t *items = NULL;
    int32_t count = 0;
    int error =
        decode_items(decoder, step, scalar_least_bytes(kind, flags), size, field, &items, &count);

    for (int32_t i = 0; i < count && error == ERR_NONE; i++)
        error = decode_scalar(decoder, kind, flags, items + (size_t)i * size);
    return error;
}

static int decode_array(struct decoder *decoder, const struct wire_step *step, uint8_t *field)
{
    const struct wire_plan *plan = &decoder->tables->plans[step->child];
    const struct wire_shape *shape = &decoder->tables->shapes[plan->shape];
    uint8_t *item = NULL;
    int32_t count = 0;
    int error = decode_items(decoder, step, plan->least_bytes, shape->size, field, &item, &count);

    for (int32_t i = 0; i < count && error == ERR_NONE; i++) {
        if (shape->defaults != NULL)
            memcpy(item, shape->defaults, shape->size);
        error = decode_struct(decoder, plan, item);
        item += shape->size;
    }
    return error;
}

/* A struct behind a byte: -1 for null, 1 otherwise. */
static int decode_optional(struct decoder *decoder, const struct wire_step *step, uint8_t *field)
{
    const struct wire_plan *plan = &decoder->tables->plans[step->child];
    const struct wire_shape *shape = &decoder->tables->shapes[plan->shape];
    const uint8_t *at = take(decoder, 1);
    uint8_t *object = NULL;
    int error = ERR_NONE;

    if (at == NULL || (*at != 1 && *at != UINT8_MAX))
        return ERR_MALFORMED;
    if (*at == 1) {
        object = arena_take(decoder->arena, shape->size);
        if (object == NULL)
            return ERR_ARENA_FULL;
        if (shape->defaults != NULL)
            memcpy(object, shape->defaults, shape->size);
        error = decode_struct(decoder, plan, object);
    }
    memcpy(field, &object, sizeof(object));
    return error;
}

static inline int decode_field(struct decoder *decoder, const struct wire_step *step,
                               uint8_t *field)
{
    switch (step->kind) {
    case WIRE_LIST:
        return decode_list(decoder, step, field);
    case WIRE_ARRAY:
        return decode_array(decoder, step, field);
    case WIRE_STRUCT:
        return decode_struct(decoder, &decoder->tables->plans[step->child], field);
    case WIRE_OPTIONAL:
        return decode_optional(decoder, step, field);
    default:
        return decode_scalar(decoder, step->kind, step->flags, field);
    }
}

/* A tagged field's content is a message of its own: it may not reach beyond its size, nor end short
 * of it. */
static int decode_tagged(struct decoder *decoder, const struct wire_step *step, uint8_t *field,
                         struct span content)
{
    const uint8_t *end = decoder->end;

    decoder->at = content.data;
    decoder->end = content.data + content.length;
    const int error = decode_field(decoder, step, field);
    if (error == ERR_NONE && decoder->at != decoder->end)
        return ERR_MALFORMED;
    decoder->end = end;
    return error;
}

/* The tag section: a count, then (tag, size, content) in the order of the tags. */
static int decode_tags(struct decoder *decoder, const struct wire_plan *plan, uint8_t *object)
{
    const struct wire_step *step = &decoder->tables->steps[plan->first + plan->count];
    const struct wire_step *end = step + plan->tagged_count;
    uint32_t count = 0;
    int64_t last_tag = -1;
    int error = decode_varint(decoder, &count);

    for (; count > 0 && error == ERR_NONE; count--) {
        uint32_t tag = 0;
        uint32_t size = 0;
        if (decode_varint(decoder, &tag) != ERR_NONE || decode_varint(decoder, &size) != ERR_NONE)
            return ERR_MALFORMED;
        const struct span content = span_of(take(decoder, size), size);
        if (span_is_null(content) || tag <= last_tag)
            return ERR_MALFORMED;
        last_tag = tag;
        while (step < end && step->tag < tag)
            step++;
        if (step < end && step->tag == tag)
            error = decode_tagged(decoder, step, object + step->offset, content);
    }
    return error;
}

static int decode_struct(struct decoder *decoder, const struct wire_plan *plan, uint8_t *object)
{
    const struct wire_step *step = &decoder->tables->steps[plan->first];
    const struct wire_step *end = step + plan->count;
    int error = ERR_NONE;

    for (; step < end && error == ERR_NONE; step++)
        error = decode_field(decoder, step, object + step->offset);
    if (error == ERR_NONE && plan->flexible)
        error = decode_tags(decoder, plan, object);
    return error;
}

int wire_decode_prefix(const struct wire_schema *schema, int16_t version, struct span bytes,
                       struct arena *arena, void *message, size_t *ret_used_bytes)
{
    /* C adds not even zero to a null pointer. */
    const uint8_t *start = span_is_null(bytes) ? SPAN("").data : bytes.data;
    struct decoder decoder = {
        .at = start, .end = start + bytes.length, .tables = schema->tables, .arena = arena};

    if (version < schema->version_min || version > schema->version_max)
        return ERR_UNSUPPORTED_VERSION;
    wire_defaults(schema, message);
    const int error = decode_struct(&decoder, wire_plan_of(schema, version), message);
    if (error == ERR_NONE)
        *ret_used_bytes = bytes.length - left(&decoder);
    return error;
}

int wire_decode(const struct wire_schema *schema, int16_t version, struct span bytes,
                struct arena *arena, void *message)
{
    size_t used_bytes = 0;
    const int error = wire_decode_prefix(schema, version, bytes, arena, message, &used_bytes);
    return error == ERR_NONE && used_bytes < bytes.length ? ERR_MALFORMED : error;
}

int wire_decode_record(const struct wire_schema *schema, struct span bytes, struct arena *arena,
                       void *message)
{
    if (bytes.length < 2)
        return ERR_MALFORMED;
    int16_t version = (int16_t)get_be16(bytes.data);
    if (schema->prefix != WIRE_PREFIX_VERSION) {
        if (version != schema->prefix)
            return ERR_UNSUPPORTED_VERSION;
        version = schema->version_min;
    }
    return wire_decode(schema, version, span_of(bytes.data + 2, bytes.length - 2), arena, message);
}
