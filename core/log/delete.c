/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a whole log. */
#include "core/base/format.h"
#include "core/log/recover.h"
#include "core/log/removal.h"

/* The longest name that a file system takes. */
#define FILE_NAME_MAX 255

/* Of a topic with a long name the beginning stays, as in Kafka. */
struct span log_path_aside(struct log *log, struct uuid uuid, const char *suffix)
{
    /* ".", 32 digits, the suffix */
    char text[48];
    size_t length = 1;
    text[0] = '.';
    for (size_t i = 0; i < sizeof(uuid.bytes); i++)
        length +=
            format_text(text + length, sizeof(text) - length, "%02x", (unsigned)uuid.bytes[i]);
    length += format_text(text + length, sizeof(text) - length, "%s", suffix);
    CHECK(length < sizeof(text));
    struct span topic = log->name;
    int32_t partition;
    (void)folder_name_split(log->name, &topic, &partition);
    const size_t rest = log->name.length - topic.length; /* "-N" */
    const size_t room = FILE_NAME_MAX - rest - length;
    const size_t kept = topic.length < room ? topic.length : room;
    uint8_t *path = memory_take(log->io->memory, MEMORY_STATE, kept + rest + length);
    memcpy(path, topic.data, kept);
    memcpy(path + kept, topic.data + topic.length, rest);
    memcpy(path + kept + rest, text, length);
    return span_of(path, kept + rest + length);
}

/* True while something is under way that finds the folder, or a file, by its name. */
static bool name_is_used(const struct log *log)
{
    return log->create != NULL || log->recovery != NULL || log->settle != NULL ||
           op_busy(&log->entries_op) || wait_is_set(&log->sync_wait);
}

/* The folder goes when nothing creates, recovers, describes or syncs anything in it any more. */
void delete_continue(struct log *log)
{
    if (!log->deleted || log->delete_renamed || name_is_used(log))
        return;
    log->delete_renamed = true;
    log->folder->deleting--;
    if (log->has_folder && log->folder->state != FOLDER_OFFLINE) {
        const struct span aside = log_path_aside(log, rng_uuid(&log->io->rng), "-delete");
        removal_start(log->folder, log->name, aside, log->settings.file_delete_delay_ms);
        log_path_free(log, aside);
    } else {
        waits_wake(&log->folder->names_next, ERR_NONE);
    }
    folder_forget_lines(log->folder);
    while (log->segments_count > 0)
        segment_drop(log->segments[--log->segments_count]);
    log_release(log);
}

void log_delete(struct log *log)
{
    CHECK(!log->deleted);
    log_hold(log); /* until the folder is renamed */
    log_hold(log);
    log->deleted = true;
    log->folder->deleting++;
    timer_cancel(&log->io->timers, &log->flush_timer);
    timer_cancel(&log->io->timers, &log->retention_timer);
    timer_cancel(&log->io->timers, &log->reserve_timer);
    if (log->state != LOG_CLOSED)
        log_set_state(log, LOG_CLOSED);
    append_drop(log);
    settle_cancel(log);
    truncation_give_up(log);
    cursors_end(log, ERR_UNKNOWN_TOPIC_OR_PARTITION);
    recover_continue(log);
    log_wake(log, ERR_UNKNOWN_TOPIC_OR_PARTITION);
    waiters_wake(&log->close_waiters, ERR_NONE);
    delete_continue(log);
    log_release(log);
}
