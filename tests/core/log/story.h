/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stories about one partition's log in a world: batches whose contents follow from their offsets,
 * so that whatever is read back can be judged.
 */
#ifndef TESTS_CORE_LOG_STORY_H
#define TESTS_CORE_LOG_STORY_H

#include "core/log/folder.h"
#include "core/log/log.h"
#include "tests/support/runner.h"
#include "tests/support/world.h"

#define STORY_EPOCHS_MAX 4096

struct story {
    struct world *world;
    struct io *io;
    struct folder *folder;
    struct log *log;
    struct log_settings settings;
    struct uuid topic_id;
    struct log_observer observer;
    struct folder_observer folder_observer;
    struct log_waiter waiter;
    int woken;    /* how often waiter woke */
    int error;    /* with what */
    int failures; /* of appends */
    int failed_with;
    int advances;
    bool offline;
    int64_t durable_end; /* the most that any process said was durable */
    int64_t written_end; /* … or written */
    int64_t time_ms;     /* of the next batch */
    int32_t epoch;
    int64_t epoch_starts[STORY_EPOCHS_MAX]; /* where each epoch began, when it has records */
};

/* A world with an empty data folder, and settings under which nothing rolls or expires. */
void story_begin(struct story *story, uint64_t seed);
/* The same, with a log of ten batches of 300 bytes, all committed, two in each segment. */
void story_begin_in_segments(struct story *story, uint64_t seed);
void story_end(struct story *story);

/* Starts a process and loads folder and log, as far as effects are allowed: the log's state. */
enum log_state story_boot(struct story *story);
void story_close(struct story *story); /* an orderly end of the process */
void story_kill(struct story *story);
void story_power_loss(struct story *story);

/* Appends a batch of `records` records of about `value_bytes`; returns its base offset. It is not
 * written yet. */
int64_t story_append(struct story *story, int32_t records, size_t value_bytes);
/* The same with a producer; the error of log_append(). */
int story_append_by(struct story *story, int32_t records, int64_t producer, int16_t epoch,
                    int32_t sequence, struct log_append *append);
/* Appends as a follower does, at the base offset and under the epoch that the leader gave, with the
 * `sequence` of producer 7; the error of log_append_led(). */
int story_append_led(struct story *story, int64_t base_offset, int32_t epoch, int32_t records,
                     size_t value_bytes, int32_t sequence);
/* Appends and runs the world until it is quiet. */
int64_t story_write(struct story *story, int32_t records, size_t value_bytes);

/* Reads everything from the start to the written end, in ranges of `max_bytes`, and compares it
 * with what was appended. */
void story_check(struct story *story, uint32_t max_bytes);

/* Compares the leader epochs of the log, as far as it reaches, with those of the appends. */
void story_check_epochs(struct story *story);

/* Asserts that index files name nothing that is not in the log: tools read them, too. */
void story_check_index_files(const struct story *story);

/* Reads once; the range's bytes, valid until the next call; null with story->error set on failure.
 */
struct span story_read(struct story *story, int64_t offset, int64_t end_offset, uint32_t max_bytes,
                       bool whole_first);

/* The path of a file of the partition, valid until the next call. */
const char *story_path(int64_t base_offset, const char *suffix);

#endif
