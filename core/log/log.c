/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/log.h"

#include "core/base/format.h"
#include "core/log/folder_internal.h"

/* A file's name behind the folder's: '/', twenty digits, the longest suffix. */
#define FILE_NAME_BYTES_MAX 64

struct log *log_new(struct io *io, struct folder *folder, struct span name, struct uuid topic_id,
                    const struct codecs *codecs, const struct log_settings *settings,
                    struct log_observer *observer)
{
    struct log *log = memory_new(io->memory, struct log);
    log->io = io;
    log->folder = folder;
    log->topic_id = topic_id;
    log->codecs = codecs;
    log->settings = *settings;
    log->observer = observer;
    log->state = folder->state == FOLDER_OFFLINE ? LOG_OFFLINE : LOG_COLD;
    list_init(&log->waiters);
    list_init(&log->cursors);
    list_init(&log->close_waiters);
    list_init(&log->turn.place);
    epochs_init(&log->epochs, io->memory);
    producers_init(&log->producers, io->memory, rng_next(&io->rng));
    list_append(&folder->logs, &log->place);
    folder->logs_count++;
    const struct found *found = folder_claim(folder, name, log);
    log->name = span_of(found->name, found->name_length);
    log->has_folder = found->has_folder;
    log->recovery_point = found->recovery_point < 0 ? 0 : found->recovery_point;
    log->folder_durable = found->has_folder && log->recovery_point > 0;
    log->damaged_segment = -1;
    log->start = found->log_start < 0 ? 0 : found->log_start;
    log->start_written = log->start;
    log->start_durable = log->start;
    log->high_watermark = log->start;
    return log;
}

void log_configure(struct log *log, const struct log_settings *settings)
{
    const bool caching_ended = log->settings.write_caching && !settings->write_caching;
    log->settings = *settings;
    if (log->state != LOG_READY)
        return;
    if (caching_ended && log->durable_end < log->written_end)
        log->sync_wanted = true;
    log->retain_wanted = true; /* nothing else may come that looks at what is too much now */
    log_turn(log);
}

enum log_state log_state(const struct log *log)
{
    return log->state;
}

/* What may follow what. */
#define TO(state) (1U << (state))
static const uint8_t log_may[] = {
    [LOG_COLD] = TO(LOG_LOADING) | TO(LOG_OFFLINE) | TO(LOG_CLOSED),
    [LOG_LOADING] = TO(LOG_READY) | TO(LOG_OFFLINE) | TO(LOG_CLOSED) | TO(LOG_COLD),
    [LOG_READY] = TO(LOG_LOADING) | TO(LOG_OFFLINE) | TO(LOG_CLOSED),
    [LOG_OFFLINE] = TO(LOG_CLOSED),
    [LOG_CLOSED] = 0,
};

void log_set_state(struct log *log, enum log_state state)
{
    CHECK(log_may[log->state] & TO(state));
    log->state = state;
}

void waiters_wake(struct list *waiters, int error)
{
    struct list now;
    list_init(&now);
    struct list *place;
    while ((place = list_pop(waiters)) != NULL)
        list_append(&now, place);
    while ((place = list_pop(&now)) != NULL) {
        struct log_waiter *waiter = container_of(place, struct log_waiter, place);
        waiter->wake(waiter, error);
    }
}

void log_wake(struct log *log, int error)
{
    waiters_wake(&log->waiters, error);
}

void log_advanced(struct log *log)
{
    if (!log->deleted && log->state == LOG_READY)
        log->observer->advanced(log->observer);
}

void log_load(struct log *log, struct log_waiter *waiter)
{
    list_append(&log->waiters, &waiter->place);
    if (log->state == LOG_COLD) {
        log_set_state(log, LOG_LOADING);
        recover_start(log);
    } else if (log->state != LOG_LOADING) {
        log_turn(log); /* never woken from inside the call */
    }
}

bool error_passes(int error)
{
    return error == ERR_NO_SPACE || error == ERR_LIMIT;
}

const char *error_reason(int error)
{
    return error == ERR_NO_SPACE ? "the disk is full" : "no file descriptor is left";
}

void log_go_offline(struct log *log)
{
    if (log->state == LOG_OFFLINE || log->state == LOG_CLOSED)
        return;
    const bool was_cold = log->state == LOG_COLD;
    log_set_state(log, LOG_OFFLINE);
    timer_cancel(&log->io->timers, &log->flush_timer);
    timer_cancel(&log->io->timers, &log->retention_timer);
    timer_cancel(&log->io->timers, &log->reserve_timer);
    append_drop(log);
    log_hold(log);
    settle_cancel(log);
    truncation_give_up(log);
    cursors_end(log, ERR_KAFKA_STORAGE_ERROR);
    recover_continue(log);
    if (!was_cold && !log->deleted)
        log->observer->failed(log->observer, ERR_KAFKA_STORAGE_ERROR);
    log_wake(log, ERR_KAFKA_STORAGE_ERROR);
    log_release(log);
}

int log_damage_met(const struct log_cursor *cursor)
{
    struct log *log = cursor->log;
    const struct segment *segment = cursor->segment;
    if (log->damaged_segment != segment->base_offset || log->damaged_at != cursor->position) {
        log->damaged_segment = segment->base_offset;
        log->damaged_at = cursor->position;
        io_log(log->io, LOG_ERROR, "a batch is damaged log=%.*s segment=%020lld.log position=%llu",
               SPAN_ARGS(log->name), (long long)segment->base_offset,
               (unsigned long long)cursor->position);
    }
    return ERR_CORRUPT_MESSAGE;
}

void log_refuse(struct log *log)
{
    CHECK(log->state == LOG_READY);
    io_log(log->io, LOG_ERROR,
           "the log is damaged, and left to other replicas: to copy it from them again, stop the "
           "broker, remove the partition's folder and start it log=%.*s",
           SPAN_ARGS(log->name));
    log_go_offline(log);
}

void log_hold(struct log *log)
{
    log->refs++;
}

void log_release(struct log *log)
{
    CHECK(log->refs > 0);
    if (--log->refs == 0 && log->deleted)
        log_free(log);
}

void log_goes_on(struct log *log)
{
    recover_continue(log);
    delete_continue(log);
    log_turn(log);
    log_release(log);
}

int64_t log_start(const struct log *log)
{
    return log->start_durable;
}

int64_t log_end(const struct log *log)
{
    return log->end;
}

int64_t log_written_end(const struct log *log)
{
    return log->written_end;
}

int64_t log_durable_end(const struct log *log)
{
    return log->durable_end;
}

bool log_is_write_cached(const struct log *log)
{
    return log->settings.write_caching;
}

int64_t log_safe_end(const struct log *log)
{
    return log_is_write_cached(log) ? log->written_end : log->durable_end;
}

uint64_t log_size_bytes(const struct log *log)
{
    return log->size_bytes;
}

uint32_t log_folder_number(const struct log *log)
{
    return folder_number(log->folder);
}

int32_t log_last_epoch(const struct log *log)
{
    return epochs_latest(&log->epochs);
}

int32_t log_epoch_at(const struct log *log, int64_t offset)
{
    return epochs_at(&log->epochs, offset);
}

int32_t log_epoch_below(const struct log *log)
{
    return log->epochs.below;
}

bool log_epoch_before(const struct log *log, int64_t offset, int32_t *ret_epoch, int64_t *ret_start)
{
    struct epoch_start start;
    if (!epochs_before(&log->epochs, offset, &start))
        return false;
    *ret_epoch = start.epoch;
    *ret_start = start.offset;
    return true;
}

void log_epoch_end(const struct log *log, int32_t current_epoch, int32_t epoch, int32_t *ret_epoch,
                   int64_t *ret_end_offset)
{
    if (epoch == current_epoch) {
        *ret_epoch = epoch;
        *ret_end_offset = log->end;
        return;
    }
    const int32_t latest = epochs_latest(&log->epochs);
    if (epoch > latest && (epoch < current_epoch || current_epoch < 0) && latest >= 0) {
        *ret_epoch = latest; /* under the epochs between the two nothing is left */
        *ret_end_offset = log->end;
        return;
    }
    epochs_end(&log->epochs, epoch, log->end, ret_epoch, ret_end_offset);
}

struct segment *log_active(const struct log *log)
{
    CHECK(log->segments_count > 0);
    return log->segments[log->segments_count - 1];
}

struct span log_path(struct log *log, const char *file)
{
    char text[FILE_NAME_BYTES_MAX] = "";
    size_t length = 0;
    if (file[0] != '\0')
        length = format_text(text, sizeof(text), "/%s", file);
    CHECK(length < sizeof(text));
    uint8_t *path = memory_take(log->io->memory, MEMORY_STATE, log->name.length + length);
    memcpy(path, log->name.data, log->name.length);
    memcpy(path + log->name.length, text, length);
    return span_of(path, log->name.length + length);
}

struct span log_path_of(struct log *log, int64_t offset, const char *suffix)
{
    char text[FILE_NAME_BYTES_MAX];
    format_text(text, sizeof(text), "%020lld%s", (long long)offset, suffix);
    return log_path(log, text);
}

void log_path_free(struct log *log, struct span path)
{
    memory_give(log->io->memory, MEMORY_STATE, (void *)(uintptr_t)path.data, path.length);
}

void log_free(struct log *log)
{
    struct memory *memory = log->io->memory;
    list_remove(&log->place);
    log->folder->logs_count--;
    timer_cancel(&log->io->timers, &log->flush_timer);
    timer_cancel(&log->io->timers, &log->retention_timer);
    timer_cancel(&log->io->timers, &log->reserve_timer);
    folder_settling(log->folder, log);
    append_free(log);
    create_free(log);
    settle_free(log);
    recover_free(log);
    truncation_free(log);
    for (uint32_t i = 0; i < log->segments_count; i++)
        segment_free(log->segments[i]);
    memory_give(memory, MEMORY_STATE, log->segments,
                log->segments_capacity * sizeof(struct segment *));
    memory_give(memory, MEMORY_STATE, log->snapshots, log->snapshots_capacity * sizeof(int64_t));
    epochs_free(&log->epochs);
    producers_clear(&log->producers);
    folder_unclaim(log->folder, log);
    memory_give(memory, MEMORY_STATE, log, sizeof(*log));
}
