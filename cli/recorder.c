/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "core/base/check.h"
#include "core/base/format.h"
#include "core/trace/digest.h"
#include "core/trace/header.h"
#include "core/trace/pending.h"
#include "core/trace/record.h"

/* Items are gathered here; bytes that would fill half of it are written from where they lie. */
#define ROOM_BYTES   ((size_t)256 * 1024)
#define BYTES_COPIED (ROOM_BYTES / 2)

/* At the end of a turn so much is written at once, and anything that waited for so long. */
#define WRITE_BYTES   ((size_t)64 * 1024)
#define WRITE_LATE_US 100000

/* What follows an event whatever happens: its result, and the end. */
#define ENDING_BYTES (TRACE_CHUNK_HEAD_BYTES + 2 * TRACE_ITEM_BYTES_MAX)

struct recorder {
    struct recorder_options options;
    char path[PATH_MAX];
    struct memory memory;
    int fd; /* -1: the record has ended */
    uint64_t file_bytes;
    uint64_t written_us; /* when the last chunk was */
    struct trace_digest digest;
    struct trace_before before;
    struct trace_pending pending; /* what brings bytes */
    uint32_t effects_count;       /* in the list after the last step */
    size_t length;                /* of room, the head of the chunk included */
    uint8_t room[ROOM_BYTES];
};

/* The faults of a process, after which the rest is written: it holds what led there. */
static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static struct recorder *recording; /* for the signals' handler */
static struct sigaction before_us[FAULTS];

static void log_line(const struct recorder *recorder, enum log_level level, const char *what,
                     const char *why)
{
    char line[PATH_MAX + 256];
    const int length = snprintf(line, sizeof(line), "%s path=%s bytes=%llu%s%s", what,
                                recorder->path, (unsigned long long)recorder->file_bytes,
                                why == NULL ? "" : " why=", why == NULL ? "" : why);
    logger_write(recorder->options.logger, level,
                 span_of(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1));
}

/* Takes up to `length` bytes off the front. Returns how many are to be taken elsewhere. */
static size_t take(struct span *bytes, size_t length)
{
    const size_t taken = length < bytes->length ? length : bytes->length;
    if (taken > 0)
        *bytes = span_of(bytes->data + taken, bytes->length - taken);
    return length - taken;
}

/* Writes all of it, in as few calls as the system lets us. Returns 0; or -1 with errno. */
static int write_all(int fd, struct span first, struct span second)
{
    while (first.length + second.length > 0) {
        const struct iovec pieces[] = {
            {.iov_base = (void *)(uintptr_t)first.data, .iov_len = first.length},
            {.iov_base = (void *)(uintptr_t)second.data, .iov_len = second.length},
        };
        const ssize_t wrote = writev(fd, pieces, 2);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -1;
        take(&second, take(&first, (size_t)wrote));
    }
    return 0;
}

/* A record that cannot be written ends where it was whole. */
static void give_up(struct recorder *recorder)
{
    const int error = errno;
    /* What is torn is passed over by readers, should this be refused too. */
    (void)!ftruncate(recorder->fd, (off_t)recorder->file_bytes);
    close(recorder->fd);
    recorder->fd = -1;
    log_line(recorder, LOG_ERROR,
             "the flight record ends: it cannot be written; the broker goes on", strerror(error));
}

/* Writes what was gathered, and after it `more`, which belongs to its last item, as one chunk. */
static void write_chunk(struct recorder *recorder, struct span more)
{
    if (recorder->length + more.length == TRACE_CHUNK_HEAD_BYTES)
        return;
    const size_t items = recorder->length - TRACE_CHUNK_HEAD_BYTES;
    trace_chunk_head(recorder->room, span_of(recorder->room + TRACE_CHUNK_HEAD_BYTES, items), more);
    const struct span chunk = span_of(recorder->room, recorder->length);
    recorder->length = TRACE_CHUNK_HEAD_BYTES;
    recorder->written_us = recorder->before.mono_us;
    if (write_all(recorder->fd, chunk, more) != 0)
        give_up(recorder);
    else
        recorder->file_bytes += chunk.length + more.length;
}

/* Adds an item and the bytes that belong to it. */
static void add_item(struct recorder *recorder, const struct trace_item *item)
{
    const struct span bytes = trace_item_bytes(item);
    const bool is_long = bytes.length > BYTES_COPIED;
    if (TRACE_ITEM_BYTES_MAX + (is_long ? 0 : bytes.length) > ROOM_BYTES - recorder->length)
        write_chunk(recorder, SPAN_NULL);
    if (recorder->fd < 0)
        return;
    uint8_t *at = recorder->room + recorder->length;
    const size_t length = trace_item_write(at, &recorder->before, item);
    if (is_long) {
        recorder->length += length;
        write_chunk(recorder, bytes);
        return;
    }
    if (bytes.length > 0)
        memcpy(at + length, bytes.data, bytes.length);
    recorder->length += length + bytes.length;
}

static void end_record(struct recorder *recorder, enum trace_ending ending)
{
    add_item(recorder, &(struct trace_item){.kind = TRACE_END, .ending = ending});
    if (recorder->fd >= 0)
        write_chunk(recorder, SPAN_NULL);
    if (recorder->fd >= 0)
        close(recorder->fd);
    recorder->fd = -1;
}

/* The bytes that the completion of a RECEIVE or READ brought, where the core wanted them. */
static struct span bytes_of(struct recorder *recorder, const struct completion *completion)
{
    struct trace_effect effect;
    if (!trace_pending_find(&recorder->pending, completion->effect, &effect))
        return SPAN_NULL;
    trace_pending_remove(&recorder->pending, completion->effect);
    CHECK(completion->count <= effect.length);
    return span_of(effect.data, (size_t)completion->count);
}

/* What a LIST found, as bytes that are to be freed. */
static uint8_t *bytes_of_entries(const struct completion *completion, size_t *ret_length)
{
    *ret_length = trace_entries_size(completion->entries, completion->entries_count);
    uint8_t *bytes = malloc(*ret_length);
    CHECK(bytes != NULL);
    trace_entries_write(bytes, completion->entries, completion->entries_count);
    return bytes;
}

/* Returns false when the record ends before this event, since there is no room for it. */
static bool record_event(struct recorder *recorder, const struct event *event,
                         const struct effects *effects)
{
    struct trace_item item = {
        .kind = TRACE_EVENT,
        .event = *event,
        .cleared = effects->count < recorder->effects_count,
    };
    uint8_t *entries = NULL;
    if (event->kind == EVENT_COMPLETED) {
        item.bytes = bytes_of(recorder, &event->completed);
        trace_digest_event(&recorder->digest, event, item.bytes);
        if (event->completed.entries_count > 0) {
            entries = bytes_of_entries(&event->completed, &item.bytes.length);
            item.bytes.data = entries;
        }
    } else {
        trace_digest_event(&recorder->digest, event, SPAN_NULL);
    }
    const uint64_t bytes = recorder->file_bytes + recorder->length + TRACE_ITEM_BYTES_MAX +
                           trace_item_bytes(&item).length + ENDING_BYTES;
    const bool fits = bytes <= recorder->options.bytes_max;
    if (fits)
        add_item(recorder, &item);
    free(entries);
    if (fits)
        return recorder->fd >= 0;
    end_record(recorder, TRACE_ENDING_LIMIT);
    log_line(recorder, LOG_WARN,
             "the flight record ends: it reached chronik.record.bytes.max; the broker goes on",
             NULL);
    return false;
}

static void record_result(struct recorder *recorder, const struct effects *effects, uint32_t first)
{
    bool is_last = false;
    for (uint32_t i = first; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        trace_digest_effect(&recorder->digest, effect);
        if (effect->kind == EFFECT_RECEIVE || effect->kind == EFFECT_READ)
            trace_pending_add(&recorder->pending, effect, 0);
        is_last = is_last || effect->kind == EFFECT_STOPPED;
    }
    recorder->effects_count = effects->count;
    const struct trace_item item = {
        .kind = TRACE_RESULT,
        .effects = effects->count - first,
        .digest = recorder->digest.value,
    };
    add_item(recorder, &item);
    if (is_last && recorder->fd >= 0)
        end_record(recorder, TRACE_ENDING_STOPPED);
}

void recorder_step(void *context, const struct event *event, struct effects *effects)
{
    struct recorder *recorder = context;
    const struct recorder_options *options = &recorder->options;
    const bool records = recorder->fd >= 0 && record_event(recorder, event, effects);
    const uint32_t first = effects->count;
    options->step(options->core, event, effects);
    if (!records)
        return;
    record_result(recorder, effects, first);
    if (recorder->fd >= 0 && event->kind == EVENT_TURN_END &&
        (recorder->length >= WRITE_BYTES || event->mono_us - recorder->written_us >= WRITE_LATE_US))
        write_chunk(recorder, SPAN_NULL);
}

/* The process is about to end by a fault: what led to it is written first. */
static void on_fault(int signal)
{
    for (size_t i = 0; i < FAULTS; i++)
        sigaction(faults[i], &before_us[i], NULL);
    if (recording != NULL && recording->fd >= 0)
        write_chunk(recording, SPAN_NULL);
    raise(signal);
}

static void watch_faults(struct recorder *recorder)
{
    struct sigaction action = {.sa_handler = on_fault};
    sigemptyset(&action.sa_mask);
    recording = recorder;
    for (size_t i = 0; i < FAULTS; i++)
        sigaction(faults[i], &action, &before_us[i]);
}

static void unwatch_faults(void)
{
    for (size_t i = 0; i < FAULTS; i++)
        sigaction(faults[i], &before_us[i], NULL);
    recording = NULL;
}

/* Opens a new file. One that is there may be the record of a crash: it is kept. Returns 0; or -1
 * with errno. */
static int open_file(struct recorder *recorder)
{
    char old[PATH_MAX];
    const struct span path = recorder->options.path;
    snprintf(recorder->path, sizeof(recorder->path), "%.*s", SPAN_ARGS(path));
    const int length = snprintf(old, sizeof(old), "%.*s.old", SPAN_ARGS(path));
    if (length < 0 || (size_t)length >= sizeof(old)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (rename(recorder->path, old) != 0 && errno != ENOENT)
        return -1;
    /* It holds what clients sent: it is the owner's alone. */
    recorder->fd = open(recorder->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return recorder->fd < 0 ? -1 : 0;
}

static int write_header(struct recorder *recorder)
{
    const struct conf *conf = recorder->options.conf;
    const struct span program = SPAN(CHRONIK_VERSION);
    const size_t length = trace_header_size(program, conf);
    uint8_t *bytes = malloc(length);
    if (bytes == NULL)
        return -1;
    trace_header_write(bytes, program, conf);
    const int result = write_all(recorder->fd, span_of(bytes, length), SPAN_NULL);
    recorder->file_bytes = length;
    free(bytes);
    return result;
}

struct recorder *recorder_new(const struct recorder_options *options)
{
    struct recorder *recorder = malloc(sizeof(*recorder));
    if (recorder == NULL)
        return NULL;
    *recorder = (struct recorder){
        .options = *options,
        .fd = -1,
        .length = TRACE_CHUNK_HEAD_BYTES,
    };
    memory_init(&recorder->memory, allocator_process());
    trace_pending_init(&recorder->pending, &recorder->memory);
    trace_digest_init(&recorder->digest);
    if (open_file(recorder) != 0 || write_header(recorder) != 0) {
        const int error = errno;
        if (recorder->fd >= 0)
            close(recorder->fd);
        free(recorder);
        errno = error;
        return NULL;
    }
    watch_faults(recorder);
    log_line(recorder, LOG_INFO, "a flight record is kept of every event, payloads included", NULL);
    return recorder;
}

void recorder_free(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    unwatch_faults();
    if (recorder->fd >= 0)
        write_chunk(recorder, SPAN_NULL);
    if (recorder->fd >= 0)
        close(recorder->fd);
    trace_pending_free(&recorder->pending);
    free(recorder);
}
