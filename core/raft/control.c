/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/control.h"

#include "core/base/check.h"
#include "core/records/builder.h"
#include "core/records/record.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

#define KEY_BYTES 4

/* The version of every value that we write. */
#define VALUE_VERSION 0

int control_find(struct span batch, enum control_type type, struct span *ret_value)
{
    struct batch_info info;
    batch_info_read(batch.data, &info);
    *ret_value = SPAN_NULL;
    if (!batch_is_control(&info))
        return ERR_NONE;
    if (batch_codec(&info) != CODEC_NONE)
        return ERR_CORRUPT_MESSAGE; /* nobody compresses them */
    struct record_cursor cursor;
    struct record record;
    record_cursor_init(&cursor, &info, batch_records(batch));
    while (record_next(&cursor, &record)) {
        if (record.key.length != KEY_BYTES || span_is_null(record.value))
            return ERR_CORRUPT_MESSAGE;
        if (get_be16(record.key.data + 2) == type && span_is_null(*ret_value))
            *ret_value = record.value;
    }
    return cursor.error;
}

struct buffer *control_batch(struct memory *memory, enum control_type type,
                             const struct wire_schema *schema, const void *message,
                             int64_t base_offset, int32_t epoch, int64_t wall_ms)
{
    uint8_t key_bytes[KEY_BYTES] = {0};
    put_be16(key_bytes + 2, (uint16_t)type);
    const struct span key = span_of(key_bytes, KEY_BYTES);
    const size_t value_size = wire_size(schema, VALUE_VERSION, message);
    uint8_t *value = memory_take_unset(memory, MEMORY_STATE, value_size);
    struct wire_writer writer = {.data = value, .capacity = value_size};
    const int error = wire_encode(schema, VALUE_VERSION, message, &writer);
    CHECK(error == ERR_NONE && writer.length == value_size);

    const size_t size =
        BATCH_HEADER_BYTES + batch_record_size(0, 0, key, span_of(value, value_size));
    struct buffer *buffer = buffer_new(memory, MEMORY_STATE, (uint32_t)size);
    struct batch_builder builder;
    batch_builder_start(&builder, buffer->data, size, wall_ms, true);
    batch_builder_add(&builder, wall_ms, key, span_of(value, value_size));
    const size_t length = batch_builder_finish(&builder);
    CHECK(length == size);
    batch_patch(buffer->data, base_offset, epoch);
    memory_give(memory, MEMORY_STATE, value, value_size);
    return buffer;
}
