/* SPDX-License-Identifier: Apache-2.0 */
/* Single records: those of clients as they are, those of internal topics decoded. */
#include "cli/dump.h"

#include "cli/json.h"
#include "core/base/endian.h"
#include "core/meta/record.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* The types of control records. */
static const char *control_name(int16_t type)
{
    static const char *const names[] = {"abort",           "commit",          "leader_change",
                                        "snapshot_header", "snapshot_footer", "kraft_version",
                                        "voters"};
    return type >= 0 && (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

static void print_json(void *context, struct span text)
{
    fwrite(text.data, 1, text.length, context);
}

static void print_message(struct dump *dump, const char *name, const struct wire_schema *schema,
                          int16_t version, const void *message)
{
    const struct wire_printer printer = {
        .print = print_json, .context = dump->out, .bytes_max = SIZE_MAX};
    dump_name(dump, name);
    wire_print(schema, version, message, &printer);
}

/* The record of an internal topic, a key and a value, by their schemas. False when it is none. */
static bool print_pair(struct dump *dump, const struct record *record,
                       const struct wire_schema *key_schema, const struct wire_schema *value_schema)
{
    void *key = arena_take(&dump->arena, key_schema->size);
    void *value = arena_take(&dump->arena, value_schema->size);
    if (key == NULL || value == NULL ||
        wire_decode_record(key_schema, record->key, &dump->arena, key) != ERR_NONE)
        return false;
    if (!span_is_null(record->value) &&
        wire_decode_record(value_schema, record->value, &dump->arena, value) != ERR_NONE)
        return false;
    dump_text(dump, "type", span_text(value_schema->name));
    print_message(dump, "key", key_schema, key_schema->version_max, key);
    if (span_is_null(record->value))
        dump_text(dump, "value", SPAN_NULL);
    else
        print_message(dump, "value", value_schema, (int16_t)get_be16(record->value.data), value);
    return true;
}

/* Reads an unsigned varint; -1 when there is none. */
static int take_varint(struct span *bytes, uint32_t *ret_value)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 5 && i < bytes->length; i++) {
        value |= (uint32_t)(bytes->data[i] & 0x7f) << (7 * i);
        if (bytes->data[i] < 0x80) {
            *bytes = span_of(bytes->data + i + 1, bytes->length - i - 1);
            *ret_value = value;
            return 0;
        }
    }
    return -1;
}

static const struct wire_schema *metadata_schema(uint32_t type)
{
    switch (type) {
    case META_RECORD_REGISTER_BROKER:
        return &wire_register_broker_record;
    case META_RECORD_TOPIC:
        return &wire_topic_record;
    case META_RECORD_PARTITION:
        return &wire_partition_record;
    case META_RECORD_CONFIG:
        return &wire_config_record;
    case META_RECORD_PARTITION_CHANGE:
        return &wire_partition_change_record;
    case META_RECORD_REMOVE_TOPIC:
        return &wire_remove_topic_record;
    case META_RECORD_PRODUCER_IDS:
        return &wire_producer_ids_record;
    default:
        return NULL;
    }
}

/* A record of the metadata log (core/meta/record.h): a frame around a message. A type or version of
 * another broker's is named by its number. */
static bool print_metadata(struct dump *dump, const struct record *record)
{
    struct span body = record->value;
    uint32_t frame;
    uint32_t type;
    uint32_t version;
    if (take_varint(&body, &frame) != 0 || take_varint(&body, &type) != 0 ||
        take_varint(&body, &version) != 0 || version > INT16_MAX)
        return false;
    const struct wire_schema *schema = metadata_schema(type);
    void *message = schema == NULL ? NULL : arena_take(&dump->arena, schema->size);
    if (message == NULL ||
        wire_decode(schema, (int16_t)version, body, &dump->arena, message) != ERR_NONE) {
        dump_number(dump, "type", type);
        dump_number(dump, "version", version);
        dump_bytes(dump, "value", body);
        return true;
    }
    dump_text(dump, "type", span_text(schema->name));
    print_message(dump, "value", schema, (int16_t)version, message);
    return true;
}

static bool print_control(struct dump *dump, const struct record *record)
{
    if (record->key.length < 4)
        return false;
    const int16_t type = (int16_t)get_be16(record->key.data + 2);
    dump_text(dump, "type", span_text(control_name(type)));
    dump_bytes(dump, "value", record->value);
    return true;
}

static void print_headers(struct dump *dump, struct span headers)
{
    struct span key;
    struct span value;
    const char *comma = "";
    dump_name(dump, "headers");
    fputc('[', dump->out);
    while (record_header_next(&headers, &key, &value)) {
        fputs(comma, dump->out);
        fputc('[', dump->out);
        json_text(dump->out, key);
        fputc(',', dump->out);
        json_text(dump->out, value);
        fputc(']', dump->out);
        comma = ",";
    }
    fputc(']', dump->out);
}

/* Prints what the record says in its topic's own terms; false when it is not one of those. */
static bool print_decoded(struct dump *dump, enum dump_content content,
                          const struct batch_info *info, const struct record *record)
{
    if (batch_is_control(info))
        return print_control(dump, record);
    if (content == DUMP_METADATA)
        return print_metadata(dump, record);
    if (content == DUMP_OFFSETS)
        return print_pair(dump, record, &wire_offset_commit_key, &wire_offset_commit_value) ||
               print_pair(dump, record, &wire_group_metadata_key, &wire_group_metadata_value);
    return false;
}

void dump_record(struct dump *dump, enum dump_content content, const struct batch_info *info,
                 const struct record *record)
{
    dump_begin(dump, "record", 2);
    dump_number(dump, "offset", record->offset);
    dump_time(dump, "time", record->timestamp_ms);
    if (!print_decoded(dump, content, info, record)) {
        dump_bytes(dump, "key", record->key);
        dump_bytes(dump, "value", record->value);
    }
    if (record->headers_count > 0)
        print_headers(dump, record->headers);
    dump_end(dump);
}
