/* SPDX-License-Identifier: Apache-2.0 */
/* What a follower's log has to hold: the batches that it was sent, and what cuts leave of them. */
#ifndef TESTS_CORE_LOG_MODEL_H
#define TESTS_CORE_LOG_MODEL_H

#include "tests/core/log/story.h"

#define MODEL_BATCHES_MAX 512

struct model_batch {
    int64_t base_offset;
    int64_t last_offset;
    int32_t epoch;
    int32_t sequence; /* of producer 7 */
};

struct model {
    struct model_batch batches[MODEL_BATCHES_MAX];
    int count;
    int64_t start; /* as it was begun again, or cut by log_delete_before() */
    int64_t end;
};

/* Appends a batch to the story's log and to the model. */
void model_append(struct model *model, struct story *story, int64_t base_offset, int32_t epoch,
                  int32_t records, size_t value_bytes);

/* What log_truncate() and log_reset() mean. */
void model_truncate(struct model *model, int64_t offset);
void model_reset(struct model *model, int64_t offset);

/* The epoch and sequence that the next batch may have. */
int32_t model_epoch(const struct model *model);
int32_t model_sequence(const struct model *model);

/* Reads the log into a model; false when it cannot be read. */
bool model_scan(struct model *ret_model, struct story *story);

/* True when `part` has the first batches of `whole`, from where it starts. */
bool model_begins(const struct model *whole, const struct model *part);

/* Asserts that the log has what the model has: batches, leader epochs, what is read by ranges. */
void model_check(const struct model *model, struct story *story);

/* Asserts that the log knows its producer by the last batch, and no later one. Appends to both,
 * unless there is none. */
void model_check_producer(struct model *model, struct story *story);

#endif
