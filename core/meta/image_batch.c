/* SPDX-License-Identifier: Apache-2.0 */
/* Whole batches of the metadata log, as they were written. */
#include "core/meta/image.h"
#include "core/records/batch.h"
#include "core/records/record.h"
#include "core/wire/error.h"

static int apply_records(struct image *image, struct span batch, struct arena *arena,
                         int64_t *offset)
{
    struct record_cursor cursor;
    struct record record;
    int error = record_cursor_open(batch, NULL, 0, NULL, &cursor);
    while (error == ERR_NONE && record_next(&cursor, &record)) {
        struct meta_record decoded;
        *offset = record.offset;
        error = meta_record_decode(record.value, arena, &decoded);
        if (error == ERR_NONE)
            error = image_apply(image, &decoded);
        arena_reset(arena);
    }
    return error == ERR_NONE ? cursor.error : error;
}

int meta_batch_check(struct span batch, struct arena *arena)
{
    struct batch_info info;
    struct record_cursor cursor;
    struct record record;
    batch_info_read(batch.data, &info);
    if (batch_is_control(&info) || batch_codec(&info) != CODEC_NONE)
        return ERR_INVALID_RECORD;
    int error = record_cursor_open(batch, NULL, 0, NULL, &cursor);
    while (error == ERR_NONE && record_next(&cursor, &record)) {
        struct meta_record decoded;
        error = meta_record_decode(record.value, arena, &decoded);
        arena_reset(arena);
    }
    return error == ERR_NONE ? cursor.error : error;
}

int image_apply_batch(struct image *image, struct span batch, struct arena *arena,
                      int64_t *ret_offset)
{
    struct batch_info info;
    batch_info_read(batch.data, &info);
    int64_t offset = info.base_offset;
    int error = ERR_NONE;
    /* A gap, or an epoch that goes back, is a log that lost something. */
    if (info.base_offset != image->end_offset || info.leader_epoch < image->epoch ||
        info.last_offset_delta < 0 || info.base_offset >= INT64_MAX - info.last_offset_delta ||
        batch_codec(&info) != CODEC_NONE)
        error = ERR_INVALID_RECORD;
    else if (!batch_is_control(&info))
        error = apply_records(image, batch, arena, &offset);
    if (error != ERR_NONE) {
        *ret_offset = offset;
        return error;
    }
    image->end_offset = batch_last_offset(&info) + 1;
    image->epoch = info.leader_epoch;
    return ERR_NONE;
}
