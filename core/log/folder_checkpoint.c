/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checkpoints of a data folder, and when they are due: soon after something moved, and before
 * so much was written that reading it again would take long.
 */
#include "core/base/format.h"
#include "core/log/checkpoint.h"
#include "core/log/folder_internal.h"

/* The longest time that recovery points stay behind a log that is written to. */
#define SETTLE_INTERVAL_US ((uint64_t)60 * 1000 * 1000)

static void checkpoint_start(struct folder *folder);

void folder_forget_lines(struct folder *folder)
{
    folder->lines_forgotten = true;
    folder_checkpoint(folder, NULL);
}

bool folder_name_split(struct span name, struct span *ret_topic, int32_t *ret_partition)
{
    size_t at = name.length;
    while (at > 0 && name.data[at - 1] != '-')
        at--;
    int64_t partition;
    if (at < 2 || parse_int64(span_of(name.data + at, name.length - at), &partition) != 0 ||
        partition < 0 || partition > INT32_MAX)
        return false;
    *ret_topic = span_of(name.data, at - 1);
    *ret_partition = (int32_t)partition;
    return true;
}

/* Writes, or only counts, all entries of one of the two files. */
static uint64_t entries_write(const struct folder *folder, bool starts, struct text_writer *writer)
{
    uint64_t count = 0;
    struct span topic;
    int32_t partition;
    struct list *place;
    struct list *next;
    list_each(&folder->logs, place, next)
    {
        struct log *log = container_of(place, struct log, place);
        const int64_t offset = starts ? log->start : log->recovery_point;
        if (starts)
            log->start_written = offset;
        if (offset <= 0 || log->deleted || !folder_name_split(log->name, &topic, &partition))
            continue;
        count++;
        if (writer != NULL)
            checkpoint_write_entry(writer, topic, partition, offset);
    }
    for (struct map_node *node = folder->found.first; node != NULL; node = map_next(node)) {
        const struct found *found = container_of(node, struct found, node);
        const int64_t offset = starts ? found->log_start : found->recovery_point;
        if (found->claimed || !found->has_folder || offset <= 0 ||
            !folder_name_split(span_of(found->name, found->name_length), &topic, &partition))
            continue;
        count++;
        if (writer != NULL)
            checkpoint_write_entry(writer, topic, partition, offset);
    }
    return count;
}

static void checkpoint_put(struct folder *folder, bool starts, file_done *done)
{
    struct text_writer writer;
    const uint64_t count = entries_write(folder, starts, NULL);
    checkpoint_write_head(&writer, NULL, 0, count);
    entries_write(folder, starts, &writer);
    const size_t size = writer.length;
    uint8_t *text = memory_take(folder->io->memory, MEMORY_STATE, size);
    checkpoint_write_head(&writer, text, size, count);
    entries_write(folder, starts, &writer);
    file_put(folder->io, folder->number, starts ? LOG_START_CHECKPOINT : RECOVERY_POINT_CHECKPOINT,
             FILE_REPLACE, 0, span_of(text, size), done, folder);
    memory_give(folder->io->memory, MEMORY_STATE, text, size);
}

/* The starts that were written are durable. */
static void starts_settle(struct folder *folder)
{
    struct list *place;
    struct list *next;
    list_each(&folder->logs, place, next)
    {
        retain_start_written(container_of(place, struct log, place));
    }
}

static void checkpoint_end(struct folder *folder, int error)
{
    folder->checkpoint_busy = false;
    if (error == ERR_NONE)
        starts_settle(folder);
    if (error == ERR_NONE && !folder->checkpoint_again)
        folder->lines_forgotten = false;
    if (error_passes(error))
        io_log(folder->io, LOG_WARN, "%s: no checkpoint folder=%u", error_reason(error),
               folder->number);
    else if (error != ERR_NONE)
        folder_fail(folder, "cannot write the checkpoints of", SPAN("the folder"));
    waiters_wake(&folder->checkpoint_now,
                 error == ERR_NONE || error_passes(error) ? error : ERR_KAFKA_STORAGE_ERROR);
    if (folder->checkpoint_again && folder->state != FOLDER_OFFLINE)
        checkpoint_start(folder);
}

static void checkpoint_synced(struct wait *wait, int error)
{
    checkpoint_end(container_of(wait, struct folder, checkpoint_wait), error);
}

static void starts_put(void *context, int error, struct span bytes)
{
    struct folder *folder = context;
    (void)bytes;
    if (error == ERR_NONE)
        folder_sync_root(folder, &folder->checkpoint_wait, checkpoint_synced);
    else
        checkpoint_end(folder, error);
}

static void points_put(void *context, int error, struct span bytes)
{
    struct folder *folder = context;
    (void)bytes;
    if (error == ERR_NONE)
        checkpoint_put(folder, true, starts_put);
    else
        checkpoint_end(folder, error);
}

static void checkpoint_start(struct folder *folder)
{
    folder->checkpoint_busy = true;
    folder->checkpoint_again = false;
    struct list *place;
    while ((place = list_pop(&folder->checkpoint_next)) != NULL)
        list_append(&folder->checkpoint_now, place);
    checkpoint_put(folder, false, points_put);
}

static void checkpoint_turn(struct turn_task *task)
{
    struct folder *folder = container_of(task, struct folder, checkpoint_turn);
    if (folder->state == FOLDER_OFFLINE)
        waiters_wake(&folder->checkpoint_next, ERR_KAFKA_STORAGE_ERROR);
    else if (folder->checkpoint_again && !folder->checkpoint_busy)
        checkpoint_start(folder);
}

void folder_checkpoint(struct folder *folder, struct log_waiter *waiter)
{
    if (waiter != NULL)
        list_append(&folder->checkpoint_next, &waiter->place);
    folder->checkpoint_again = true;
    io_at_turn_end(folder->io, &folder->checkpoint_turn, checkpoint_turn);
}

void folder_settled(struct folder *folder)
{
    folder_checkpoint(folder, NULL);
}

void folder_settling(struct folder *folder, struct log *log)
{
    if (log->unsettled_bytes == 0)
        return;
    folder->unsettled_logs--;
    folder->unsettled_bytes -= log->unsettled_bytes;
    log->unsettled_bytes = 0;
}

/* Lets the recovery points of the logs move that have `least_bytes` behind them. */
static void settle_logs(struct folder *folder, uint64_t least_bytes)
{
    struct list *place;
    struct list *next;
    list_each(&folder->logs, place, next)
    {
        struct log *log = container_of(place, struct log, place);
        if (log->state == LOG_READY && log->unsettled_bytes >= least_bytes)
            settle_want(log);
    }
}

static void settle_due(struct timer *timer)
{
    settle_logs(container_of(timer, struct folder, settle_timer), 1);
}

void folder_unsettled(struct folder *folder, struct log *log, uint64_t bytes)
{
    if (!timer_is_set(&folder->settle_timer) && !folder->closing)
        timer_set(&folder->io->timers, &folder->settle_timer,
                  folder->io->now_us + SETTLE_INTERVAL_US, settle_due);
    if (log->unsettled_bytes == 0)
        folder->unsettled_logs++;
    log->unsettled_bytes += bytes;
    folder->unsettled_bytes += bytes;
    folder->since_settle_bytes += bytes;
    /* Half, since more is written until the points have moved; not at every write meanwhile. The
     * logs that have at least the average hold most of it. */
    if (folder->unsettled_bytes < FOLDER_UNSETTLED_BYTES_MAX / 2 ||
        folder->since_settle_bytes < FOLDER_UNSETTLED_BYTES_MAX / 8)
        return;
    folder->since_settle_bytes = 0;
    settle_logs(folder, folder->unsettled_bytes / folder->unsettled_logs);
}
