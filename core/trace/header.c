/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/header.h"

#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/trace/fields.h"

/* Magic, version, length, checksum. */
#define FIXED_BYTES (TRACE_RECORD_MAGIC_BYTES + 12)

static size_t body_size(struct span program, const struct conf *conf)
{
    size_t size = field_text_size(program) + field_text_size(conf->host_name);
    for (int key = 0; key < CONF_KEYS; key++) {
        const struct conf_value *value = &conf->values[key];
        if (!conf_has(conf, (enum conf_key)key))
            continue;
        size += field_text_size(span_text(conf_key_info((enum conf_key)key)->name));
        size += field_number_size((uint64_t)value->source) + field_text_size(value->text);
    }
    return size;
}

size_t trace_header_size(struct span program, const struct conf *conf)
{
    return FIXED_BYTES + body_size(program, conf);
}

void trace_header_write(uint8_t *room, struct span program, const struct conf *conf)
{
    uint8_t *body = room + FIXED_BYTES;
    uint8_t *at = field_write_text(body, program);
    at = field_write_text(at, conf->host_name);
    for (int key = 0; key < CONF_KEYS; key++) {
        const struct conf_value *value = &conf->values[key];
        if (!conf_has(conf, (enum conf_key)key))
            continue;
        at = field_write_text(at, span_text(conf_key_info((enum conf_key)key)->name));
        at = field_write_number(at, (uint64_t)value->source);
        at = field_write_text(at, value->text);
    }
    memcpy(room, TRACE_RECORD_MAGIC, TRACE_RECORD_MAGIC_BYTES);
    put_be32(room + TRACE_RECORD_MAGIC_BYTES, TRACE_RECORD_VERSION);
    put_be32(room + TRACE_RECORD_MAGIC_BYTES + 4, (uint32_t)(at - body));
    put_be32(room + TRACE_RECORD_MAGIC_BYTES + 8, crc32c(0, body, (size_t)(at - body)));
}

const char *trace_header_read(struct span *file, struct trace_header *ret_header)
{
    if (file->length < TRACE_RECORD_MAGIC_BYTES ||
        memcmp(file->data, TRACE_RECORD_MAGIC, TRACE_RECORD_MAGIC_BYTES) != 0)
        return "it is not a flight record";
    if (file->length < FIXED_BYTES)
        return "it ends before its settings";
    if (get_be32(file->data + TRACE_RECORD_MAGIC_BYTES) != TRACE_RECORD_VERSION)
        return "it has another version of the format than this program reads";
    const uint32_t length = get_be32(file->data + TRACE_RECORD_MAGIC_BYTES + 4);
    const uint8_t *body = file->data + FIXED_BYTES;
    const size_t rest = file->length - FIXED_BYTES;
    if (length > rest)
        return "it ends before its settings";
    if (crc32c(0, body, length) != get_be32(file->data + TRACE_RECORD_MAGIC_BYTES + 8))
        return "the checksum of its settings is wrong";
    struct fields fields = {.rest = span_of(body, length)};
    const struct span program = field_text(&fields);
    const struct span host_name = field_text(&fields);
    if (fields.broken)
        return "its settings are malformed";
    *ret_header = (struct trace_header){
        .program = program,
        .host_name = host_name,
        .settings = fields.rest,
    };
    *file = span_of(body + length, rest - length);
    return NULL;
}

int trace_header_conf(const struct trace_header *header, struct conf *conf)
{
    struct fields fields = {.rest = header->settings};
    while (fields.rest.length > 0) {
        const struct span name = field_text(&fields);
        const uint64_t source = field_number(&fields);
        const struct span value = field_text(&fields);
        const int key = fields.broken ? -1 : conf_key_find(name);
        if (fields.broken || (source != CONF_SOURCE_FILE && source != CONF_SOURCE_DEFAULT) ||
            conf_set(conf, name, value, 0) != 0)
            return -1;
        if (key >= 0)
            conf->values[key].source = (enum conf_source)source;
    }
    return conf_check(conf, header->host_name);
}
