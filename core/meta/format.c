/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/format.h"

#include "core/base/check.h"
#include "core/wire/error.h"

struct format {
    struct memory memory;
    struct io io;
    struct identity_wish wish;
    const struct span *folders;
    uint32_t folders_count;
    struct identity_check *check;
    struct log_waiter waiter;
    bool stopped;
};

struct format *format_new(struct allocator allocator, const struct span *folders,
                          uint32_t folders_count, const struct identity_wish *wish)
{
    struct memory memory;
    memory_init(&memory, allocator);
    struct format *format = memory_new(&memory, struct format);
    format->memory = memory;
    format->folders = folders;
    format->folders_count = folders_count;
    format->wish = *wish;
    io_init(&format->io, &format->memory, NULL);
    return format;
}

struct memory *format_memory(struct format *format)
{
    return &format->memory;
}

static void format_stop(struct format *format, bool failed)
{
    struct effect *effect = effects_add(format->io.effects, EFFECT_STOPPED);
    format->stopped = true;
    effect->log.level = failed ? LOG_ERROR : LOG_INFO;
    effect->log.text = failed ? SPAN("not all folders are formatted, see above")
                              : SPAN("the folders are formatted");
    effect->log.failed = failed;
}

static void checked(struct log_waiter *waiter, int error)
{
    format_stop(container_of(waiter, struct format, waiter), error != ERR_NONE);
}

static void start(struct format *format, const struct event *event)
{
    uint64_t seed;
    memcpy(&seed, event->start.entropy, sizeof(seed));
    rng_init(&format->io.rng, seed);
    format->check =
        identity_check_new(&format->io, format->folders, format->folders_count, &format->wish);
    format->waiter.wake = checked;
    identity_check_run(format->check, &format->waiter);
}

void format_step(struct format *format, const struct event *event, struct effects *effects)
{
    struct io *io = &format->io;
    io->effects = effects;
    io->now_us = event->mono_us;
    io->wall_ms = event->wall_ms;
    if (format->stopped)
        return;
    if (event->kind == EVENT_START)
        start(format, event);
    else if (event->kind == EVENT_COMPLETED)
        io_complete(io, &event->completed);
    else if (event->kind == EVENT_STOP)
        format_stop(format, true);
}

bool format_was_new(const struct format *format, uint32_t folder)
{
    return identity_was_new(format->check, folder);
}

void format_free(struct format *format)
{
    if (format == NULL)
        return;
    identity_check_free(format->check);
    io_free(&format->io);
    struct memory memory = format->memory;
    memory_give(&memory, MEMORY_STATE, format, sizeof(*format));
}
