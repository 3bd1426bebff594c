/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One data folder (log.dirs): what was found in it at start, the checkpoints that all its logs
 * share (recovery-point-offset-checkpoint, log-start-offset-checkpoint), the mark of a clean
 * shutdown, and whether it still serves. A failed sync or write takes the whole folder offline, as
 * in Kafka.
 */
#ifndef CORE_LOG_FOLDER_H
#define CORE_LOG_FOLDER_H

#include "core/io.h"
#include "core/log/log.h"

struct folder;

/* Reported once when the folder goes offline. */
struct folder_observer {
    void (*offline)(struct folder_observer *observer, struct folder *folder);
};

struct folder *folder_new(struct io *io, uint32_t number, struct folder_observer *observer);

/* Lists the folder, reads checkpoints and the clean-shutdown mark (which it removes durably, so
 * that a later crash is not taken for an orderly end); makes durable what a folder without
 * partitions holds. Wakes with ERR_NONE or the error that ended it. */
void folder_load(struct folder *folder, struct log_waiter *waiter);

uint32_t folder_number(const struct folder *folder);
bool folder_is_offline(const struct folder *folder);

/* True when the last process ended in order; until folder_load() has woken, false. */
bool folder_was_clean(const struct folder *folder);

/* True when the folder has a subfolder of this name: found at start, or made since. */
bool folder_holds(const struct folder *folder, struct span name);

/* How many logs have their place here. */
uint32_t folder_logs_count(const struct folder *folder);

/* The subfolders that were found at start and that no log has claimed by log_new() yet, in the
 * order of their names; `index` from 0; null after the last. For reporting strays. */
struct span folder_unclaimed(const struct folder *folder, uint32_t index);

/* Writes both checkpoints now (synced, renamed into place, folder synced); `waiter` may be NULL. */
void folder_checkpoint(struct folder *folder, struct log_waiter *waiter);

/* After all logs are CLOSED: checkpoints, then the clean-shutdown mark, unless a partition was not
 * looked at since a start without that mark. */
void folder_close(struct folder *folder, struct log_waiter *waiter);

void folder_free(struct folder *folder);

#endif
