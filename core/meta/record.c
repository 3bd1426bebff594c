/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/record.h"

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

#define FRAME_VERSION 1

/* Three unsigned varints of up to 32 bits. */
#define FRAME_HEAD_BYTES_MAX 15

static const struct {
    enum meta_record_type type;
    const struct wire_schema *schema;
} record_schemas[] = {
    {META_RECORD_REGISTER_BROKER, &wire_register_broker_record},
    {META_RECORD_UNREGISTER_BROKER, &wire_unregister_broker_record},
    {META_RECORD_TOPIC, &wire_topic_record},
    {META_RECORD_PARTITION, &wire_partition_record},
    {META_RECORD_CONFIG, &wire_config_record},
    {META_RECORD_PARTITION_CHANGE, &wire_partition_change_record},
    {META_RECORD_REMOVE_TOPIC, &wire_remove_topic_record},
    {META_RECORD_PRODUCER_IDS, &wire_producer_ids_record},
    {META_RECORD_REGISTRATION_CHANGE, &wire_broker_registration_change_record},
};

/* The schema of a record type; NULL for one that we do not know. */
static const struct wire_schema *schema_find(uint32_t type)
{
    for (size_t i = 0; i < sizeof(record_schemas) / sizeof(record_schemas[0]); i++) {
        if ((uint32_t)record_schemas[i].type == type)
            return record_schemas[i].schema;
    }
    return NULL;
}

struct meta_record meta_record_of(enum meta_record_type type)
{
    struct meta_record record = {.type = type};
    const struct wire_schema *schema = schema_find((uint32_t)type);
    CHECK(schema != NULL);
    wire_defaults(schema, &record.body);
    return record;
}

/* The lowest version that has everything that the record says: older readers understand it, too. */
static int16_t record_version(const struct meta_record *record)
{
    const union meta_record_body *body = &record->body;
    switch (record->type) {
    case META_RECORD_REGISTER_BROKER:
        if (body->register_broker.log_dirs_count > 0)
            return 3;
        return body->register_broker.in_controlled_shutdown ||
               body->register_broker.unclean_restart;
    case META_RECORD_REGISTRATION_CHANGE:
        return 1;
    case META_RECORD_PARTITION:
        return body->partition.eligible_leader_replicas_count >= 0 ||
                       body->partition.last_known_elr_count >= 0
                   ? 2
                   : 0;
    case META_RECORD_PARTITION_CHANGE:
        return body->partition_change.eligible_leader_replicas_count >= 0 ||
                       body->partition_change.last_known_elr_count >= 0
                   ? 2
                   : 0;
    case META_RECORD_UNREGISTER_BROKER:
    case META_RECORD_TOPIC:
    case META_RECORD_CONFIG:
    case META_RECORD_REMOVE_TOPIC:
    case META_RECORD_PRODUCER_IDS:
        return 0;
    }
    return 0;
}

/* Reads an unsigned varint off `frame`; false when there is none of 32 bits. */
static bool uvarint_take(struct span *frame, uint32_t *ret_value)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35 && frame->length > 0; shift += 7) {
        const uint8_t byte = frame->data[0];
        if (shift == 28 && byte > 0x0f)
            return false;
        *frame = span_of(frame->data + 1, frame->length - 1);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static size_t uvarint_put(uint8_t *out, uint32_t value)
{
    size_t length = 0;
    for (; value >= 0x80; value >>= 7)
        out[length++] = (uint8_t)(value | 0x80);
    out[length++] = (uint8_t)value;
    return length;
}

int meta_record_decode(struct span frame, struct arena *arena, struct meta_record *ret_record)
{
    uint32_t frame_version;
    uint32_t type;
    uint32_t version;
    if (!uvarint_take(&frame, &frame_version))
        return ERR_CORRUPT_MESSAGE;
    if (frame_version != FRAME_VERSION)
        return ERR_UNSUPPORTED_VERSION;
    if (!uvarint_take(&frame, &type) || !uvarint_take(&frame, &version))
        return ERR_CORRUPT_MESSAGE;
    const struct wire_schema *schema = schema_find(type);
    if (schema == NULL || version > INT16_MAX || (int16_t)version < schema->version_min ||
        (int16_t)version > schema->version_max)
        return ERR_UNSUPPORTED_VERSION;
    struct meta_record record = {.type = (enum meta_record_type)type};
    const int error = wire_decode(schema, (int16_t)version, frame, arena, &record.body);
    if (error != ERR_NONE)
        return error == ERR_ARENA_FULL ? error : ERR_CORRUPT_MESSAGE;
    *ret_record = record;
    return ERR_NONE;
}

struct span meta_record_encode(const struct meta_record *record, struct arena *arena)
{
    const struct wire_schema *schema = schema_find((uint32_t)record->type);
    CHECK(schema != NULL);
    const int16_t version = record_version(record);
    uint8_t head[FRAME_HEAD_BYTES_MAX];
    size_t length = uvarint_put(head, FRAME_VERSION);
    length += uvarint_put(head + length, (uint32_t)record->type);
    length += uvarint_put(head + length, (uint32_t)version);
    const size_t size = wire_size(schema, version, &record->body);
    uint8_t *frame = arena_take(arena, length + size);
    if (frame == NULL)
        return SPAN_NULL;
    memcpy(frame, head, length);
    struct wire_writer writer = {.data = frame + length, .capacity = size};
    wire_encode(schema, version, &record->body, &writer);
    return span_of(frame, length + size);
}
