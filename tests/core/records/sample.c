/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/records/sample.h"

#include <string.h>

#include "core/base/check.h"
#include "core/records/builder.h"
#include "core/wire/error.h"

void sample_batch(struct sample *sample, const char *keys)
{
    struct batch_builder builder;

    batch_builder_start(&builder, sample->bytes, sizeof(sample->bytes), SAMPLE_TIME_MS, false);
    for (size_t i = 0; keys[i] != '\0'; i++)
        batch_builder_add(&builder, SAMPLE_TIME_MS + (int64_t)i,
                          keys[i] == '-' ? SPAN_NULL : span_of(&keys[i], 1), SPAN("value"));
    sample->length = batch_builder_finish(&builder);
}

void sample_sum(struct sample *sample)
{
    put_be32(sample->bytes + BATCH_AT_CRC, batch_checksum(sample->bytes, sample->length));
}

void sample_put(struct sample *sample, size_t at, size_t size, int64_t value)
{
    for (size_t i = 0; i < size; i++)
        sample->bytes[at + i] = (uint8_t)((uint64_t)value >> (8 * (size - 1 - i)));
    sample_sum(sample);
}

void sample_records(struct sample *sample, const void *records, size_t length)
{
    CHECK(length <= SAMPLE_BYTES_MAX - BATCH_HEADER_BYTES);
    memcpy(sample->bytes + BATCH_HEADER_BYTES, records, length);
    sample->length = BATCH_HEADER_BYTES + length;
    put_be32(sample->bytes + BATCH_AT_LENGTH, (uint32_t)(sample->length - BATCH_PREFIX_BYTES));
    sample_sum(sample);
}

static int decompress(void *context, enum codec codec, struct span in, size_t limit_bytes,
                      struct arena *arena, struct span *ret_out)
{
    int *calls = context;

    (*calls)++;
    CHECK(codec != CODEC_NONE && codec < CODECS);
    if (in.length == 0 || in.data[0] == 0xff)
        return ERR_CORRUPT_MESSAGE;
    if (in.length > limit_bytes)
        return ERR_MESSAGE_TOO_LARGE;
    *ret_out = arena_copy(arena, in);
    return span_is_null(*ret_out) ? ERR_MESSAGE_TOO_LARGE : ERR_NONE;
}

struct codecs sample_codecs(int *calls)
{
    *calls = 0;
    return (struct codecs){.decompress = decompress, .context = calls};
}
