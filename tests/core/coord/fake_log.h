/* SPDX-License-Identifier: Apache-2.0 */
/* A partition of __consumer_offsets in memory, whose high watermark the test moves. */
#ifndef TESTS_CORE_COORD_FAKE_LOG_H
#define TESTS_CORE_COORD_FAKE_LOG_H

#include "core/coord/shard.h"

#define FAKE_BATCHES_MAX 1024

struct fake_batch {
    uint8_t *bytes;
    uint32_t length;
    int64_t end_offset;
};

struct fake_log {
    struct shard_log log;
    struct fake_batch batches[FAKE_BATCHES_MAX];
    int count;
    int64_t end_offset;
    int64_t high_watermark;
    uint32_t batch_bytes_max;
    int append_error; /* what appends give; ERR_NONE: they are taken */
    int failed_error; /* what the shard was told */
};

void fake_log_init(struct fake_log *log);
void fake_log_free(struct fake_log *log);

/* Everything that was appended is committed; or only the oldest batch that is not. */
void fake_log_commit(struct fake_log *log);
void fake_log_commit_one(struct fake_log *log);

/* What is not committed is lost. */
void fake_log_cut(struct fake_log *log);

/* Replays every batch into a LOADING shard. */
void fake_log_replay(const struct fake_log *log, struct shard *shard);

#endif
