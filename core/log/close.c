/* SPDX-License-Identifier: Apache-2.0 */
/* The orderly end of a log: everything written, durable and described by its small files. */
#include "core/log/folder_internal.h"

static void log_closed(struct log *log)
{
    log_hold(log);
    log_set_state(log, LOG_CLOSED);
    timer_cancel(&log->io->timers, &log->flush_timer);
    timer_cancel(&log->io->timers, &log->retention_timer);
    timer_cancel(&log->io->timers, &log->reserve_timer);
    cursors_end(log, ERR_NOT_LEADER_OR_FOLLOWER);
    log_wake(log, ERR_NOT_LEADER_OR_FOLLOWER);
    waiters_wake(&log->close_waiters, ERR_NONE);
    log_release(log);
}

/* Whose index is being read holds a file open. */
static bool an_index_loads(const struct log *log)
{
    for (uint32_t i = 0; i < log->segments_count; i++) {
        if (log->segments[i]->index_load != NULL)
            return true;
    }
    return false;
}

void close_continue(struct log *log)
{
    if (!log->closing || log->state == LOG_CLOSED || log->state == LOG_LOADING ||
        an_index_loads(log))
        return;
    if (log->state != LOG_READY) {
        log_closed(log);
        return;
    }
    if (log->pending_count > 0 || log->settle != NULL || log->settle_wanted ||
        log->truncation != NULL)
        return;
    if (log->durable_end < log->end) {
        log->sync_all = true;
        log->sync_wanted = true;
        sync_start(log);
        return;
    }
    if (reserve_release(log, false))
        log_closed(log);
}

void log_close(struct log *log, struct log_waiter *waiter)
{
    list_append(&log->close_waiters, &waiter->place);
    if (!log->closing) {
        log->closing = true;
        log->settle_wanted = log->state == LOG_READY;
        /* What the index knows of the latest time becomes its last entry, as Kafka leaves it. */
        if (log->state == LOG_READY && log_active(log)->size_bytes > 0)
            index_finish(log_active(log)->index);
    }
    log_turn(log);
}
