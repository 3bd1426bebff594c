/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/snapshot.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/raft/control.h"
#include "core/records/batch.h"
#include "core/records/builder.h"
#include "core/records/record.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

#define SNAPSHOT_SUFFIX       ".checkpoint"
#define SNAPSHOT_OFFSET_WIDTH 20
#define SNAPSHOT_EPOCH_WIDTH  10

/* Batches end at this size. Every record fits one: see the limits in core/meta/image.h. */
#define SNAPSHOT_BATCH_BYTES (64 * 1024)

/* One record's frame at a time. */
#define SNAPSHOT_ARENA_BYTES_MAX ((size_t)1024 * 1024)

/* Control records say by their key what they are: a version, then a type. */
#define CONTROL_KEY_BYTES       4
#define CONTROL_SNAPSHOT_HEADER 3
#define CONTROL_SNAPSHOT_FOOTER 4
#define CONTROL_VALUE_BYTES_MAX 64

void snapshot_name(struct snapshot_id id, char out[SNAPSHOT_NAME_BYTES])
{
    format_text(out, SNAPSHOT_NAME_BYTES, "%020lld-%010d" SNAPSHOT_SUFFIX, (long long)id.offset,
                id.epoch);
}

/* A number of exactly `width` digits at the front of `text`, which it is taken off. */
static bool digits_take(struct span *text, size_t width, int64_t *ret_value)
{
    if (text->length < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
    }
    if (parse_int64(span_of(text->data, width), ret_value) != 0)
        return false;
    *text = span_of(text->data + width, text->length - width);
    return true;
}

bool snapshot_parse_name(struct span name, struct snapshot_id *ret_id)
{
    int64_t offset;
    int64_t epoch;
    if (!digits_take(&name, SNAPSHOT_OFFSET_WIDTH, &offset) || name.length == 0 ||
        name.data[0] != '-')
        return false;
    name = span_of(name.data + 1, name.length - 1);
    if (!digits_take(&name, SNAPSHOT_EPOCH_WIDTH, &epoch) || epoch > INT32_MAX ||
        !span_equal(name, SPAN(SNAPSHOT_SUFFIX)))
        return false;
    *ret_id = (struct snapshot_id){.offset = offset, .epoch = (int32_t)epoch};
    return true;
}

void snapshot_ids_free(struct snapshot_ids *ids, struct memory *memory)
{
    memory_give(memory, MEMORY_STATE, ids->items, ids->capacity * sizeof(*ids->items));
    *ids = (struct snapshot_ids){0};
}

void snapshot_ids_add(struct snapshot_ids *ids, struct memory *memory, struct snapshot_id id)
{
    uint32_t place = ids->count;
    while (place > 0 &&
           (ids->items[place - 1].offset > id.offset ||
            (ids->items[place - 1].offset == id.offset && ids->items[place - 1].epoch > id.epoch)))
        place--;
    if (place > 0 && ids->items[place - 1].offset == id.offset &&
        ids->items[place - 1].epoch == id.epoch)
        return;
    ids->items =
        memory_grow(memory, ids->items, &ids->capacity, ids->count + 1, sizeof(*ids->items));
    memmove(&ids->items[place + 1], &ids->items[place], (ids->count - place) * sizeof(*ids->items));
    ids->items[place] = id;
    ids->count++;
}

void snapshot_ids_remove(struct snapshot_ids *ids, uint32_t index)
{
    ids->count--;
    memmove(&ids->items[index], &ids->items[index + 1], (ids->count - index) * sizeof(*ids->items));
}

/* A snapshot that grows, and the batch at its end. */
struct save {
    struct memory *memory;
    struct arena arena;
    int64_t wall_ms;
    int64_t next_offset;
    int32_t epoch;
    uint8_t *block;
    uint32_t length;
    uint32_t capacity;
    bool is_open;
    struct batch_builder builder;
};

static void save_open(struct save *save, bool control)
{
    CHECK(save->length <= UINT32_MAX - SNAPSHOT_BATCH_BYTES);
    save->block = memory_grow(save->memory, save->block, &save->capacity,
                              save->length + SNAPSHOT_BATCH_BYTES, 1);
    batch_builder_start(&save->builder, save->block + save->length, SNAPSHOT_BATCH_BYTES,
                        save->wall_ms, control);
    save->is_open = true;
}

static void save_close(struct save *save)
{
    if (!save->is_open)
        return;
    const int32_t count = save->builder.record_count;
    const size_t length = batch_builder_finish(&save->builder);
    batch_patch(save->block + save->length, save->next_offset, save->epoch);
    save->length += (uint32_t)length;
    save->next_offset += count;
    save->is_open = false;
}

static int save_record(void *context, const struct meta_record *record)
{
    struct save *save = context;
    const struct span frame = meta_record_encode(record, &save->arena);
    CHECK(!span_is_null(frame));
    if (save->is_open &&
        save->builder.length + batch_record_size(save->builder.record_count, 0, SPAN_NULL, frame) >
            SNAPSHOT_BATCH_BYTES)
        save_close(save);
    if (!save->is_open)
        save_open(save, false);
    batch_builder_add(&save->builder, save->wall_ms, SPAN_NULL, frame);
    arena_reset(&save->arena);
    return ERR_NONE;
}

static void save_control_value(struct save *save, uint16_t type, struct span value)
{
    uint8_t key[CONTROL_KEY_BYTES];
    put_be16(key, 0);
    put_be16(key + 2, type);
    save_open(save, true);
    batch_builder_add(&save->builder, save->wall_ms, span_of(key, sizeof(key)), value);
    save_close(save);
}

static void save_control(struct save *save, uint16_t type, const struct wire_schema *schema,
                         const void *body)
{
    uint8_t value[CONTROL_VALUE_BYTES_MAX];
    struct wire_writer writer = {.data = value, .capacity = sizeof(value)};
    wire_encode(schema, 0, body, &writer);
    CHECK(writer.length <= sizeof(value));
    save_control_value(save, type, span_of(value, writer.length));
}

uint8_t *snapshot_save(const struct image *image, struct span voters, int64_t wall_ms,
                       uint32_t *ret_length, uint32_t *ret_capacity)
{
    struct save save = {.memory = image->memory, .wall_ms = wall_ms, .epoch = image->epoch};
    const struct snapshot_header_record header = {.last_contained_log_timestamp = wall_ms};
    const struct snapshot_footer_record footer = {.version = 0};
    arena_init(&save.arena, image->memory, MEMORY_STATE, SNAPSHOT_ARENA_BYTES_MAX);
    save_control(&save, CONTROL_SNAPSHOT_HEADER, &wire_snapshot_header_record, &header);
    if (!span_is_null(voters))
        save_control_value(&save, CONTROL_VOTERS, voters);
    image_save(image, &save, save_record);
    save_close(&save);
    save_control(&save, CONTROL_SNAPSHOT_FOOTER, &wire_snapshot_footer_record, &footer);
    *ret_length = save.length;
    *ret_capacity = save.capacity;
    return save.block;
}

/* True for a control batch whose first record is of `type`. */
static bool is_control(struct span batch, const struct batch_info *info, uint16_t type)
{
    struct record_cursor cursor;
    struct record record;
    return batch_is_control(info) && batch_codec(info) == CODEC_NONE &&
           record_cursor_open(batch, NULL, 0, NULL, &cursor) == ERR_NONE &&
           record_next(&cursor, &record) && record.key.length == CONTROL_KEY_BYTES &&
           get_be16(record.key.data + 2) == type;
}

bool snapshot_is_whole(struct span bytes, struct snapshot_id id)
{
    bool is_first = true;
    int64_t next_offset = 0;
    while (bytes.length > 0) {
        struct span batch;
        struct batch_info info;
        if (batch_next(bytes, bytes.length, BATCH_CHECK_CRC, &batch, &info) != BATCH_FOUND)
            return false;
        /* Both lie outside the checksum. */
        if (info.base_offset != next_offset || info.leader_epoch != id.epoch)
            return false;
        if (is_first && !is_control(batch, &info, CONTROL_SNAPSHOT_HEADER))
            return false;
        if (!is_first && batch.length == bytes.length)
            return is_control(batch, &info, CONTROL_SNAPSHOT_FOOTER);
        is_first = false;
        next_offset += (int64_t)info.last_offset_delta + 1;
        bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
    }
    return false;
}

int snapshot_restore(struct span bytes, struct snapshot_id id, struct image *image,
                     uint64_t *ret_position)
{
    struct arena arena;
    int error = ERR_NONE;
    size_t position = 0;
    arena_init(&arena, image->memory, MEMORY_STATE, SNAPSHOT_ARENA_BYTES_MAX);
    while (position < bytes.length && error == ERR_NONE) {
        const struct span rest = span_of(bytes.data + position, bytes.length - position);
        struct span batch;
        int64_t offset;
        if (batch_next(rest, rest.length, BATCH_CHECK_HEADER, &batch, NULL) != BATCH_FOUND)
            error = ERR_CORRUPT_MESSAGE;
        else
            error = image_apply_batch(image, batch, &arena, &offset);
        if (error == ERR_NONE)
            position += batch.length;
    }
    arena_reset(&arena);
    if (error != ERR_NONE) {
        *ret_position = position;
        return error;
    }
    image->end_offset = id.offset;
    image->epoch = id.epoch;
    return ERR_NONE;
}

struct span snapshot_voters(struct span bytes)
{
    struct span value = SPAN_NULL;
    struct span batch;
    while (span_is_null(value) &&
           batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, NULL) == BATCH_FOUND) {
        if (control_find(batch, CONTROL_VOTERS, &value) != ERR_NONE)
            return SPAN_NULL;
        bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
    }
    return value;
}
