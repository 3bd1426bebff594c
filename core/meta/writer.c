/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/writer.h"

#include "core/base/check.h"
#include "core/records/batch.h"
#include "core/records/builder.h"
#include "core/wire/error.h"

struct meta_frame {
    struct meta_frame *next;
    struct span bytes;
    size_t size; /* as a record of the batch */
};

void meta_writer_init(struct meta_writer *writer, struct memory *memory, int64_t base_offset)
{
    *writer = (struct meta_writer){.base_offset = base_offset};
    /* Twice the batch, because what was cut off again keeps its place. */
    arena_init(&writer->arena, memory, MEMORY_STATE, 2 * (size_t)META_BATCH_BYTES_MAX);
}

void meta_writer_free(struct meta_writer *writer)
{
    arena_reset(&writer->arena);
}

int meta_write(struct meta_writer *writer, const struct meta_record *record)
{
    struct meta_frame *frame = arena_take(&writer->arena, sizeof(*frame));
    if (frame == NULL)
        return ERR_POLICY_VIOLATION;
    frame->bytes = meta_record_encode(record, &writer->arena);
    if (span_is_null(frame->bytes))
        return ERR_POLICY_VIOLATION;
    frame->size = batch_record_size((int32_t)writer->count, 0, SPAN_NULL, frame->bytes);
    if (BATCH_HEADER_BYTES + writer->bytes + frame->size > META_BATCH_BYTES_MAX)
        return ERR_POLICY_VIOLATION;
    if (writer->last == NULL)
        writer->first = frame;
    else
        writer->last->next = frame;
    writer->last = frame;
    writer->count++;
    writer->bytes += frame->size;
    return ERR_NONE;
}

int64_t meta_writer_next_offset(const struct meta_writer *writer)
{
    return writer->base_offset + writer->count;
}

void meta_writer_cut(struct meta_writer *writer, uint32_t count)
{
    CHECK(count <= writer->count);
    struct meta_frame *last = NULL;
    struct meta_frame *next = writer->first;
    writer->bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        writer->bytes += next->size;
        last = next;
        next = next->next;
    }
    writer->count = count;
    writer->last = last;
    if (last == NULL)
        writer->first = NULL;
    else
        last->next = NULL;
}

struct buffer *meta_writer_batch(const struct meta_writer *writer, int32_t leader_epoch,
                                 int64_t wall_ms)
{
    CHECK(writer->count > 0);
    const size_t size = BATCH_HEADER_BYTES + writer->bytes;
    struct buffer *buffer = buffer_new(writer->arena.memory, MEMORY_STATE, (uint32_t)size);
    struct batch_builder builder;
    batch_builder_start(&builder, buffer->data, size, wall_ms, false);
    for (const struct meta_frame *frame = writer->first; frame != NULL; frame = frame->next)
        batch_builder_add(&builder, wall_ms, SPAN_NULL, frame->bytes);
    CHECK(batch_builder_finish(&builder) == size);
    batch_patch(buffer->data, writer->base_offset, leader_epoch);
    return buffer;
}
