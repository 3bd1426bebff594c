/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/coord/fake_log.h"

#include <stdlib.h>
#include <string.h>

#include "core/records/batch.h"
#include "core/wire/error.h"
#include "tests/support/runner.h"

static uint32_t batch_bytes_max(struct shard_log *log)
{
    return container_of(log, struct fake_log, log)->batch_bytes_max;
}

static int64_t high_watermark(struct shard_log *log)
{
    return container_of(log, struct fake_log, log)->high_watermark;
}

static int append(struct shard_log *log, struct buffer *batch, uint32_t length,
                  int64_t *ret_end_offset)
{
    struct fake_log *fake = container_of(log, struct fake_log, log);
    struct span found;
    struct batch_info info;
    if (fake->append_error != ERR_NONE)
        return fake->append_error;
    ck_assert_int_lt(fake->count, FAKE_BATCHES_MAX);
    ck_assert_uint_le(length, fake->batch_bytes_max);
    batch_patch(batch->data, fake->end_offset, 0);
    ck_assert_int_eq(
        batch_next(span_of(batch->data, length), length, BATCH_CHECK_CRC, &found, &info),
        BATCH_FOUND);
    ck_assert_uint_eq(found.length, length);
    struct fake_batch *kept = &fake->batches[fake->count++];
    kept->bytes = malloc(length);
    ck_assert_ptr_nonnull(kept->bytes);
    memcpy(kept->bytes, batch->data, length);
    kept->length = length;
    fake->end_offset += info.record_count;
    kept->end_offset = fake->end_offset;
    *ret_end_offset = fake->end_offset;
    return ERR_NONE;
}

static void failed(struct shard_log *log, int error)
{
    container_of(log, struct fake_log, log)->failed_error = error;
}

void fake_log_init(struct fake_log *log)
{
    *log = (struct fake_log){
        .log = {.batch_bytes_max = batch_bytes_max,
                .append = append,
                .high_watermark = high_watermark,
                .failed = failed},
        .batch_bytes_max = 1048588,
    };
}

void fake_log_free(struct fake_log *log)
{
    for (int i = 0; i < log->count; i++)
        free(log->batches[i].bytes);
    log->count = 0;
}

void fake_log_commit(struct fake_log *log)
{
    log->high_watermark = log->end_offset;
}

void fake_log_commit_one(struct fake_log *log)
{
    for (int i = 0; i < log->count; i++) {
        if (log->batches[i].end_offset > log->high_watermark) {
            log->high_watermark = log->batches[i].end_offset;
            return;
        }
    }
    ck_abort_msg("nothing waits to be committed");
}

void fake_log_cut(struct fake_log *log)
{
    while (log->count > 0 && log->batches[log->count - 1].end_offset > log->high_watermark)
        free(log->batches[--log->count].bytes);
    log->end_offset = log->high_watermark;
}

void fake_log_replay(const struct fake_log *log, struct shard *shard)
{
    for (int i = 0; i < log->count; i++)
        shard_replay(shard, span_of(log->batches[i].bytes, log->batches[i].length));
}
