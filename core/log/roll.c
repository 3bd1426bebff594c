/* SPDX-License-Identifier: Apache-2.0 */
/* When a new segment begins, and how. */
#include "core/log/folder_internal.h"

/* How long the segment has been filled: by the times of its batches, else by our clock. */
static int64_t segment_age_ms(const struct log *log, const struct segment *segment,
                              int64_t max_timestamp_ms)
{
    if (segment->first_ms >= 0 && max_timestamp_ms >= 0)
        return max_timestamp_ms - segment->first_ms;
    return log->io->wall_ms - segment->created_ms;
}

bool roll_is_due(const struct log *log, uint32_t length, int64_t last_offset,
                 int64_t max_timestamp_ms)
{
    const struct segment *segment = log_active(log);
    const struct index_settings settings = log_index_settings(log);
    if (segment->size_bytes == 0)
        return false;
    if (last_offset - segment->base_offset > INT32_MAX)
        return true;
    return segment->size_bytes + length > (uint64_t)log->settings.segment_bytes ||
           (log->settings.segment_ms >= 0 &&
            segment_age_ms(log, segment, max_timestamp_ms) > log->settings.segment_ms) ||
           index_is_full(segment->index, &settings);
}

void log_roll(struct log *log)
{
    struct segment *segment = log_active(log);
    CHECK(segment->size_bytes > 0);
    index_finish(segment->index);
    segment_index_rolled(segment);
    struct segment *next = segment_new(log, log->end);
    segment_index_new(next);
    segment_add(log, next);
    log->recent_count = 0;
    sync_advance(log);
    settle_want(log);
}
